//! `GET /v1/users/{user}/postings`: the statement of a user's account in one unit, newest first.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use ledger::ids::{Owner, PostingId};
use serde::Serialize;
use store::read::postings::{Posting, posting_list};

use super::{require, unit};
use crate::auth::Caller;
use crate::error::RouteError;
use crate::list::List;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// The posting object.
#[derive(Debug, Serialize)]
pub(crate) struct PostingObject {
    object: &'static str,
    id: String,
    user: String,
    unit: String,
    amount: i64,
    balance_after: i64,
    /// The system account on the other side: `sale`, `unclaimed`, …
    contra: &'static str,
    /// Position and revision of the decision that made it.
    cause: Option<Cause>,
    payment: Option<String>,
    line: Option<String>,
    effective: Timestamp,
    created: Timestamp,
}

/// The decision behind a posting.
#[derive(Debug, Serialize)]
struct Cause {
    position: i64,
    revision: i32,
}

/// Answers with one page.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(user): Id,
    mut params: Params,
) -> Result<Json<List<PostingObject>>, RouteError> {
    let (unit, list, url) = (unit(&mut params)?, params.list()?, params.path());
    params.finish()?;
    let account = Owner::User(user.clone()).account_id();
    let own = |id: &PostingId| id.account == account && id.unit == unit;
    let cursor = list.cursor().and_then(|id| id.parse().ok()).filter(own);
    let page = list.page(cursor.map(|id| id.seq))?;
    let client = state.client().await?;
    require(&client, caller.tenant_id, &user).await?;
    let found = posting_list(&client, caller.tenant_id, account, &unit, &page).await?;
    let id = |seq| PostingId { account, unit: unit.clone(), seq };
    Ok(Json(List::new(url, found, |posting| show(id(posting.seq), &user, posting))))
}

fn show(id: PostingId, user: &str, posting: Posting) -> PostingObject {
    PostingObject {
        object: "posting",
        id: id.to_string(),
        user: user.to_owned(),
        unit: id.unit,
        amount: posting.amount,
        balance_after: posting.balance_after,
        contra: posting.contra.name(),
        cause: posting.decision.map(|(position, revision)| Cause { position, revision }),
        payment: posting.root_key,
        line: posting.line,
        effective: posting.effective_at,
        created: posting.recorded_at,
    }
}
