//! `GET /v1/catalogue/{key}`: what one of a price is worth now, and its history.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use service::problem::{Code, Problem};
use store::read::catalogue::catalogue_versions;

use super::{EntryObject, VersionObject};
use crate::auth::Caller;
use crate::error::RouteError;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// An entry with all of its versions.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "CatalogueEntryHistory")]
pub(crate) struct EntryHistory {
    #[serde(flatten)]
    entry: EntryObject,
    /// The one that counts last first.
    versions: Vec<VersionObject>,
}

/// Answers with the version that counts now (or will first), and all of them; or 404.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(key): Id,
    params: Params,
) -> Result<Json<EntryHistory>, RouteError> {
    params.finish()?;
    let versions = catalogue_versions(&state.client().await?, caller.tenant_id, &key).await?;
    let current = versions.current(state.clock.now()).cloned().ok_or_else(|| {
        let detail = format!("The catalogue has no entry {key}.");
        Problem::new(Code::PriceNotFound).param("key").detail(detail)
    })?;
    let entry = EntryObject::new(key, current);
    let versions = versions.decided.into_iter().map(VersionObject::from).collect();
    Ok(Json(EntryHistory { entry, versions }))
}
