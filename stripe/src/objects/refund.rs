//! A refund: money given back of one charge. `refund.*` and `charge.refund.updated` both carry it, the latter not a
//! charge as its name has it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::UnsupportedShape;
use super::fields::Fields;

/// What its `object` field says.
const KIND: &str = "refund";

/// What we read of a refund. It names no user and no customer: those stand in what it gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// `re_…` (`pyr_…` for some payment methods).
    pub id: String,
    /// `succeeded`, `pending`, `requires_action`, `failed` or `canceled`; before 2019 refunds do not say. One that
    /// succeeded may fail later.
    pub status: Option<String>,
    /// What is given back, in the currency's minor unit.
    pub amount: Option<i64>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
    /// Charge whose money it gives back.
    pub charge: Option<String>,
    /// Payment intent of that charge.
    pub payment_intent: Option<String>,
    /// Why it failed, if it did.
    pub failure_reason: Option<String>,
    /// When it was made, in seconds since 1970.
    pub created: Option<i64>,
    /// The refund's own metadata.
    pub metadata: BTreeMap<String, String>,
}

impl Refund {
    /// Reads a refund.
    pub fn read(object: &Value) -> Result<Self, UnsupportedShape> {
        Self::of(&Fields::of(object, KIND)?)
    }

    /// Reads a refund that stands in another object.
    pub(super) fn of(fields: &Fields<'_>) -> Result<Self, UnsupportedShape> {
        fields.must_be(KIND)?;
        Ok(Self {
            id: fields.id()?,
            status: fields.text("status")?,
            amount: fields.integer("amount")?,
            currency: fields.text("currency")?,
            charge: fields.reference("charge")?,
            payment_intent: fields.reference("payment_intent")?,
            failure_reason: fields.text("failure_reason")?,
            created: fields.integer("created")?,
            metadata: fields.metadata()?,
        })
    }
}
