//! What ties an invoice to one payment of it, since Basil (2025-03-31). Before, the invoice itself names its payment
//! intent and its charge.

use serde_json::Value;

use super::UnsupportedShape;
use super::fields::Fields;

/// What its `object` field says.
const KIND: &str = "invoice_payment";

/// What we read of an invoice payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoicePayment {
    /// `inpay_…`.
    pub id: String,
    /// `open`, `paid` or `canceled`.
    pub status: Option<String>,
    /// Invoice that it pays.
    pub invoice: Option<String>,
    /// Payment intent that it is paid by; a payment record, which is money from outside, is none.
    pub payment_intent: Option<String>,
    /// Charge that it is paid by, where there is no payment intent.
    pub charge: Option<String>,
    /// What was paid of the invoice, in the currency's minor unit.
    pub amount_paid: Option<i64>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
}

impl InvoicePayment {
    /// Reads an invoice payment.
    pub fn read(object: &Value) -> Result<Self, UnsupportedShape> {
        Self::of(&Fields::of(object, KIND)?)
    }

    /// Reads an invoice payment that stands in another object.
    pub(super) fn of(fields: &Fields<'_>) -> Result<Self, UnsupportedShape> {
        fields.must_be(KIND)?;
        let (payment_intent, charge) = match fields.object("payment")? {
            Some(payment) => (payment.reference("payment_intent")?, payment.reference("charge")?),
            None => (None, None),
        };
        Ok(Self {
            id: fields.id()?,
            status: fields.text("status")?,
            invoice: fields.reference("invoice")?,
            payment_intent,
            charge,
            amount_paid: fields.integer("amount_paid")?,
            currency: fields.text("currency")?,
        })
    }
}
