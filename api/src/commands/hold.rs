//! `POST /v1/users/{user}/holds`: reserves credits for a job that may fail.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jiff::SignedDuration;
use ledger::chain::to_microseconds;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::commands::Command;

use super::amount::Amount;
use super::asked::Asked;
use super::said::note;
use crate::error::{RouteError, invalid};
use crate::state::ApiState;

/// How long a hold lasts that does not say so: longer than most jobs, and short enough that what a job forgot comes back the
/// same day.
const EXPIRES_IN_DEFAULT_SECONDS: i64 = 60 * 60;

/// How long a hold may last: 30 days. Credits that are reserved for longer are spent.
pub(crate) const EXPIRES_IN_MAX_SECONDS: i64 = 30 * 24 * 60 * 60;

/// How many, of what, for how long, and what for.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[schemars(rename = "HoldRequest")]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    amount: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::openapi::texts::Unit>")]
    unit: Option<String>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::openapi::texts::ExpiresIn>")]
    expires_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::openapi::texts::DescriptionText>")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::openapi::texts::Metadata>")]
    metadata: Option<BTreeMap<String, String>>,
}

/// Answers 201 with the hold, or 402 with what is available.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    Asked { id: user, body, by }: Asked<Request>,
) -> Result<Response, RouteError> {
    let seconds = body.expires_in.unwrap_or(EXPIRES_IN_DEFAULT_SECONDS);
    if !(1..=EXPIRES_IN_MAX_SECONDS).contains(&seconds) {
        let detail = format!("It is not a number of seconds from 1 to {EXPIRES_IN_MAX_SECONDS}.");
        return Err(invalid("expires_in", detail).into());
    }
    let expires_at = state.clock.now().checked_add(SignedDuration::from_secs(seconds));
    let expires_at = expires_at.map_err(|_| invalid("expires_in", "It ends beyond all time."))?;
    let command = Command::Hold {
        account: by.account(&state, user, body.unit).await?,
        amount: body.amount.get(),
        expires_at: to_microseconds(expires_at),
        note: note(body.description, body.metadata)?,
    };
    by.have(&state, command, StatusCode::CREATED).await
}
