//! `GET /v1/users/{user}/grants`: the blocks of credits of a user's account in one unit, newest first.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use ledger::ids::{GrantId, Owner, PostingId};
use serde::Serialize;
use store::read::grants::{Grant, grant_list};

use super::{require, unit};
use crate::auth::Caller;
use crate::error::RouteError;
use crate::list::List;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// The grant object.
#[derive(Debug, Serialize)]
pub(crate) struct GrantObject {
    object: &'static str,
    id: String,
    user: String,
    unit: String,
    granted: i64,
    remaining: i64,
    held: i64,
    open: bool,
    priority: i16,
    expires: Option<Timestamp>,
    payment: Option<String>,
    line: Option<String>,
    created: Timestamp,
}

/// Answers with one page.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(user): Id,
    mut params: Params,
) -> Result<Json<List<GrantObject>>, RouteError> {
    let (unit, list, url) = (unit(&mut params)?, params.list()?, params.path());
    params.finish()?;
    let account = Owner::User(user.clone()).account_id();
    let own = |GrantId(id): &GrantId| id.account == account && id.unit == unit;
    let cursor = list.cursor().and_then(|id| id.parse().ok()).filter(own);
    let page = list.page(cursor.map(|GrantId(id)| id.seq))?;
    let client = state.client().await?;
    require(&client, caller.tenant_id, &user).await?;
    let found = grant_list(&client, caller.tenant_id, account, &unit, &page).await?;
    let id = |seq| GrantId(PostingId { account, unit: unit.clone(), seq });
    Ok(Json(List::new(url, found, |grant| show(&id(grant.grant_id), &user, grant))))
}

fn show(id: &GrantId, user: &str, grant: Grant) -> GrantObject {
    GrantObject {
        object: "grant",
        id: id.to_string(),
        user: user.to_owned(),
        unit: id.0.unit.clone(),
        granted: grant.granted,
        remaining: grant.remaining,
        held: grant.held,
        open: grant.is_open,
        priority: grant.priority,
        expires: grant.expires_at,
        payment: grant.root_key,
        line: grant.line,
        created: grant.recorded_at,
    }
}
