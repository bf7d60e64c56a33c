//! A charge: one movement of money. Before payment intents it was the purchase itself.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::Fields;
use super::{Found, Refund, UnsupportedShape};

/// What its `object` field says.
const KIND: &str = "charge";

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
    /// The refunds, if they are all inline; they are no more since 2022-11-15, unless they were expanded. Those of 2013
    /// have no ids, by which alone one can be told from another: then there are none, and the cumulative figure counts.
    pub refunds: Option<Vec<Refund>>,
    /// Whether it was ever disputed; older charges do not say.
    pub disputed: Option<bool>,
    /// The dispute, where the charge names it.
    pub dispute: Option<String>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
    /// Customer, or customer account.
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
    /// Reads a charge.
    pub fn read(object: &Value) -> Result<Self, UnsupportedShape> {
        Self::of(&Fields::of(object, KIND)?)
    }

    /// Reads a charge that stands in another object.
    pub(super) fn of(fields: &Fields<'_>) -> Result<Self, UnsupportedShape> {
        fields.must_be(KIND)?;
        Ok(Self {
            id: fields.id()?,
            status: fields.text("status")?,
            paid: fields.flag("paid")?,
            captured: fields.flag("captured")?,
            amount: fields.integer("amount")?,
            amount_captured: fields.integer("amount_captured")?,
            amount_refunded: fields.integer("amount_refunded")?,
            refunds: refunds(fields)?,
            disputed: fields.flag("disputed")?,
            // A hint only, which old charges expand without an id: their disputes had none.
            dispute: fields.reference("dispute").ok().flatten(),
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

fn refunds(charge: &Fields<'_>) -> Result<Option<Vec<Refund>>, UnsupportedShape> {
    let read = |refund: &Fields<'_>| {
        let is_known = refund.has("id");
        is_known.then(|| Refund::of(refund)).transpose()
    };
    Ok(charge.list("refunds", read)?.and_then(|refunds| refunds.into_iter().collect()))
}
