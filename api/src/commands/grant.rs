//! `POST /v1/users/{user}/grants`: gives credits away, or enters what was bought outside of Stripe.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use ledger::account::SystemAccount;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::commands::Command;

use super::amount::Amount;
use super::asked::Asked;
use super::said::terms;
use crate::acts::check_reason;
use crate::error::RouteError;
use crate::state::ApiState;

/// How many, of what, why, and under which terms.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[schemars(rename = "GrantRequest")]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    amount: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::openapi::texts::Unit>")]
    unit: Option<String>,
    #[schemars(with = "crate::openapi::texts::ReasonText")]
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    /// Lower is spent first.
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i16>,
    /// What they come from: given away (`promo`) if left out, or brought over from elsewhere (`adjustment`).
    #[serde(skip_serializing_if = "Option::is_none")]
    contra: Option<Contra>,
}

/// The system account on the other side of what is given.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[schemars(rename = "GrantContra")]
#[serde(rename_all = "snake_case")]
enum Contra {
    #[default]
    Promo,
    Adjustment,
}

/// Answers 201 with the grant.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    Asked { id: user, body, by }: Asked<Request>,
) -> Result<Response, RouteError> {
    check_reason(&body.reason)?;
    let command = Command::Grant {
        account: by.account(&state, user, body.unit).await?,
        amount: body.amount.get(),
        terms: terms(body.expires_at, body.priority),
        reason: body.reason,
        contra: match body.contra.unwrap_or_default() {
            Contra::Promo => SystemAccount::Promo,
            Contra::Adjustment => SystemAccount::Adjustment,
        },
    };
    by.have(&state, command, StatusCode::CREATED).await
}
