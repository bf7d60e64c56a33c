//! A payment intent: the root on which the objects of one purchase converge.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::Fields;
use super::{Found, UnsupportedShape};

/// What we read of a payment intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentIntent {
    /// `pi_…`.
    pub id: String,
    /// `succeeded`, `processing`, `requires_…` or `canceled`.
    pub status: Option<String>,
    /// What is to be paid, in the currency's minor unit.
    pub amount: Option<i64>,
    /// What was paid, in the currency's minor unit.
    pub amount_received: Option<i64>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
    /// Customer, or customer account.
    pub customer: Option<String>,
    /// Invoice that it pays; gone since Basil.
    pub invoice: Option<String>,
    /// The charge that paid it; before 2022-11-15 the newest of its inline `charges`.
    pub latest_charge: Option<String>,
    /// The payment intent's own metadata; the session's is another one.
    pub metadata: BTreeMap<String, String>,
    /// E-mails that it names.
    pub emails: Vec<Found>,
    /// Names of the receiver.
    pub names: Vec<Found>,
}

impl PaymentIntent {
    /// Reads the object of a payment intent event.
    pub fn read(object: &Value) -> Result<Self, UnsupportedShape> {
        let fields = Fields::of(object, "payment_intent")?;
        Ok(Self {
            id: fields.id()?,
            status: fields.text("status")?,
            amount: fields.integer("amount")?,
            amount_received: fields.integer("amount_received")?,
            currency: fields.text("currency")?,
            customer: fields.customer()?,
            invoice: fields.reference("invoice")?,
            latest_charge: latest_charge(&fields)?,
            metadata: fields.metadata()?,
            emails: fields.found(&["receipt_email"]),
            names: fields.found(&["shipping.name"]),
        })
    }
}

/// `charges` lists the newest first. Where it names none, the charge itself still names its payment intent.
fn latest_charge(fields: &Fields<'_>) -> Result<Option<String>, UnsupportedShape> {
    if let Some(charge) = fields.reference("latest_charge")? {
        return Ok(Some(charge));
    }
    let charges = fields.list("charges")?.unwrap_or_default();
    charges.first().map(Fields::id).transpose()
}
