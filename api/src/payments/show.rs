//! `GET /v1/payments/{id}`: a payment, by the id of any of its objects.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use ledger::ids::Owner;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::Client;
use store::read::cases::case_list_of_payment;
use store::read::decisions::{Decision, decision_list_of_payment};
use store::read::owners::{OwnerChange, payment_owner_list};
use store::read::payments::{Movement, Payment, payment_movement_list, payment_root_list};

use super::reversals::ReversalsShown;
use super::{PaymentObject, require};
use crate::auth::Caller;
use crate::error::RouteError;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// The payment object with what happened to it.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Payment")]
pub(crate) struct Shown {
    #[serde(flatten)]
    payment: PaymentObject,
    #[serde(flatten)]
    reversals: ReversalsShown,
    /// Every object and name that leads to it.
    aliases: Vec<String>,
    /// Positions of the events that told of it.
    events: Vec<i64>,
    cases: Vec<String>,
    /// Whose it was and is, the first one first.
    owners: Vec<OwnerShown>,
    postings: Vec<PostingShown>,
}

/// Since when it is, or was, somebody's.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "PaymentOwner")]
struct OwnerShown {
    /// Null while it stood unclaimed.
    user: Option<String>,
    since: Timestamp,
    /// Position of the event that led to it.
    position: i64,
    /// Key of the person who decided so; null if evidence did.
    actor: Option<String>,
    /// Why, in that person's words.
    reason: Option<String>,
}

/// One movement because of it.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "PaymentPosting")]
struct PostingShown {
    id: String,
    /// Whose account; null for its own unclaimed one.
    user: Option<String>,
    #[schemars(with = "crate::openapi::words::Contra")]
    contra: &'static str,
    amount: i64,
    balance_after: i64,
    created: Timestamp,
}

/// Answers with the payment, or 404.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    params: Params,
) -> Result<Json<Shown>, RouteError> {
    params.finish()?;
    let (client, tenant_id) = (state.client().await?, caller.tenant_id);
    let payment = require(&client, tenant_id, &id).await?;
    Ok(Json(Shown::read(&client, tenant_id, payment).await?))
}

impl Shown {
    /// The payment with what happened to it.
    pub(super) async fn read(
        client: &Client,
        tenant_id: i32,
        payment: Payment,
    ) -> Result<Self, RouteError> {
        let aliases = names(client, tenant_id, &payment).await?;
        let decisions = decision_list_of_payment(client, tenant_id, &aliases).await?;
        let cases = case_list_of_payment(client, tenant_id, &aliases).await?;
        let owners = payment_owner_list(client, tenant_id, &aliases).await?;
        let movements = payment_movement_list(client, tenant_id, &aliases).await?;
        Ok(Self {
            reversals: ReversalsShown::of(&payment.facts),
            payment: PaymentObject::read(client, tenant_id, payment).await?,
            aliases,
            events: positions(&decisions),
            cases: cases.into_iter().map(|case| case.id.to_string()).collect(),
            owners: owners.into_iter().map(OwnerShown::from).collect(),
            postings: movements.into_iter().map(PostingShown::from).collect(),
        })
    }
}

/// Every object that told of a payment, and every name that it had: decisions and cases keep the name of their time.
pub(crate) async fn names(
    client: &Client,
    tenant_id: i32,
    payment: &Payment,
) -> Result<Vec<String>, RouteError> {
    let told = ["objects", "imports"].map(|member| payment.facts.get(member));
    let told = told.into_iter().flatten().filter_map(Value::as_object);
    let mut names: Vec<String> = told.flat_map(|objects| objects.keys().cloned()).collect();
    names.push(payment.root_key.clone());
    let roots = payment_root_list(client, tenant_id, &names).await?;
    names.extend(roots);
    names.sort();
    names.dedup();
    Ok(names)
}

fn positions(decisions: &[Decision]) -> Vec<i64> {
    let mut positions: Vec<i64> = decisions.iter().map(|decision| decision.pos).collect();
    positions.dedup();
    positions
}

/// The user that an account belongs to; none for an unclaimed one.
fn user_of(owner: Owner) -> Option<String> {
    match owner {
        Owner::User(user) => Some(user),
        Owner::Unclaimed(_) => None,
    }
}

impl From<OwnerChange> for OwnerShown {
    fn from(change: OwnerChange) -> Self {
        let text =
            |member: &str| change.said.get(member).and_then(Value::as_str).map(str::to_owned);
        Self {
            since: change.since,
            position: change.pos,
            actor: text("actor"),
            reason: text("reason"),
            user: user_of(change.owner),
        }
    }
}

impl From<Movement> for PostingShown {
    fn from(movement: Movement) -> Self {
        Self {
            id: movement.id.to_string(),
            user: user_of(movement.owner),
            contra: movement.contra.name(),
            amount: movement.amount,
            balance_after: movement.balance_after,
            created: movement.recorded_at,
        }
    }
}
