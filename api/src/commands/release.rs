//! `POST /v1/holds/{id}/release`: lets go what a hold reserves.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::problem::{Code, Problem};
use store::commands::Command;

use super::asked::Asked;
use crate::error::RouteError;
use crate::state::ApiState;

/// Nothing is to be said.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[schemars(rename = "ReleaseRequest")]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {}

/// Answers with the hold. 409 once it was captured or released, or has expired.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    Asked { id, body: Request {}, by }: Asked<Request>,
) -> Result<Response, RouteError> {
    let hold_id = id.parse().map_err(|_| Problem::new(Code::HoldNotFound))?;
    by.have(&state, Command::Release { hold_id }, StatusCode::OK).await
}
