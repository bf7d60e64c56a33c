//! A charge: one movement of money. Before payment intents it was the purchase itself.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::Fields;
use super::{Found, UnsupportedShape};

/// What we read of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// `ch_…` (`py_…` for some payment methods).
    pub id: String,
    /// `succeeded`, `pending` or `failed`; charges of 2014 do not say, see `paid`.
    pub status: Option<String>,
    /// Whether it was paid, or authorised.
    pub paid: Option<bool>,
    /// Whether what was authorised was also taken.
    pub captured: Option<bool>,
    /// What was authorised, in the currency's minor unit.
    pub amount: Option<i64>,
    /// What was taken, in the currency's minor unit.
    pub amount_captured: Option<i64>,
    /// What was given back so far, all refunds together, in the currency's minor unit.
    pub amount_refunded: Option<i64>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
    /// Customer.
    pub customer: Option<String>,
    /// Payment intent that it pays.
    pub payment_intent: Option<String>,
    /// Invoice that it pays; gone since Basil.
    pub invoice: Option<String>,
    /// The charge's metadata: copied from the payment intent when it was made.
    pub metadata: BTreeMap<String, String>,
    /// E-mails that it names.
    pub emails: Vec<Found>,
    /// Names of the payer and of the receiver.
    pub names: Vec<Found>,
}

impl Charge {
    /// Reads the object of a charge event.
    pub fn read(object: &Value) -> Result<Self, UnsupportedShape> {
        let fields = Fields::of(object, "charge")?;
        Ok(Self {
            id: fields.id()?,
            status: fields.text("status")?,
            paid: fields.flag("paid")?,
            captured: fields.flag("captured")?,
            amount: fields.integer("amount")?,
            amount_captured: fields.integer("amount_captured")?,
            amount_refunded: fields.integer("amount_refunded")?,
            currency: fields.text("currency")?,
            customer: fields.customer()?,
            payment_intent: fields.reference("payment_intent")?,
            invoice: fields.reference("invoice")?,
            metadata: fields.metadata()?,
            emails: fields.found(&["receipt_email", "billing_details.email"]),
            names: fields.found(&["billing_details.name", "shipping.name"]),
        })
    }
}
