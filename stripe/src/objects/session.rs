//! A Checkout session: the richest account of a purchase, and the only one that names what was bought.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::Fields;
use super::{Found, Price, UnsupportedShape};

/// What we read of a Checkout session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// `cs_…`.
    pub id: String,
    /// `payment`, `setup` or `subscription`; sessions of 2019 do not say.
    pub mode: Option<String>,
    /// `open`, `complete` or `expired`.
    pub status: Option<String>,
    /// `paid`, `unpaid` or `no_payment_required`.
    pub payment_status: Option<String>,
    /// When it was started, in seconds since 1970.
    pub created: Option<i64>,
    /// When it ends if it is not completed, in seconds since 1970; older ones do not say.
    pub expires_at: Option<i64>,
    /// What is paid, with tax and shipping, in the currency's minor unit. Never what credits are counted from.
    pub amount_total: Option<i64>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
    /// Customer, or customer account.
    pub customer: Option<String>,
    /// Payment intent, in payment mode.
    pub payment_intent: Option<String>,
    /// Invoice, in subscription mode or where the session was told to make one.
    pub invoice: Option<String>,
    /// Subscription, in subscription mode.
    pub subscription: Option<String>,
    /// Payment link that the session was started from.
    pub payment_link: Option<String>,
    /// The app's own reference. Unsigned: whoever holds a payment link can edit it.
    pub client_reference_id: Option<String>,
    /// The session's own metadata; the payment intent's is another one.
    pub metadata: BTreeMap<String, String>,
    /// E-mails that it names.
    pub emails: Vec<Found>,
    /// Names of the payer.
    pub names: Vec<Found>,
    /// What was bought, if it was expanded and is complete. Never in a webhook, only in what was pulled.
    pub line_items: Option<Vec<LineItem>>,
}

/// One thing that was bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineItem {
    /// Its price.
    pub price: Option<Price>,
    /// How many.
    pub quantity: Option<i64>,
}

impl Session {
    /// Reads a session.
    pub fn read(object: &Value) -> Result<Self, UnsupportedShape> {
        let fields = Fields::of(object, "checkout.session")?;
        Ok(Self {
            id: fields.id()?,
            mode: fields.text("mode")?,
            status: fields.text("status")?,
            payment_status: fields.text("payment_status")?,
            created: fields.integer("created")?,
            expires_at: fields.integer("expires_at")?,
            amount_total: fields.integer("amount_total")?,
            currency: fields.text("currency")?,
            customer: fields.customer()?,
            payment_intent: fields.reference("payment_intent")?,
            invoice: fields.reference("invoice")?,
            subscription: fields.reference("subscription")?,
            payment_link: fields.reference("payment_link")?,
            client_reference_id: fields.text("client_reference_id")?,
            metadata: fields.metadata()?,
            emails: fields.found(&["customer_email", "customer_details.email"]),
            names: fields.found(&["customer_details.name"]),
            line_items: fields.list("line_items", LineItem::of)?,
        })
    }
}

impl LineItem {
    fn of(item: &Fields<'_>) -> Result<Self, UnsupportedShape> {
        Ok(Self { price: Price::of(item)?, quantity: item.integer("quantity")? })
    }
}
