//! `GET /v1/explain/{id}`.

use crate::auth::Caller;
use crate::error::RouteError;
use crate::path::Id;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;

/// todo
pub(crate) async fn handler(
    State(_s): State<ApiState>,
    _c: Caller,
    Id(_i): Id,
) -> Result<Json<()>, RouteError> {
    Ok(Json(()))
}
