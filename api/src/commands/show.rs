//! `GET /v1/spends/{id}` and `GET /v1/holds/{id}`: what became of a spend, and of a hold.

use axum::Json;
use axum::extract::State;
use service::problem::{Code, Problem};
use store::read::holds::hold_get;
use store::read::spends::spend_get;

use super::objects::{HoldObject, SpendObject};
use crate::auth::Caller;
use crate::error::RouteError;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// Answers with the spend, and whether it was given back.
pub(crate) async fn spend(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    params: Params,
) -> Result<Json<SpendObject>, RouteError> {
    params.finish()?;
    let unknown = || Problem::new(Code::SpendNotFound);
    let spend_id = id.parse().map_err(|_| unknown())?;
    let found = spend_get(&state.client().await?, caller.tenant_id, spend_id).await?;
    Ok(Json(SpendObject::shown(spend_id, found.ok_or_else(unknown)?)))
}

/// Answers with the hold as it stands now.
pub(crate) async fn hold(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    params: Params,
) -> Result<Json<HoldObject>, RouteError> {
    params.finish()?;
    let unknown = || Problem::new(Code::HoldNotFound);
    let hold_id = id.parse().map_err(|_| unknown())?;
    let found = hold_get(&state.client().await?, caller.tenant_id, hold_id).await?;
    Ok(Json(HoldObject::shown(found.ok_or_else(unknown)?, state.clock.now())))
}
