//! `GET /v1/users/{user}/balance/stream`: the balance as it changes, as server-sent events.
//!
//! An event's id is the version of the balance that it tells. A client that comes again says which it heard last, and is
//! told at once what it missed, or nothing if it missed nothing.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{Stream, unfold};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::{Instant, timeout_at};

use crate::auth::Caller;
use crate::error::RouteError;
use crate::live::{Seen, Watching};
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;
use crate::users::require;

/// How often something is sent, so that nothing in between takes the connection for dead.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);

/// After this time the stream ends and the client comes again: less than the age at which its connection would be cut, and
/// the time after which a key that ended or a token that expired tells it no more.
const AGE_MAX: Duration = Duration::from_secs(270);

/// How long a client is asked to wait before it comes again.
const COME_AGAIN: Duration = Duration::from_secs(1);

/// The id of the event that the client heard last.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Has proxies pass on each event as it comes.
const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// Answers with the stream; its first event comes at once.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(user): Id,
    mut params: Params,
    headers: HeaderMap,
) -> Result<Response, RouteError> {
    let unit = params.text("unit")?;
    params.finish()?;
    let unit = state.unit(caller.tenant_id, unit.as_deref()).await?;
    let mut watching = state.live.watch(caller.tenant_id, &user, unit)?;
    let first = watching.first().await?;
    if !first.is_known {
        // Registered a moment ago and not decided yet, or nobody told of.
        require(&state.client().await?, caller.tenant_id, &user).await?;
    }
    let heard = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let news = (heard != Some(first.version.as_str())).then_some(first);
    let end = Instant::now().checked_add(AGE_MAX).unwrap_or_else(Instant::now);
    let heartbeat = KeepAlive::new().interval(HEARTBEAT_EVERY);
    let events = Sse::new(events(Told { news, watching, end })).keep_alive(heartbeat);
    Ok(([UNBUFFERED], events).into_response())
}

/// What a stream has told, and will.
struct Told {
    /// What is known before anything changes.
    news: Option<Seen>,
    watching: Watching,
    end: Instant,
}

fn events(told: Told) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(told, async |mut told| {
        let seen = match told.news.take() {
            Some(seen) => seen,
            None => timeout_at(told.end, told.watching.next()).await.ok()??,
        };
        let event = Event::default().event("balance").id(seen.version.as_str());
        Some((Ok(event.retry(COME_AGAIN).data(&*seen.json)), told))
    })
}
