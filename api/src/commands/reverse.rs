//! `POST /v1/spends/{id}/reverse`: gives a spend back to the grants that it drew from.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use ledger::account::ExpiredPolicy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::problem::{Code, Problem};
use store::commands::Command;

use super::asked::Asked;
use super::said::terms;
use crate::error::RouteError;
use crate::state::ApiState;

/// What becomes of credits that cannot go back as they were.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[schemars(rename = "ReverseRequest")]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    #[serde(skip_serializing_if = "Option::is_none")]
    expired: Option<Expired>,
    /// Terms of credits that come back as a new grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i16>,
}

/// What becomes of credits whose grant has expired since they were spent.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
#[schemars(rename = "WhatExpired")]
#[serde(rename_all = "lowercase")]
pub(crate) enum Expired {
    /// They expire at once.
    Lapse,
    /// They come back as a new grant.
    Renew,
}

/// Answers 201 with the reversal; 409 if the spend was given back before.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    Asked { id, body, by }: Asked<Request>,
) -> Result<Response, RouteError> {
    let command = Command::Reverse {
        spend_id: id.parse().map_err(|_| Problem::new(Code::SpendNotFound))?,
        expired: match body.expired {
            None | Some(Expired::Lapse) => ExpiredPolicy::Lapse,
            Some(Expired::Renew) => ExpiredPolicy::Renew,
        },
        terms: terms(body.expires_at, body.priority),
    };
    by.have(&state, command, StatusCode::CREATED).await
}
