//! `GET /v1/events/{id}`: the envelope of an event and all that was decided of it.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::read::decisions::{Decision, decision_list_of_event};
use store::read::events::event_list_at;

use super::{EventObject, find, not_found};
use crate::auth::Caller;
use crate::error::RouteError;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// The event object with its decisions, the first one first; the last one counts.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "EventWithDecisions")]
pub(crate) struct Shown {
    #[serde(flatten)]
    event: EventObject,
    decisions: Vec<DecisionShown>,
}

/// One decision.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Decision")]
struct DecisionShown {
    revision: i32,
    #[schemars(with = "crate::openapi::words::DecisionOutcome")]
    outcome: &'static str,
    #[schemars(with = "crate::openapi::words::DecisionReason")]
    reason: &'static str,
    payment: Option<String>,
    /// Rank of the evidence that settled whose it is.
    rank: Option<i16>,
    evidence: Option<Value>,
    /// Position of the event that released it.
    cause_position: Option<i64>,
    rules_version: i32,
    catalogue_position: Option<i64>,
    created: Timestamp,
}

/// Answers with the event, by the speaker's id or by position, or 404.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    params: Params,
) -> Result<Json<Shown>, RouteError> {
    params.finish()?;
    let (client, tenant_id) = (state.client().await?, caller.tenant_id);
    let pos = find(&client, tenant_id, &id).await?;
    let event = event_list_at(&client, tenant_id, &[pos]).await?.pop();
    let event = event.ok_or_else(|| not_found(&id))?.into();
    let decisions = decision_list_of_event(&client, tenant_id, pos).await?;
    Ok(Json(Shown { event, decisions: decisions.into_iter().map(DecisionShown::from).collect() }))
}

impl From<Decision> for DecisionShown {
    fn from(decision: Decision) -> Self {
        Self {
            revision: decision.rev,
            outcome: decision.verdict.outcome.name(),
            reason: decision.verdict.reason.name(),
            payment: decision.root_key,
            rank: decision.rank,
            evidence: decision.evidence,
            cause_position: decision.cause_pos,
            rules_version: decision.rules_version,
            catalogue_position: decision.catalogue_version,
            created: decision.decided_at,
        }
    }
}
