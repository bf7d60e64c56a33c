//! `POST /v1/users/{user}/freeze` and `/thaw`: refuses spends and holds on an account, or allows them again.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::commands::Command;

use super::asked::{Asked, Asker};
use crate::acts::check_reason;
use crate::error::RouteError;
use crate::state::ApiState;

/// Which account, and why.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[schemars(rename = "FreezeRequest")]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::openapi::texts::Unit>")]
    unit: Option<String>,
    #[schemars(with = "crate::openapi::texts::ReasonText")]
    reason: String,
}

/// Freezes; what is held can still be captured.
pub(crate) async fn freeze(
    State(state): State<ApiState>,
    Asked { id, body, by }: Asked<Request>,
) -> Result<Response, RouteError> {
    set(&state, by, (id, body), true).await
}

/// Thaws.
pub(crate) async fn thaw(
    State(state): State<ApiState>,
    Asked { id, body, by }: Asked<Request>,
) -> Result<Response, RouteError> {
    set(&state, by, (id, body), false).await
}

async fn set(
    state: &ApiState,
    by: Asker,
    (user, Request { unit, reason }): (String, Request),
    frozen: bool,
) -> Result<Response, RouteError> {
    check_reason(&reason)?;
    let command =
        Command::SetFrozen { account: by.account(state, user, unit).await?, frozen, reason };
    by.have(state, command, StatusCode::OK).await
}
