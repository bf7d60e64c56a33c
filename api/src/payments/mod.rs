//! Payments: the roots on which all of Stripe's objects of one purchase converge.

use ledger::ids::Owner;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use service::problem::{Code, Problem};
use store::Client;
use store::read::payments::{Leg, Payment, payment_get, payment_leg_list};

use crate::error::RouteError;

pub(crate) mod import;
pub(crate) mod reassign;
mod reversals;
pub(crate) mod show;

/// The payment that any of its objects leads to, or 404.
async fn require(client: &Client, tenant_id: i32, id: &str) -> Result<Payment, RouteError> {
    let payment = payment_get(client, tenant_id, id).await?;
    let not_found = || {
        let detail = format!("There is no payment with an object {id}.");
        Problem::new(Code::PaymentNotFound).param("id").detail(detail)
    };
    Ok(payment.ok_or_else(not_found)?)
}

/// The payment object.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "PaymentSoFar")]
pub(crate) struct PaymentObject {
    #[schemars(extend("const" = "payment"))]
    object: &'static str,
    id: String,
    #[schemars(with = "crate::openapi::words::PaymentStatus")]
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
    lines: Vec<LineObject>,
    /// Everything that was said of it, joined.
    facts: Value,
    /// Counts up with each change of whose it is.
    version: i64,
    /// Position of the first event that told of it.
    position: i64,
}

/// One line of a payment, its legs together. Credits, in the unit's smallest part.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "PaymentLine")]
struct LineObject {
    line: String,
    unit: String,
    /// What it is worth once it is paid.
    expected: i64,
    /// What is due of it now.
    target: i64,
    /// What is posted of it.
    posted: i64,
    legs: Vec<LegObject>,
}

/// One leg of a line: what was bought, or what refunds or disputes took back of it.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "PaymentLeg")]
struct LegObject {
    #[schemars(with = "crate::openapi::words::LegKind")]
    leg: &'static str,
    target: i64,
    posted: i64,
    /// What of a clawback was written off.
    forgiven: i64,
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
            lines: lines(legs),
            facts: payment.facts,
            version: payment.version,
            position: payment.first_pos,
        })
    }
}

/// The lines that legs are of, in their order. A line may have had another unit before.
fn lines(legs: Vec<Leg>) -> Vec<LineObject> {
    let mut lines: Vec<LineObject> = Vec::new();
    for leg in legs {
        let Leg { line, leg, unit, expected, target, posted, forgiven } = leg;
        let leg = LegObject { leg, target, posted, forgiven };
        match lines.iter_mut().find(|known| known.line == line && known.unit == unit) {
            Some(known) => {
                known.expected = known.expected.saturating_add(expected);
                known.target = known.target.saturating_add(target);
                known.posted = known.posted.saturating_add(posted);
                known.legs.push(leg);
            }
            None => {
                lines.push(LineObject { line, unit, expected, target, posted, legs: vec![leg] });
            }
        }
    }
    lines
}
