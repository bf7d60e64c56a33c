//! `GET /v1/users/{user}/grants`: the blocks of credits of a user's account in one unit, newest first.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use ledger::ids::{GrantId, Owner, PostingId};
use schemars::JsonSchema;
use serde::Serialize;
use store::read::grants::{Grant, grant_list};

use super::require;
use crate::auth::Caller;
use crate::error::RouteError;
use crate::list::List;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// The grant object.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Grant")]
pub(crate) struct GrantObject {
    #[schemars(extend("const" = "grant"))]
    object: &'static str,
    id: String,
    user: String,
    unit: String,
    granted: i64,
    remaining: i64,
    held: i64,
    open: bool,
    #[schemars(with = "crate::openapi::words::GrantStatus")]
    status: &'static str,
    priority: i16,
    expires: Option<Timestamp>,
    payment: Option<String>,
    line: Option<String>,
    /// The system account on the other side: `sale`, `promo`, …
    contra: &'static str,
    /// Why it was given away, if it was.
    reason: Option<String>,
    created: Timestamp,
}

/// Answers with one page.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(user): Id,
    mut params: Params,
) -> Result<Json<List<GrantObject>>, RouteError> {
    let (unit, list, url) = (params.text("unit")?, params.list()?, params.path());
    let only_open = params.parsed("status", "open", |status| (status == "open").then_some(()))?;
    params.finish()?;
    let (now, unit) =
        (state.clock.now(), state.unit(caller.tenant_id, unit.as_deref()).await?.name);
    let account = Owner::User(user.clone()).account_id();
    let own = |GrantId(id): &GrantId| id.account == account && id.unit == unit;
    let cursor = list.cursor().and_then(|id| id.parse().ok()).filter(own);
    let page = list.page(cursor.map(|GrantId(id)| id.seq))?;
    let client = state.client().await?;
    require(&client, caller.tenant_id, &user).await?;
    let open_at = only_open.map(|()| now);
    let found = grant_list(&client, caller.tenant_id, (account, &unit), open_at, &page).await?;
    let id = |seq| GrantId(PostingId { account, unit: unit.clone(), seq });
    Ok(Json(List::new(url, found, |grant| show(&id(grant.grant_id), &user, grant, now))))
}

fn show(id: &GrantId, user: &str, grant: Grant, now: Timestamp) -> GrantObject {
    let has_expired = grant.expires_at.is_some_and(|at| at <= now);
    GrantObject {
        object: "grant",
        id: id.to_string(),
        user: user.to_owned(),
        unit: id.0.unit.clone(),
        granted: grant.granted,
        remaining: grant.remaining,
        held: grant.held,
        open: grant.is_open,
        status: match (grant.is_open, has_expired) {
            (true, false) => "open",
            (_, true) => "expired",
            (false, false) => "used",
        },
        priority: grant.priority,
        expires: grant.expires_at,
        payment: grant.root_key,
        line: grant.line,
        contra: grant.contra.name(),
        reason: grant.reason,
        created: grant.recorded_at,
    }
}
