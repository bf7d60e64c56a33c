//! A payment intent: the root on which the objects of one purchase converge.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::Fields;
use super::{Charge, Found, UnsupportedShape};

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
    /// The charges that stand in it, paid or failed: before 2022-11-15 all of them, later the latest if it was expanded.
    pub charges: Vec<Charge>,
    /// The payment intent's own metadata; the session's is another one.
    pub metadata: BTreeMap<String, String>,
    /// E-mails that it names.
    pub emails: Vec<Found>,
    /// Names of the receiver.
    pub names: Vec<Found>,
}

impl PaymentIntent {
    /// Reads a payment intent.
    pub fn read(object: &Value) -> Result<Self, UnsupportedShape> {
        let fields = Fields::of(object, "payment_intent")?;
        let charges = charges(&fields)?;
        // `charges` lists the newest first. Where it names none, the charge itself still names its payment intent.
        let newest = charges.first().map(|charge| charge.id.clone());
        Ok(Self {
            id: fields.id()?,
            status: fields.text("status")?,
            amount: fields.integer("amount")?,
            amount_received: fields.integer("amount_received")?,
            currency: fields.text("currency")?,
            customer: fields.customer()?,
            invoice: fields.reference("invoice")?,
            latest_charge: fields.reference("latest_charge")?.or(newest),
            charges,
            metadata: fields.metadata()?,
            emails: fields.found(&["receipt_email"]),
            names: fields.found(&["shipping.name"]),
        })
    }
}

fn charges(intent: &Fields<'_>) -> Result<Vec<Charge>, UnsupportedShape> {
    if let Some(latest) = intent.expanded("latest_charge") {
        return Ok(vec![Charge::of(&latest)?]);
    }
    Ok(intent.list("charges", Charge::of)?.unwrap_or_default())
}
