//! `POST /v1/users/{user}/overdraft`: sets how far below zero spends and holds may go.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::commands::Command;

use super::asked::Asked;
use crate::error::{RouteError, invalid};
use crate::state::ApiState;

/// Which account, and how far.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[schemars(rename = "OverdraftRequest")]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Credits; 0: not below zero.
    #[schemars(range(min = 0))]
    limit: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::openapi::texts::Unit>")]
    unit: Option<String>,
}

/// Answers with the limit. What is below it already stays so.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    Asked { id: user, body: Request { limit, unit }, by }: Asked<Request>,
) -> Result<Response, RouteError> {
    if limit < 0 {
        return Err(invalid("limit", "It is below zero.").into());
    }
    let command = Command::SetLimit {
        account: by.account(&state, user, unit).await?,
        overdraft_limit: limit,
    };
    by.have(&state, command, StatusCode::OK).await
}
