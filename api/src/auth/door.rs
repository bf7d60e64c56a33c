//! The door in front of every operation: who asks, not too often, and may.

use axum::extract::{FromRequestParts as _, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use service::problem::{Code, Problem};
use store::keys::Key;

use super::caller::{Caller, Who};
use super::operation::{ForUsers, Operation};
use super::token::{Refusal, TokenUser};
use crate::error::RouteError;
use crate::state::ApiState;

/// How keys begin; everything else is taken for a token.
const KEY_PREFIX: &str = "tally_";

/// Seconds after which to come again when the keys of an issuer cannot be had: by then they were asked for again.
const ISSUER_RETRY_AFTER_SECONDS: u32 = 10;

/// Middleware in front of `operation`: lets in whose key or token is valid, who does not ask too often, and may. Before that,
/// nothing is asked of the database but the key, which is remembered.
pub(crate) async fn authorize(
    State((state, operation)): State<(ApiState, Operation)>,
    request: Request,
    next: Next,
) -> Result<Response, RouteError> {
    let (mut parts, body) = request.into_parts();
    let caller = identify(&state, &parts.headers).await?;
    state.rate_limits.check(&caller)?;
    match &caller.who {
        Who::Key(key) => permit_key(key, operation)?,
        Who::User(user) => permit_user(user, operation, &mut parts).await?,
    }
    parts.extensions.insert(caller);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(no_store);
    Ok(response)
}

/// Who asks, by a key or a token that is valid now.
async fn identify(state: &ApiState, headers: &HeaderMap) -> Result<Caller, RouteError> {
    let Some(text) = bearer(headers) else {
        let detail = "Send a key or a token: Authorization: Bearer tally_…";
        return Err(unauthorized(detail).into());
    };
    let now = state.clock.now();
    if !text.starts_with(KEY_PREFIX) {
        let TokenUser { tenant_id, user } =
            state.tokens.verify(text, now).await.map_err(refused)?;
        return Ok(Caller { tenant_id, who: Who::User(user) });
    }
    let key = state.keys.look_up(&state.store, text, now).await?;
    let Some(key) = key else {
        return Err(unauthorized("The key is unknown here, has ended or was revoked.").into());
    };
    Ok(Caller { tenant_id: key.tenant_id, who: Who::Key(key) })
}

/// A key needs the role, and the scope unless it was not narrowed.
fn permit_key(key: &Key, operation: Operation) -> Result<(), Problem> {
    let (least, scope) = (operation.least_role(), operation.scope());
    let detail = if key.role < least {
        format!("This needs a key of role {}; this one has {}.", least.name(), key.role.name())
    } else if !key.has_scope(scope) {
        format!("This needs a key with the scope {scope}.")
    } else {
        return Ok(());
    };
    Err(Problem::new(Code::Forbidden).detail(detail))
}

/// A user reads what the path says is his. Whether another user exists is not looked at, so that it cannot be told.
async fn permit_user(user: &str, operation: Operation, parts: &mut Parts) -> Result<(), Problem> {
    let detail = match operation.for_users() {
        ForUsers::Told => return Ok(()),
        ForUsers::Own if is_named(user, parts).await => return Ok(()),
        ForUsers::Own => "A user's token reads what is that user's, and nobody else's.",
        ForUsers::No => "This needs a key: users may not do it.",
    };
    Err(Problem::new(Code::Forbidden).detail(detail))
}

/// Whether the path names this user.
async fn is_named(user: &str, parts: &mut Parts) -> bool {
    let params = RawPathParams::from_request_parts(parts, &()).await;
    params.is_ok_and(|params| params.iter().any(|param| param == ("user", user)))
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(Code::Unauthorized).detail(detail)
}

fn refused(refusal: Refusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        Refusal::KeysUnavailable => {
            let problem = Problem::new(Code::Unavailable).detail(detail);
            problem.retry_after(ISSUER_RETRY_AFTER_SECONDS)
        }
        Refusal::Form
        | Refusal::Issuer
        | Refusal::Audience
        | Refusal::Algorithm
        | Refusal::Key
        | Refusal::Signature
        | Refusal::Claims
        | Refusal::Ended
        | Refusal::NotYet => unauthorized(&detail),
    }
}

/// The text behind `Authorization: Bearer`, if the header stands there once.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (scheme, text) = values.next()?.to_str().ok()?.split_once(' ')?;
    (values.next().is_none() && scheme.eq_ignore_ascii_case("bearer")).then(|| text.trim())
}
