//! Payments: the roots on which all of Stripe's objects of one purchase converge.

use ledger::ids::Owner;
use serde::Serialize;
use serde_json::Value;
use store::Client;
use store::read::payments::{Leg, Payment, payment_leg_list};

use crate::error::RouteError;

pub(crate) mod show;

/// The payment object.
#[derive(Debug, Serialize)]
pub(crate) struct PaymentObject {
    object: &'static str,
    id: String,
    status: &'static str,
    /// Money paid, in the currency's minor unit.
    paid: Option<i64>,
    currency: Option<String>,
    /// Whose the credits are; null while they are nobody's.
    user: Option<String>,
    /// The one user whom all evidence names, while it is pending or in review.
    claimant: Option<String>,
    /// Whether its credits stand on its own unclaimed account.
    unclaimed: bool,
    lines: Vec<LegObject>,
    /// Everything that was said of it, joined.
    facts: Value,
    version: i64,
    /// Position of the first event that told of it.
    position: i64,
}

/// One line and leg of a payment.
#[derive(Debug, Serialize)]
struct LegObject {
    line: String,
    leg: &'static str,
    unit: String,
    expected: i64,
    target: i64,
    posted: i64,
}

impl PaymentObject {
    /// The payment with its lines.
    pub(crate) async fn read(
        client: &Client,
        tenant_id: i32,
        payment: Payment,
    ) -> Result<Self, RouteError> {
        let legs = payment_leg_list(client, tenant_id, &payment.root_key).await?;
        let (user, unclaimed) = match payment.owner {
            Some(Owner::User(user)) => (Some(user), false),
            Some(Owner::Unclaimed(_)) => (None, true),
            None => (None, false),
        };
        Ok(Self {
            object: "payment",
            id: payment.root_key,
            status: payment.status.name(),
            paid: payment.paid,
            currency: payment.currency,
            user,
            claimant: payment.claimant,
            unclaimed,
            lines: legs.into_iter().map(LegObject::from).collect(),
            facts: payment.facts,
            version: payment.version,
            position: payment.first_pos,
        })
    }
}

impl From<Leg> for LegObject {
    fn from(leg: Leg) -> Self {
        Self {
            line: leg.line,
            leg: leg.leg,
            unit: leg.unit,
            expected: leg.expected,
            target: leg.target,
            posted: leg.posted,
        }
    }
}
