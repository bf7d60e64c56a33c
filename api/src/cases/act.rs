//! What the acts of staff on a case have in common.
//!
//! An act is an event whose id holds the case and the version of it that was seen. The log takes an id once, so of two
//! people who act at the same time one wins; the other is told who was faster. The projector gives effect to it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use service::problem::{Code, Problem};
use store::Client;
use store::keys::names;
use store::log::{Appended, Origin, event_get};
use store::read::cases::{Case, Resolution};
use store::read::decisions::decision_first;

use super::require;
use super::show::{CaseObject, show};
use crate::auth::Caller;
use crate::error::{RouteError, invalid};
use crate::facts::{Fact, is_stale};
use crate::state::ApiState;

/// Longest wait for the decision and what follows from it.
const DECIDED_WAIT: Duration = Duration::from_secs(5);

/// Longest reason that a person gives, in characters.
const REASON_MAX_CHARS: usize = 500;

/// Longest id of an act: room for a dozen acts on one version that came to nothing.
const SOURCE_ID_MAX_BYTES: usize = 200;

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

/// Appends the act, waits until it is decided, and returns the case as it is then.
pub(crate) async fn act(
    state: &ApiState,
    caller: &Caller,
    case: &Case,
    event_type: &'static str,
    mut members: Map<String, Value>,
) -> Result<CaseObject, RouteError> {
    members.insert("case".into(), json!(case.id.0));
    members.insert("version".into(), json!(case.version));
    members.insert("actor".into(), json!(caller.key_id));
    let tenant_id = caller.tenant_id;
    let pos = tell(state, tenant_id, case, event_type, &members).await?;
    let verdict = state.decided(tenant_id, pos, DECIDED_WAIT).await?;
    let wait = if verdict.is_some() { DECIDED_WAIT } else { Duration::ZERO };
    let now = state.clock.now();
    let id = case.id.to_string();
    let look = || async { require(&state.client().await?, tenant_id, &id).await };
    let after = state.waiter.until(tenant_id, wait, look, |case| is_at_rest(case, now)).await?;
    let client = state.client().await?;
    if is_stale(verdict) {
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

/// Appends the act on this version of the case, unless somebody else did; where it stands.
///
/// An earlier act on the same version that came to nothing does not stand in the way: the id of the next one holds its
/// position as well.
async fn tell(
    state: &ApiState,
    tenant_id: i32,
    case: &Case,
    event_type: &'static str,
    members: &Map<String, Value>,
) -> Result<i64, RouteError> {
    let routing_key = format!("case:{}", case.id.0);
    let mut source_id = format!("{routing_key}:{}", case.version);
    loop {
        let fact = Fact {
            origin: Origin::Operator,
            event_type,
            source_id: source_id.clone(),
            routing_key: routing_key.clone(),
            members: members.clone(),
        };
        let earlier = match state.tell(tenant_id, fact).await? {
            Appended::Stored(pos) => return Ok(pos),
            Appended::Duplicate(earlier) => earlier,
        };
        let client = state.client().await?;
        if source_id.len() > SOURCE_ID_MAX_BYTES
            || !is_stale(decision_first(&client, tenant_id, earlier).await?)
        {
            return Err(overtaken(&client, tenant_id, earlier).await?.into());
        }
        source_id = format!("{source_id}:{earlier}");
    }
}

/// Refuses a reason that says nothing, or too much.
pub(crate) fn check_reason(reason: &str) -> Result<(), Problem> {
    let fits = !reason.trim().is_empty() && reason.chars().count() <= REASON_MAX_CHARS;
    if fits && !reason.chars().any(|c| c.is_control() && c != '\n') {
        return Ok(());
    }
    let detail =
        format!("Say why, in 1 to {REASON_MAX_CHARS} printable characters: it stays on record.");
    Err(invalid("reason", detail))
}

/// Somebody else acted on the same version first: who, and when.
async fn overtaken(client: &Client, tenant_id: i32, pos: i64) -> Result<Problem, RouteError> {
    let who_and_when = who_and_when(client, tenant_id, pos).await?;
    let (actor, act, at) = who_and_when.unwrap_or_else(nobody);
    let detail = format!("{actor} {act} this case at {at}, before you. Look at it again.");
    Ok(conflict(detail, actor, at, pos))
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
        Some((actor, act, at)) => {
            let detail = format!("The case is closed: {actor} {act} it at {at}.");
            conflict(detail, actor, at, pos)
        }
        None => Problem::new(Code::Conflict)
            .detail(format!(
                "The case is closed: it was {how} at {at}, by the event at position {pos}."
            ))
            .with("position", pos),
    })
}

fn conflict(detail: String, actor: String, at: Timestamp, pos: i64) -> Problem {
    Problem::new(Code::Conflict)
        .detail(detail)
        .with("actor", actor)
        .with("at", at.to_string())
        .with("position", pos)
}

/// Who acted, how and when, if the event at `pos` is a person's act.
async fn who_and_when(
    client: &Client,
    tenant_id: i32,
    pos: i64,
) -> Result<Option<(String, &'static str, Timestamp)>, RouteError> {
    let event = event_get(client, tenant_id, pos).await?;
    let Some(event) = event.filter(|event| event.origin == Origin::Operator) else {
        return Ok(None);
    };
    let body: Value =
        event.body.and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
    let key_id = body.get("actor").and_then(Value::as_str).unwrap_or_default().to_owned();
    let act = match event.event_type.as_str() {
        "tally.case.assigned" => "assigned",
        "tally.case.dismissed" => "dismissed",
        _ => "acted on",
    };
    let name = names(client, tenant_id, std::slice::from_ref(&key_id)).await?.into_iter().next();
    let actor = name.map_or_else(|| key_id.clone(), |(_, name)| format!("{name} ({key_id})"));
    Ok(Some((actor, act, event.received_at)))
}

fn nobody() -> (String, &'static str, Timestamp) {
    ("Somebody".to_owned(), "acted on", Timestamp::UNIX_EPOCH)
}
