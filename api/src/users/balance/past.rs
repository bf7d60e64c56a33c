//! `GET /v1/users/{user}/balance?as_of=…&by=…`: what a user had at an instant that is over.
//!
//! What is not kept is null, never a guess: what was pending, in review or disputed then, and what would have expired next.
//! By effect only what is posted has a meaning: what could be spent depends on what was known.
//!
//! It may read all that an account ever had, so few are read at the same time: spends and balances of now have the other
//! connections.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use ledger::chain::to_microseconds;
use schemars::JsonSchema;
use serde::Serialize;
use service::problem::{Code, Problem};
use store::read::balance_at::{Basis, Past, balance_at};
use store::units::Unit;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::error::{RouteError, invalid};
use crate::params::Params;
use crate::state::ApiState;
use crate::users::require;

/// Most balances of the past that a process reads at the same time. Accountants ask for them, now and then.
const READS_MAX: usize = 2;

/// Longest wait for one's turn. Each takes milliseconds, or seconds on an account with a million movements.
const TURN_WAIT_MAX: Duration = Duration::from_secs(5);

/// Seconds after which to come again when others have all turns.
const TURN_RETRY_AFTER_SECONDS: u32 = 5;

/// Who reads balances of the past right now.
#[derive(Debug)]
pub(crate) struct Turns(Semaphore);

impl Default for Turns {
    fn default() -> Self {
        Self(Semaphore::new(READS_MAX))
    }
}

impl Turns {
    async fn next(&self) -> Result<SemaphorePermit<'_>, Problem> {
        let turn = timeout(TURN_WAIT_MAX, self.0.acquire()).await.ok().and_then(Result::ok);
        turn.ok_or_else(|| {
            let detail = "Too many ask for balances of the past right now.";
            Problem::new(Code::Unavailable).detail(detail).retry_after(TURN_RETRY_AFTER_SECONDS)
        })
    }
}

/// An instant, and by which of a movement's instants it is meant.
#[derive(Debug)]
pub(super) struct Asked {
    at: Timestamp,
    basis: Basis,
}

/// The balance object at an instant, with the members of the balance of now.
#[derive(Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub(crate) struct PastBalance<'a> {
    #[schemars(extend("const" = "balance"))]
    object: &'static str,
    user: &'a str,
    unit: &'a str,
    scale: u8,
    available: Option<i64>,
    held: Option<i64>,
    pending: Option<i64>,
    in_review: Option<i64>,
    disputed: Option<i64>,
    debt: i64,
    posted: i64,
    expiring_next: Option<Timestamp>,
    seq: Option<i64>,
    as_of: Timestamp,
    #[schemars(with = "crate::openapi::words::Basis")]
    by: &'static str,
    position: Option<i64>,
}

/// Takes `as_of` and `by` from a query.
pub(super) fn asked(params: &mut Params) -> Result<Option<Asked>, Problem> {
    let at =
        params.parsed("as_of", "a time from 1970 on, such as 2026-01-31T12:00:00Z", |text| {
            text.parse().ok().map(to_microseconds).filter(|at| *at >= Timestamp::UNIX_EPOCH)
        })?;
    let basis = params.parsed("by", "record or effect", |text| match text {
        "record" => Some(Basis::Record),
        "effect" => Some(Basis::Effect),
        _ => None,
    })?;
    match (at, basis) {
        (None, Some(_)) => {
            Err(invalid("by", "It says of which kind as_of is, and that is missing."))
        }
        (None, None) => Ok(None),
        (Some(at), basis) => Ok(Some(Asked { at, basis: basis.unwrap_or(Basis::Record) })),
    }
}

/// Answers with what can be told; an instant that is still to come is refused.
pub(super) async fn answer(
    state: &ApiState,
    tenant_id: i32,
    (user, unit): (&str, &Unit),
    Asked { at, basis }: Asked,
    now: Timestamp,
) -> Result<Response, RouteError> {
    if at > now {
        return Err(invalid("as_of", "It is still to come.").into());
    }
    let _turn = state.past_balances.next().await?;
    let client = state.client().await?;
    let past = balance_at(&client, tenant_id, (user, &unit.name), at, basis).await?;
    if past.is_none() {
        require(&client, tenant_id, user).await?;
    }
    let shown = show(user, unit, &past.unwrap_or_default(), at, basis);
    Ok(Json(shown).into_response())
}

fn show<'a>(
    user: &'a str,
    unit: &'a Unit,
    past: &Past,
    as_of: Timestamp,
    basis: Basis,
) -> PastBalance<'a> {
    PastBalance {
        object: "balance",
        user,
        unit: &unit.name,
        scale: unit.scale,
        available: past.held.map(|held| past.posted.saturating_sub(held).max(0)),
        held: past.held,
        pending: None,
        in_review: None,
        disputed: None,
        debt: past.posted.min(0).saturating_neg(),
        posted: past.posted,
        expiring_next: None,
        seq: past.steps,
        as_of,
        by: match basis {
            Basis::Record => "record",
            Basis::Effect => "effect",
        },
        position: None,
    }
}
