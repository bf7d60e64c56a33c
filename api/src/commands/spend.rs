//! `POST /v1/users/{user}/spends`: uses credits.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::commands::Command;

use super::amount::Amount;
use super::asked::Asked;
use super::said::note;
use crate::error::RouteError;
use crate::state::ApiState;

/// How many, of what, and what for.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[schemars(rename = "SpendRequest")]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    amount: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::openapi::texts::Unit>")]
    unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::openapi::texts::DescriptionText>")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::openapi::texts::Metadata>")]
    metadata: Option<BTreeMap<String, String>>,
}

/// Answers 201 with the spend, or 402 with what is available.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    Asked { id: user, body, by }: Asked<Request>,
) -> Result<Response, RouteError> {
    let command = Command::Spend {
        account: by.account(&state, user, body.unit).await?,
        amount: body.amount.get(),
        note: note(body.description, body.metadata)?,
    };
    by.have(&state, command, StatusCode::CREATED).await
}
