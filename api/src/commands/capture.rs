//! `POST /v1/holds/{id}/capture`: spends what a hold reserves, or a part of it, and releases the rest.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::problem::{Code, Problem};
use store::commands::Command;

use super::amount::Amount;
use super::asked::Asked;
use crate::error::RouteError;
use crate::state::ApiState;

/// How many; all of them where nothing is said.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[schemars(rename = "CaptureRequest")]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Amount>,
}

/// Answers with the hold, which names its spend. 409 once it was captured or released, or its deadline has passed.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    Asked { id, body, by }: Asked<Request>,
) -> Result<Response, RouteError> {
    let hold_id = id.parse().map_err(|_| Problem::new(Code::HoldNotFound))?;
    let command = Command::Capture { hold_id, amount: body.amount.map(Amount::get) };
    by.have(&state, command, StatusCode::OK).await
}
