//! `POST /v1/payments/{id}/reassign`: a person moves a payment that is credited to the wrong user, or was written off, to
//! the right one.

use axum::Json;
use axum::extract::State;
use ledger::ids::Owner;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};
use service::problem::{Code, Problem};
use store::Client;
use store::read::cases::case_list_of_payment;
use store::read::owners::payment_owner_list;
use store::read::payments::{Payment, payment_leg_list};
use store::read::users::user_get_decided;

use super::require;
use super::show::{Shown, names};
use crate::acts::{Act, Actor, check_reason, tell, took_effect, who_and_when};
use crate::auth::Caller;
use crate::body::Body;
use crate::error::RouteError;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;
use crate::users::not_found;

/// Whose it really is, and why.
#[derive(Debug, JsonSchema, Deserialize)]
#[schemars(rename = "PaymentReassign")]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    #[schemars(with = "crate::openapi::texts::UserId")]
    user: String,
    #[schemars(with = "crate::openapi::texts::ReasonText")]
    reason: String,
    /// Version of the payment that was looked at; the newest one if left out.
    version: Option<i64>,
}

/// Answers with the payment as it is after the act: 409 if somebody else was faster.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    params: Params,
    Body(request): Body<Request>,
) -> Result<Json<Shown>, RouteError> {
    params.finish()?;
    check_reason(&request.reason)?;
    let tenant_id = caller.tenant_id;
    let client = state.client().await?;
    let payment = require(&client, tenant_id, &id).await?;
    if request.version.is_some_and(|version| version != payment.version) {
        return Err(changed(&client, tenant_id, &payment).await?.param("version").into());
    }
    check(&client, tenant_id, &payment, &request.user).await?;
    drop(client);
    let members = Map::from_iter([
        ("payment".to_owned(), json!(payment.root_key)),
        ("version".to_owned(), json!(payment.version)),
        ("user".to_owned(), json!(request.user)),
        ("reason".to_owned(), json!(request.reason)),
        ("actor".to_owned(), json!(caller.actor())),
    ]);
    let act = Act {
        thing: "payment",
        id: payment.root_key.clone(),
        version: payment.version,
        routing_key: payment.root_key,
        event_type: "tally.payment.reassigned",
        members,
    };
    let pos = tell(&state, tenant_id, act).await?;
    let took_effect = took_effect(&state, tenant_id, pos).await?;
    let client = state.client().await?;
    let after = require(&client, tenant_id, &id).await?;
    if !took_effect {
        return Err(changed(&client, tenant_id, &after).await?.into());
    }
    Ok(Json(Shown::read(&client, tenant_id, after).await?))
}

/// Refuses what cannot be moved, and whom it cannot be moved to.
async fn check(
    client: &Client,
    tenant_id: i32,
    payment: &Payment,
    user: &str,
) -> Result<(), RouteError> {
    let conflict = |detail: String| Problem::new(Code::Conflict).detail(detail);
    let names = names(client, tenant_id, payment).await?;
    let cases = case_list_of_payment(client, tenant_id, &names).await?;
    if let Some(case) = cases.into_iter().find(|case| case.resolution.is_none()) {
        let id = case.id.to_string();
        let detail = format!("The payment is in review: assign its case {id} instead.");
        return Err(conflict(detail).with("case", id).into());
    }
    match &payment.owner {
        Some(Owner::User(owner)) if owner == user => {
            let detail = format!("The payment is user {user}'s already.");
            return Err(conflict(detail).param("user").into());
        }
        Some(Owner::User(_)) => {}
        None if is_posted(client, tenant_id, payment).await? => {}
        Some(Owner::Unclaimed(_)) | None => {
            let detail =
                "Nothing of this payment is credited or written off, so there is nothing to move.";
            return Err(conflict(detail.to_owned()).into());
        }
    }
    if user_get_decided(client, tenant_id, user).await?.is_none() {
        return Err(not_found(user).into());
    }
    Ok(())
}

/// Whether anything is posted of a payment: if nobody owns it, it was written off.
async fn is_posted(client: &Client, tenant_id: i32, payment: &Payment) -> Result<bool, RouteError> {
    let legs = payment_leg_list(client, tenant_id, &payment.root_key).await?;
    Ok(legs.iter().any(|leg| leg.posted > 0))
}

/// The payment is not as it was seen: who changed it last, if a person did.
async fn changed(
    client: &Client,
    tenant_id: i32,
    payment: &Payment,
) -> Result<Problem, RouteError> {
    let names = names(client, tenant_id, payment).await?;
    let last = payment_owner_list(client, tenant_id, &names).await?.pop();
    let by = match last {
        Some(last) => who_and_when(client, tenant_id, last.pos).await?,
        None => None,
    };
    if let Some(by) = by {
        let Actor { name, verb, at, .. } = &by;
        let detail =
            format!("The payment has changed: {name} {verb} it at {at}. Look at it again.");
        return Ok(by.conflict(detail));
    }
    let now = payment.version;
    let detail = format!("The payment has changed: it is version {now} now. Look at it again.");
    Ok(Problem::new(Code::Conflict).detail(detail))
}
