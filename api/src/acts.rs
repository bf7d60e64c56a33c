//! Acts of people, told as facts.
//!
//! The id of an act holds what it acts on and the version of that which was seen. The log takes an id once, so of two
//! people who act at the same time one wins; the other is told who was faster. The projector gives effect to it.

use std::time::Duration;

use jiff::Timestamp;
use ledger::decision::Reason;
use serde_json::{Map, Value};
use service::problem::{Code, Problem};
use store::Client;
use store::keys::names;
use store::log::{Appended, Origin, event_get};
use store::read::decisions::decision_first;

use crate::error::{RouteError, invalid};
use crate::facts::Fact;
use crate::state::ApiState;

/// Longest wait for the decision and what follows from it.
pub(crate) const DECIDED_WAIT: Duration = Duration::from_secs(5);

/// Longest reason that a person gives, in characters.
pub(crate) const REASON_MAX_CHARS: usize = 500;

/// How much longer the id of an act may become: room for a dozen acts on one version that came to nothing.
const RETRIES_MAX_BYTES: usize = 150;

/// An act that is to be told.
#[derive(Debug)]
pub(crate) struct Act {
    /// What it acts on, in a word, such as `case`: its id begins so.
    pub(crate) thing: &'static str,
    /// Which one.
    pub(crate) id: String,
    /// The version of it that was seen.
    pub(crate) version: i64,
    /// What decides the lane.
    pub(crate) routing_key: String,
    /// Its type, `tally.…`.
    pub(crate) event_type: &'static str,
    /// Everything that its body says.
    pub(crate) members: Map<String, Value>,
}

/// Who acted, how and when.
pub(crate) struct Actor {
    /// Name and id of the key.
    pub(crate) name: String,
    /// What was done, such as `assigned`.
    pub(crate) verb: &'static str,
    /// When.
    pub(crate) at: Timestamp,
    /// Position of the act.
    pub(crate) pos: i64,
}

/// Appends the act on this version, unless somebody else did; where it stands.
///
/// An earlier act on the same version that came to nothing does not stand in the way: the id of the next one holds its
/// position as well.
pub(crate) async fn tell(state: &ApiState, tenant_id: i32, act: Act) -> Result<i64, RouteError> {
    let first_id = format!("{}:{}:{}", act.thing, act.id, act.version);
    let mut source_id = first_id.clone();
    loop {
        let fact = Fact {
            origin: Origin::Operator,
            event_type: act.event_type,
            source_id: source_id.clone(),
            routing_key: act.routing_key.clone(),
            members: act.members.clone(),
        };
        let earlier = match state.tell(tenant_id, fact).await? {
            Appended::Stored(pos) => return Ok(pos),
            Appended::Duplicate(earlier) => earlier,
        };
        let client = state.client().await?;
        let is_full = source_id.len().saturating_sub(first_id.len()) > RETRIES_MAX_BYTES;
        let verdict = decision_first(&client, tenant_id, earlier).await?;
        let came_to_nothing = verdict.is_some_and(|verdict| verdict.reason != Reason::Operated);
        if is_full || !came_to_nothing {
            return Err(overtaken(&client, tenant_id, act.thing, earlier).await?.into());
        }
        source_id = format!("{source_id}:{earlier}");
    }
}

/// Waits until the act at this position is decided. Whether it took effect: if it did not, what it acts on had changed.
///
/// Refuses to answer for an act that is not decided in time, or that the projector cannot decide.
pub(crate) async fn took_effect(
    state: &ApiState,
    tenant_id: i32,
    pos: i64,
) -> Result<bool, RouteError> {
    let refused =
        |code, detail: String| Err(Problem::new(code).detail(detail).with("position", pos).into());
    match state.decided(tenant_id, pos, DECIDED_WAIT).await?.map(|verdict| verdict.reason) {
        Some(Reason::Operated) => Ok(true),
        Some(Reason::Stale) => Ok(false),
        Some(other) => {
            let why = other.name();
            let detail = format!(
                "The act is stored at position {pos}, and came to nothing ({why}): explain the position to see why."
            );
            refused(Code::Conflict, detail)
        }
        None => {
            let detail = format!(
                "The act is stored at position {pos} and will be applied as soon as the projector comes to it. Do not \
                 repeat it; look again later."
            );
            refused(Code::NotDecidedYet, detail)
        }
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
async fn overtaken(
    client: &Client,
    tenant_id: i32,
    thing: &str,
    pos: i64,
) -> Result<Problem, RouteError> {
    let by = who_and_when(client, tenant_id, pos).await?;
    let by = by.unwrap_or_else(|| Actor {
        name: "Somebody".to_owned(),
        verb: "acted on",
        at: Timestamp::UNIX_EPOCH,
        pos,
    });
    let Actor { name, verb, at, .. } = &by;
    let detail = format!("{name} {verb} this {thing} at {at}, before you. Look at it again.");
    Ok(by.conflict(detail))
}

/// Who acted, how and when, if the event at `pos` is a person's act.
pub(crate) async fn who_and_when(
    client: &Client,
    tenant_id: i32,
    pos: i64,
) -> Result<Option<Actor>, RouteError> {
    let event = event_get(client, tenant_id, pos).await?;
    let Some(event) = event.filter(|event| event.origin == Origin::Operator) else {
        return Ok(None);
    };
    let body: Value =
        event.body.and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
    let key_id = body.get("actor").and_then(Value::as_str).unwrap_or_default().to_owned();
    let verb = match event.event_type.as_str() {
        "tally.case.assigned" => "assigned",
        "tally.case.dismissed" => "dismissed",
        "tally.payment.reassigned" => "reassigned",
        "tally.payment.imported" => "imported",
        _ => "acted on",
    };
    let name = names(client, tenant_id, std::slice::from_ref(&key_id)).await?.into_iter().next();
    let name = name.map_or_else(|| key_id.clone(), |(_, name)| format!("{name} ({key_id})"));
    Ok(Some(Actor { name, verb, at: event.received_at, pos }))
}

impl Actor {
    /// The refusal of whoever came later.
    pub(crate) fn conflict(self, detail: String) -> Problem {
        Problem::new(Code::Conflict)
            .detail(detail)
            .with("actor", self.name)
            .with("at", self.at.to_string())
            .with("position", self.pos)
    }
}
