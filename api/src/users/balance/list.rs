//! `GET /v1/users/{user}/balances`: what a user has in each unit.

use axum::Json;
use axum::extract::State;
use ledger::chain::to_microseconds;
use ledger::ids::Owner;
use store::read::balance::{account_unit_list, balance_list};
use store::read::page::Found;

use super::Balance;
use crate::auth::Caller;
use crate::error::RouteError;
use crate::list::List;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;
use crate::users::require;

/// Answers with a balance in each unit that the tenant lists; where it lists none, in those that the user has, or in the
/// default one. They are few, so all of them are one page.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(user): Id,
    params: Params,
) -> Result<Json<List<Balance>>, RouteError> {
    let (url, now, tenant_id) =
        (params.path(), to_microseconds(state.clock.now()), caller.tenant_id);
    params.finish()?;
    let mut units = state.units(tenant_id).await?.to_vec();
    let client = state.reads.get().await?;
    if units.is_empty() {
        let account = Owner::User(user.clone()).account_id();
        for name in account_unit_list(&client, tenant_id, account).await? {
            units.push(state.unit(tenant_id, Some(&name)).await?);
        }
    }
    if units.is_empty() {
        units.push(state.unit(tenant_id, None).await?);
    }
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
