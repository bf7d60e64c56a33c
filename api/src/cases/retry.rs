//! `POST /v1/cases/{id}/retry`: has a case decided anew, with what is known now.

use axum::Json;
use axum::extract::State;
use serde_json::Map;

use super::act::{act, open_case};
use super::show::CaseObject;
use crate::auth::Caller;
use crate::error::RouteError;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// Answers with the case as it is after the act: 409 if somebody else was faster.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    params: Params,
) -> Result<Json<CaseObject>, RouteError> {
    params.finish()?;
    let client = state.client().await?;
    let case = open_case(&client, &caller, &id, None).await?;
    drop(client);
    Ok(Json(act(&state, &caller, &case, "tally.case.retried", Map::new()).await?))
}
