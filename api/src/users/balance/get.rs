//! `GET /v1/users/{user}/balance`: what a user has in one unit.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use ledger::chain::to_microseconds;
use store::read::balance::balance_get;

use super::{Balance, past};
use crate::auth::Caller;
use crate::error::RouteError;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;
use crate::users::require;

/// What is kept of it is asked about each time: it is the user's own, and it changes at any moment.
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// Answers with the balance: zeros for a user who has nothing, 404 for one whom nobody told of, and 304 to whoever has it.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(user): Id,
    mut params: Params,
    headers: HeaderMap,
) -> Result<Response, RouteError> {
    let (unit, asked, now) =
        (params.text("unit")?, past::asked(&mut params)?, to_microseconds(state.clock.now()));
    params.finish()?;
    let unit = state.unit(caller.tenant_id, unit.as_deref()).await?;
    if let Some(asked) = asked {
        return past::answer(&state, caller.tenant_id, (&user, &unit), asked, now).await;
    }
    let client = state.reads.get().await?;
    let parts = balance_get(&client, caller.tenant_id, &user, &unit.name, now).await?;
    if parts.is_none() {
        // Registered a moment ago and not decided yet, or nobody told of.
        require(&client, caller.tenant_id, &user).await?;
    }
    let balance = Balance::new(&user, &unit, &parts.unwrap_or_default(), now);
    let version = balance.version();
    let mut response = if version.is_known_to(&headers) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Json(balance).into_response()
    };
    let (told, vary) = (response.headers_mut(), HeaderValue::from_static("authorization"));
    told.insert(header::CACHE_CONTROL, REVALIDATE);
    told.append(header::VARY, vary);
    told.extend(version.etag().map(|etag| (header::ETAG, etag)));
    Ok(response)
}
