//! An invoice: the door by which subscriptions pay.
//!
//! Basil (2025-03-31) moved `subscription` and its metadata into `parent.subscription_details`, and replaced `paid`,
//! `charge` and `payment_intent` by `status` and a list of `payments` that only the API tells.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::Fields;
use super::{Found, InvoiceLine, InvoicePayment, UnsupportedShape};

/// What we read of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// `in_…`; previews (`invoice.upcoming`) have none and are refused.
    pub id: String,
    /// `draft`, `open`, `paid`, `void` or `uncollectible`; before 2018-11-08 invoices do not say, see `paid`.
    pub status: Option<String>,
    /// Whether it is paid; gone since Basil, see `status`.
    pub paid: Option<bool>,
    /// `subscription_create`, `_cycle`, `_update`, `_threshold`, `manual` and others; older ones do not say.
    pub billing_reason: Option<String>,
    /// What was paid, in the currency's minor unit; 0 if it was free, or paid from the customer's balance.
    pub amount_paid: Option<i64>,
    /// What was to be paid, in the currency's minor unit.
    pub amount_due: Option<i64>,
    /// What it comes to with tax and discounts, in the currency's minor unit.
    pub total: Option<i64>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
    /// Customer, or customer account.
    pub customer: Option<String>,
    /// Subscription that it bills.
    pub subscription: Option<String>,
    /// That subscription's metadata, as they were when the invoice was finalized (2023 and later).
    pub subscription_metadata: BTreeMap<String, String>,
    /// Charge that paid it: the invoice's own, or since Basil that of a paid payment.
    pub charge: Option<String>,
    /// Payment intent that pays it: the invoice's own, or since Basil that of a paid payment.
    pub payment_intent: Option<String>,
    /// What pays it, since Basil, if it was expanded and is complete.
    pub payments: Option<Vec<InvoicePayment>>,
    /// Marked as paid with money from outside Stripe.
    pub paid_out_of_band: Option<bool>,
    /// The invoice's own metadata.
    pub metadata: BTreeMap<String, String>,
    /// E-mails that it names.
    pub emails: Vec<Found>,
    /// Names of the customer.
    pub names: Vec<Found>,
    /// What was bought, if it is complete: Stripe tells ten lines, the API the others. Those of 2013 are no list.
    pub lines: Option<Vec<InvoiceLine>>,
}

impl Invoice {
    /// Reads an invoice.
    pub fn read(object: &Value) -> Result<Self, UnsupportedShape> {
        let fields = Fields::of(object, "invoice")?;
        let (subscription, subscription_metadata) = subscription(&fields)?;
        let payments = fields.list("payments", InvoicePayment::of)?;
        let paid_by =
            payments.iter().flatten().find(|payment| payment.status.as_deref() == Some("paid"));
        let charge = paid_by.and_then(|payment| payment.charge.clone());
        let payment_intent = paid_by.and_then(|payment| payment.payment_intent.clone());
        Ok(Self {
            id: fields.id()?,
            status: fields.text("status")?,
            paid: fields.flag("paid")?,
            billing_reason: fields.text("billing_reason")?,
            amount_paid: fields.integer("amount_paid")?,
            amount_due: fields.integer("amount_due")?,
            total: fields.integer("total")?,
            currency: fields.text("currency")?,
            customer: fields.customer()?,
            subscription,
            subscription_metadata,
            charge: fields.reference("charge")?.or(charge),
            payment_intent: fields.reference("payment_intent")?.or(payment_intent),
            paid_out_of_band: paid_out_of_band(&fields)?,
            metadata: fields.metadata()?,
            emails: fields.found(&["customer_email"]),
            names: fields.found(&["customer_name"]),
            lines: fields.list("lines", InvoiceLine::of)?,
            payments,
        })
    }
}

/// The subscription and its metadata, where they stand since Basil and where they stood before.
fn subscription(
    invoice: &Fields<'_>,
) -> Result<(Option<String>, BTreeMap<String, String>), UnsupportedShape> {
    let parent = invoice.object("parent")?;
    let basil = parent.map(|parent| parent.object("subscription_details")).transpose()?.flatten();
    let details = match basil {
        Some(details) => Some(details),
        None => invoice.object("subscription_details")?,
    };
    let Some(details) = details else {
        return Ok((invoice.reference("subscription")?, BTreeMap::new()));
    };
    let own = details.reference("subscription")?;
    Ok((invoice.reference("subscription")?.or(own), details.metadata()?))
}

/// Since Basil there is an amount instead of the flag.
fn paid_out_of_band(invoice: &Fields<'_>) -> Result<Option<bool>, UnsupportedShape> {
    let has_paid = invoice.integer("amount_paid_off_stripe")?.map(|amount| amount > 0);
    Ok(invoice.flag("paid_out_of_band")?.or(has_paid))
}
