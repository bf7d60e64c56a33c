//! What the acts of staff on a case have in common: each names the version of the case that was seen ([`crate::acts`]).

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use service::problem::{Code, Problem};
use store::Client;
use store::read::cases::{Case, Resolution};

use super::require;
use super::show::{CaseObject, show};
use crate::acts::{Act, Actor, DECIDED_WAIT, tell, took_effect, who_and_when};
use crate::auth::Caller;
use crate::error::RouteError;
use crate::state::ApiState;

/// The case that is acted on: open, and of the version that the caller saw.
pub(crate) async fn open_case(
    client: &Client,
    caller: &Caller,
    id: &str,
    version: Option<i32>,
) -> Result<Case, RouteError> {
    let case = require(client, caller.tenant_id, id).await?;
    if let Some(resolution) = case.resolution {
        return Err(closed(client, caller.tenant_id, &case, resolution).await?.into());
    }
    if version.is_some_and(|version| version != case.version) {
        let seen = version.unwrap_or_default();
        let now = case.version;
        let detail =
            format!("The case has changed: it is version {now} now, you saw version {seen}.");
        return Err(Problem::new(Code::Conflict).param("version").detail(detail).into());
    }
    Ok(case)
}

/// Appends the act, waits until it is decided, and returns the case as it is then. Refused is an act that came too late,
/// or that the projector did not, or could not, decide.
pub(crate) async fn act(
    state: &ApiState,
    caller: &Caller,
    case: &Case,
    event_type: &'static str,
    mut members: Map<String, Value>,
) -> Result<CaseObject, RouteError> {
    members.insert("case".into(), json!(case.id.0));
    members.insert("version".into(), json!(case.version));
    members.insert("actor".into(), json!(caller.actor()));
    let tenant_id = caller.tenant_id;
    let act = Act {
        thing: "case",
        id: case.id.0.to_string(),
        version: case.version.into(),
        routing_key: format!("case:{}", case.id.0),
        event_type,
        members,
    };
    let pos = tell(state, tenant_id, act).await?;
    let took_effect = took_effect(state, tenant_id, pos).await?;
    let now = state.clock.now();
    let id = case.id.to_string();
    let look = || async { require(&state.client().await?, tenant_id, &id).await };
    let is_at_rest = |case: &Case| is_at_rest(case, now);
    let after = state.waiter.until(tenant_id, DECIDED_WAIT, look, is_at_rest).await?;
    let client = state.client().await?;
    if !took_effect {
        let detail = match after.resolution {
            Some(resolution) => {
                return Err(closed(&client, tenant_id, &after, resolution).await?.into());
            }
            None => "The case changed while you acted on it. Look at it again.",
        };
        return Err(Problem::new(Code::Conflict).detail(detail).into());
    }
    show(&client, tenant_id, &after).await
}

/// Whether what was set off has come to an end: a case that is due is about to be decided anew.
fn is_at_rest(case: &Case, now: Timestamp) -> bool {
    case.resolution.is_some() || case.due.is_none_or(|due| due > now)
}

/// The case is closed: how, by whom, and when.
async fn closed(
    client: &Client,
    tenant_id: i32,
    case: &Case,
    resolution: Resolution,
) -> Result<Problem, RouteError> {
    let at = case.closed_at.unwrap_or(case.opened_at);
    let pos = case.closed_pos.unwrap_or(case.pos);
    let by = match case.closed_pos {
        Some(pos) => who_and_when(client, tenant_id, pos).await?,
        None => None,
    };
    let how = resolution.name();
    Ok(match by {
        Some(by) => {
            let Actor { name, verb, at, .. } = &by;
            let detail = format!("The case is closed: {name} {verb} it at {at}.");
            by.conflict(detail)
        }
        None => Problem::new(Code::Conflict)
            .detail(format!(
                "The case is closed: it was {how} at {at}, by the event at position {pos}."
            ))
            .with("position", pos),
    })
}
