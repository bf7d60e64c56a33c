//! `GET /v1/catalogue`: the entries in the order of their keys, each as it counts now.

use axum::Json;
use axum::extract::State;
use store::read::catalogue::{catalogue_list, catalogue_versions};

use super::EntryObject;
use crate::auth::Caller;
use crate::error::RouteError;
use crate::list::List;
use crate::params::Params;
use crate::state::ApiState;

/// Answers with one page; its cursors are keys.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    mut params: Params,
) -> Result<Json<List<EntryObject>>, RouteError> {
    let (list, url) = (params.list()?, params.path());
    params.finish()?;
    let (client, tenant_id) = (state.client().await?, caller.tenant_id);
    let cursor = match list.cursor() {
        Some(key) => {
            let versions = catalogue_versions(&client, tenant_id, key).await?;
            (!versions.decided.is_empty()).then(|| key.to_owned())
        }
        None => None,
    };
    let page = list.page(cursor)?;
    let found = catalogue_list(&client, tenant_id, state.clock.now(), &page).await?;
    Ok(Json(List::new(url, found, |(key, version)| EntryObject::new(key, version))))
}
