//! `GET /v1/users/{user}/balances`: what a user has in each unit.

use axum::Json;
use axum::extract::State;
use ledger::chain::to_microseconds;
use store::read::balance::balance_list;
use store::read::page::Found;

use super::Balance;
use crate::auth::Caller;
use crate::error::RouteError;
use crate::list::List;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;
use crate::users::require;

/// Answers with a balance in each unit of the user ([`ApiState::units_of`]). They are few, so all of them are one page.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(user): Id,
    params: Params,
) -> Result<Json<List<Balance>>, RouteError> {
    let (url, now, tenant_id) =
        (params.path(), to_microseconds(state.clock.now()), caller.tenant_id);
    params.finish()?;
    let units = state.units_of(tenant_id, &user).await?;
    let client = state.reads.get().await?;
    let wanted: Vec<_> = units.iter().map(|unit| (user.as_str(), unit.name.as_str())).collect();
    let parts = balance_list(&client, tenant_id, &wanted, now).await?;
    if parts.iter().all(Option::is_none) {
        require(&client, tenant_id, &user).await?;
    }
    let rows: Vec<_> = units.iter().zip(parts).collect();
    let show =
        |(unit, parts): (_, Option<_>)| Balance::new(&user, unit, &parts.unwrap_or_default(), now);
    Ok(Json(List::new(url, Found { rows, has_more: false }, show)))
}
