//! `GET /v1/catalogue/{price}`: what one of a price is worth now.

use axum::Json;
use axum::extract::State;
use service::problem::{Code, Problem};
use store::read::catalogue::catalogue_get;

use super::{EntryObject, show};
use crate::auth::Caller;
use crate::error::RouteError;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// Answers with the entry that is in force, or 404.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(price): Id,
    params: Params,
) -> Result<Json<EntryObject>, RouteError> {
    params.finish()?;
    let entry = catalogue_get(&state.client().await?, caller.tenant_id, &price).await?;
    let entry = entry.ok_or_else(|| {
        let detail = format!("The catalogue has no price {price}.");
        Problem::new(Code::PriceNotFound).param("price").detail(detail)
    })?;
    Ok(Json(show(price, entry)))
}
