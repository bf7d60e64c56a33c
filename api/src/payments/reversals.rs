//! What went back of a payment's money, by refund and by dispute, in the words of its facts.

use jiff::Timestamp;
use rules::reversal::{Dispute, Figure, Refund, RefundState, Reversals};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// A refund.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Refund")]
pub(super) struct RefundObject {
    id: String,
    /// In the currency's minor unit.
    amount: i64,
    /// `given` (the money is back, or on its way) or `failed` (it stayed).
    #[schemars(with = "crate::openapi::words::RefundStatus")]
    state: &'static str,
    /// When Stripe first told of it.
    created: Option<Timestamp>,
    /// When Stripe first told that it failed.
    failed: Option<Timestamp>,
}

/// A dispute.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Dispute")]
pub(super) struct DisputeObject {
    id: String,
    /// What moved last, in the currency's minor unit; null if no money moved.
    amount: Option<i64>,
    /// `inquiry` (no money moved), `withdrawn` (the money is gone) or `reinstated` (it came back).
    #[schemars(with = "crate::openapi::words::DisputeStatus")]
    state: &'static str,
    /// The newest status in Stripe's words.
    status: Option<String>,
    /// Whether it is still to be decided.
    open: bool,
    /// When its money moved last.
    moved: Option<Timestamp>,
}

/// What a charge says was refunded of it, all together: it counts where it says more than the refunds that are known.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "RefundedOfCharge")]
pub(super) struct RefundedObject {
    charge: String,
    /// In the currency's minor unit.
    amount: i64,
    as_of: Option<Timestamp>,
}

/// Everything that went back.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "PaymentReversals")]
pub(super) struct ReversalsShown {
    refunds: Vec<RefundObject>,
    refunded: Vec<RefundedObject>,
    disputes: Vec<DisputeObject>,
}

impl ReversalsShown {
    /// Of a payment's facts; nothing where they cannot be read.
    pub(super) fn of(facts: &Value) -> Self {
        let told = facts.get("reversals").cloned().unwrap_or_default();
        let Reversals { refunds, figures, disputes } =
            serde_json::from_value(told).unwrap_or_default();
        Self {
            refunds: refunds.into_iter().map(refund).collect(),
            refunded: figures.into_iter().map(refunded).collect(),
            disputes: disputes.into_iter().map(dispute).collect(),
        }
    }
}

fn refund((id, refund): (String, Refund)) -> RefundObject {
    let state = match refund.state {
        RefundState::Given => "given",
        RefundState::Failed => "failed",
    };
    let (created, failed) = (at(refund.given_at), refund.failed_at.and_then(at));
    RefundObject { id, amount: refund.amount, state, created, failed }
}

fn refunded((charge, figure): (String, Figure)) -> RefundedObject {
    RefundedObject { charge, amount: figure.amount, as_of: at(figure.said_at) }
}

fn dispute((id, dispute): (String, Dispute)) -> DisputeObject {
    let open = dispute.is_open();
    let state = match dispute.movement {
        None => "inquiry",
        Some(movement) if movement.reinstated => "reinstated",
        Some(_) => "withdrawn",
    };
    DisputeObject {
        id,
        amount: dispute.movement.map(|movement| movement.amount),
        state,
        status: dispute.status.map(|(_, status)| status),
        open,
        moved: dispute.movement.and_then(|movement| at(movement.said_at)),
    }
}

/// Stripe's seconds; none where they are no time at all.
fn at(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds).ok()
}
