//! The door in front of every operation.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use service::problem::{Code, Problem};
use store::keys::KeyRole;

use super::Operation;
use crate::error::RouteError;
use crate::state::ApiState;

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The one tenant that its key sees.
    pub(crate) tenant_id: i32,
    /// Public id of its key: the actor of what it does.
    pub(crate) key_id: String,
    /// What its key may do.
    pub(crate) role: KeyRole,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    /// The caller that [`authorize`] let in. Without it there is none, so a handler that was routed past it answers 401.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Problem::new(Code::Unauthorized))
    }
}

/// Middleware in front of `operation`: lets in whose key is valid and whose role suffices.
pub(crate) async fn authorize(
    State((state, operation)): State<(ApiState, Operation)>,
    mut request: Request,
    next: Next,
) -> Result<Response, RouteError> {
    let Some(text) = bearer(request.headers()) else {
        let detail = "Send a key: Authorization: Bearer tally_…";
        return Err(Problem::new(Code::Unauthorized).detail(detail).into());
    };
    let key = state.keys.look_up(&state.store, text, state.clock.now()).await?;
    let Some(key) = key else {
        let detail = "The key is unknown here, has ended or was revoked.";
        return Err(Problem::new(Code::Unauthorized).detail(detail).into());
    };
    let least = operation.least_role();
    if key.role < least {
        let detail =
            format!("This needs a key of role {}; this one has {}.", least.name(), key.role.name());
        return Err(Problem::new(Code::Forbidden).detail(detail).into());
    }
    let caller = Caller { tenant_id: key.tenant_id, key_id: key.key_id, role: key.role };
    request.extensions_mut().insert(caller);
    let mut response = next.run(request).await;
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(no_store);
    Ok(response)
}

/// The text behind `Authorization: Bearer`, if the header stands there once.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (scheme, text) = values.next()?.to_str().ok()?.split_once(' ')?;
    (values.next().is_none() && scheme.eq_ignore_ascii_case("bearer")).then(|| text.trim())
}
