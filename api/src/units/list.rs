//! `GET /v1/units`: the kinds of credits that there are.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use store::read::page::Found;
use store::units::Unit;

use super::choose;
use crate::auth::Caller;
use crate::error::RouteError;
use crate::list::List;
use crate::params::Params;
use crate::state::ApiState;

/// The unit object.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "UnitOfCredits")]
pub(crate) struct UnitObject {
    #[schemars(extend("const" = "unit"))]
    object: &'static str,
    name: String,
    /// Digits behind the point where amounts are shown; amounts are integers of the smallest part.
    scale: u8,
    default: bool,
}

impl From<Unit> for UnitObject {
    fn from(Unit { name, scale, is_default }: Unit) -> Self {
        Self { object: "unit", name, scale, default: is_default }
    }
}

/// Answers with the units that are listed, by name; where none is, with the default one.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    params: Params,
) -> Result<Json<List<UnitObject>>, RouteError> {
    let url = params.path();
    params.finish()?;
    let mut units = state.units(caller.tenant_id).await?.to_vec();
    if units.is_empty() {
        units.push(choose(&[], None)?);
    }
    let found = Found { rows: units, has_more: false };
    Ok(Json(List::new(url, found, UnitObject::from)))
}
