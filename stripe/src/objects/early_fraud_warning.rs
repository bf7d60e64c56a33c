//! A card issuer's warning that a charge may be fraud: no money moves, but a dispute is likely to follow.

use serde_json::Value;

use super::UnsupportedShape;
use super::fields::Fields;

/// What we read of an early fraud warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlyFraudWarning {
    /// `issfr_…`.
    pub id: String,
    /// Charge that is meant.
    pub charge: Option<String>,
    /// Payment intent of that charge; older warnings do not say.
    pub payment_intent: Option<String>,
    /// Whether a refund would still prevent a dispute: not if it was refunded or disputed already.
    pub actionable: Option<bool>,
    /// `made_with_stolen_card`, `unauthorized_use_of_card`, `misc` and others.
    pub fraud_type: Option<String>,
}

impl EarlyFraudWarning {
    /// Reads an early fraud warning.
    pub fn read(object: &Value) -> Result<Self, UnsupportedShape> {
        let fields = Fields::of(object, "radar.early_fraud_warning")?;
        Ok(Self {
            id: fields.id()?,
            charge: fields.reference("charge")?,
            payment_intent: fields.reference("payment_intent")?,
            actionable: fields.flag("actionable")?,
            fraud_type: fields.text("fraud_type")?,
        })
    }
}
