//! A credit note: corrects an invoice. Money that it gives back moves as a refund, which tells of itself.

use serde_json::Value;

use super::UnsupportedShape;
use super::fields::Fields;

/// What we read of a credit note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditNote {
    /// `cn_…`.
    pub id: String,
    /// `issued` or `void`.
    pub status: Option<String>,
    /// Invoice that it corrects.
    pub invoice: Option<String>,
    /// Refunds that it gives money back by: one `refund`, since Basil (2025-03-31) several `refunds`.
    pub refunds: Vec<String>,
    /// What is credited, with tax, in the currency's minor unit.
    pub amount: Option<i64>,
    /// The same, less what was discounted.
    pub total: Option<i64>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
    /// Customer, or customer account.
    pub customer: Option<String>,
    /// `pre_payment` (less is to be paid), `post_payment` (paid money goes back) or `mixed`.
    pub kind: Option<String>,
    /// `duplicate`, `fraudulent`, `order_change` or `product_unsatisfactory`.
    pub reason: Option<String>,
}

impl CreditNote {
    /// Reads a credit note.
    pub fn read(object: &Value) -> Result<Self, UnsupportedShape> {
        let fields = Fields::of(object, "credit_note")?;
        Ok(Self {
            id: fields.id()?,
            status: fields.text("status")?,
            invoice: fields.reference("invoice")?,
            refunds: refunds(&fields)?,
            amount: fields.integer("amount")?,
            total: fields.integer("total")?,
            currency: fields.text("currency")?,
            customer: fields.customer()?,
            kind: fields.text("type")?,
            reason: fields.text("reason")?,
        })
    }
}

/// A refund that was made outside Stripe is null among the newer ones.
fn refunds(note: &Fields<'_>) -> Result<Vec<String>, UnsupportedShape> {
    let newer = note.list("refunds", |refund| refund.reference("refund"))?.unwrap_or_default();
    Ok(note.reference("refund")?.into_iter().chain(newer.into_iter().flatten()).collect())
}
