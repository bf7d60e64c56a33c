//! `GET /v1/events/{id}/payload`: the exact bytes that were delivered, with the signature that covers them.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue};
use service::problem::{Code, Problem};
use store::log::event_get;

use super::{find, not_found};
use crate::auth::Caller;
use crate::error::RouteError;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// Stripe's signature, as it was delivered.
const SIGNATURE: HeaderName = HeaderName::from_static("x-stripe-signature");

/// SHA-256 of the bytes.
const SHA256: HeaderName = HeaderName::from_static("x-body-sha256");

/// Answers with the bytes: as JSON if they are, else as what they are. 404 once they are erased.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    params: Params,
) -> Result<Response, RouteError> {
    params.finish()?;
    let (client, tenant_id) = (state.client().await?, caller.tenant_id);
    let pos = find(&client, tenant_id, &id).await?;
    let event = event_get(&client, tenant_id, pos).await?.ok_or_else(|| not_found(&id))?;
    let Some(body) = event.body else {
        let detail =
            "The bytes of this event were erased; its SHA-256 and what was decided are kept.";
        return Err(Problem::new(Code::EventNotFound).param("id").detail(detail).into());
    };
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
    let content_type = if is_json { "application/json" } else { "application/octet-stream" };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    // What a stranger wrote is never shown as a page, whatever a browser takes it for.
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    let sha256 = HeaderValue::from_str(&hex::encode(event.body_sha256));
    let signature = event.signature.map(|signature| HeaderValue::from_str(&signature));
    headers.extend(sha256.ok().map(|value| (SHA256, value)));
    headers.extend(signature.and_then(Result::ok).map(|value| (SIGNATURE, value)));
    Ok(response)
}
