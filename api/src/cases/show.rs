//! `GET /v1/cases/{id}`: everything that a person needs to decide: why it waits and for what, the evidence with its rank,
//! the candidates with why, the payment so far, and the bytes that opened it.

use axum::Json;
use axum::extract::State;
use rules::world::{Candidate, RankedEvidence};
use schemars::JsonSchema;
use serde::Serialize;
use store::Client;
use store::log::event_get;
use store::read::cases::{Case, case_event_list, case_wait_list};
use store::read::payments::payment_get;

use super::{Summary, detail, require, summary};
use crate::auth::Caller;
use crate::error::RouteError;
use crate::events::Payload;
use crate::params::Params;
use crate::path::Id;
use crate::payments::PaymentObject;
use crate::state::ApiState;

/// The case object.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Case")]
pub(crate) struct CaseObject {
    #[serde(flatten)]
    summary: Summary,
    /// What does not fit, or what failed.
    error: Option<String>,
    #[schemars(with = "Vec<crate::openapi::shapes::Evidence>")]
    evidence: Vec<RankedEvidence>,
    #[schemars(with = "Vec<crate::openapi::shapes::Candidate>")]
    candidates: Vec<Candidate>,
    /// Positions of the events that hang on it.
    events: Vec<i64>,
    payment_so_far: Option<PaymentObject>,
    /// The bytes of the event that opened it; null after erasure.
    payload: Option<Payload>,
}

/// Answers with the case object, or 404.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    params: Params,
) -> Result<Json<CaseObject>, RouteError> {
    params.finish()?;
    let client = state.client().await?;
    let case = require(&client, caller.tenant_id, &id).await?;
    Ok(Json(show(&client, caller.tenant_id, &case).await?))
}

/// The case object of `case`.
pub(crate) async fn show(
    client: &Client,
    tenant_id: i32,
    case: &Case,
) -> Result<CaseObject, RouteError> {
    let waits = case_wait_list(client, tenant_id, &[case.id.0]).await?;
    let events = case_event_list(client, tenant_id, case.id).await?;
    let payment = match &case.root_key {
        Some(root_key) => payment_get(client, tenant_id, root_key).await?,
        None => None,
    };
    let payment_so_far = match payment {
        Some(payment) => Some(PaymentObject::read(client, tenant_id, payment).await?),
        None => None,
    };
    let event = event_get(client, tenant_id, case.pos).await?;
    let detail = detail(case);
    Ok(CaseObject {
        summary: summary(case, &detail, waits.into_iter().map(|(_, key)| key).collect()),
        error: detail.error,
        evidence: detail.evidence,
        candidates: detail.candidates,
        events,
        payment_so_far,
        payload: event.as_ref().and_then(Payload::of),
    })
}
