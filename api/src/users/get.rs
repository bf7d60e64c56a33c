//! `GET /v1/users/{user}`: a user as the app last described him.

use axum::Json;
use axum::extract::State;

use super::{UserObject, require};
use crate::auth::Caller;
use crate::error::RouteError;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// Answers with the user object, or 404.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(user): Id,
    params: Params,
) -> Result<Json<UserObject>, RouteError> {
    params.finish()?;
    let user = require(&state.client().await?, caller.tenant_id, &user).await?;
    Ok(Json(user.into()))
}
