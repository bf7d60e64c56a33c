//! `GET /v1/payments/{id}`: a payment, by the id of any of its objects.

use axum::Json;
use axum::extract::State;
use ledger::ids::Owner;
use serde::Serialize;
use service::problem::{Code, Problem};
use store::Client;
use store::read::cases::case_list_of_payment;
use store::read::decisions::{Decision, decision_list_of_payment};
use store::read::payments::{
    Movement, Payment, payment_get, payment_movement_list, payment_root_list,
};

use super::PaymentObject;
use crate::auth::Caller;
use crate::error::RouteError;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// The payment object with what happened to it.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    #[serde(flatten)]
    payment: PaymentObject,
    /// Every object and name that leads to it.
    aliases: Vec<String>,
    /// Positions of the events that told of it.
    events: Vec<i64>,
    cases: Vec<String>,
    postings: Vec<PostingShown>,
}

/// One movement because of it.
#[derive(Debug, Serialize)]
struct PostingShown {
    id: String,
    /// Whose account; null for its own unclaimed one.
    user: Option<String>,
    contra: &'static str,
    amount: i64,
    balance_after: i64,
    created: jiff::Timestamp,
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
    let Some(payment) = payment_get(&client, tenant_id, &id).await? else {
        let detail = format!("There is no payment with an object {id}.");
        return Err(Problem::new(Code::PaymentNotFound).param("id").detail(detail).into());
    };
    let aliases = names(&client, tenant_id, &payment).await?;
    let decisions = decision_list_of_payment(&client, tenant_id, &aliases).await?;
    let cases = case_list_of_payment(&client, tenant_id, &aliases).await?;
    let movements = payment_movement_list(&client, tenant_id, &aliases).await?;
    Ok(Json(Shown {
        payment: PaymentObject::read(&client, tenant_id, payment).await?,
        aliases,
        events: positions(&decisions),
        cases: cases.into_iter().map(|case| case.id.to_string()).collect(),
        postings: movements.into_iter().map(PostingShown::from).collect(),
    }))
}

/// Every object that told of a payment, and every name that it had: decisions and cases keep the name of their time.
pub(crate) async fn names(
    client: &Client,
    tenant_id: i32,
    payment: &Payment,
) -> Result<Vec<String>, RouteError> {
    let objects = payment.facts.get("objects").and_then(serde_json::Value::as_object);
    let mut names: Vec<String> =
        objects.into_iter().flat_map(|objects| objects.keys().cloned()).collect();
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

impl From<Movement> for PostingShown {
    fn from(movement: Movement) -> Self {
        Self {
            id: movement.id.to_string(),
            user: match movement.owner {
                Owner::User(user) => Some(user),
                Owner::Unclaimed(_) => None,
            },
            contra: movement.contra.name(),
            amount: movement.amount,
            balance_after: movement.balance_after,
            created: movement.recorded_at,
        }
    }
}
