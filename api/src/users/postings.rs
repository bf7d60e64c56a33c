//! `GET /v1/users/{user}/postings`: the statement of a user's account in one unit, newest first.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use ledger::ids::{GrantId, Owner, PostingId, SpendId};
use schemars::JsonSchema;
use serde::Serialize;
use store::read::postings::{Between, Command, Posting, posting_list};

use super::require;
use crate::auth::Caller;
use crate::error::RouteError;
use crate::list::List;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// The posting object.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Posting")]
pub(crate) struct PostingObject {
    #[schemars(extend("const" = "posting"))]
    object: &'static str,
    id: String,
    user: String,
    unit: String,
    amount: i64,
    balance_after: i64,
    /// The system account on the other side: `sale`, `spend`, …
    #[schemars(with = "crate::openapi::words::Contra")]
    contra: &'static str,
    cause: Option<Cause>,
    payment: Option<String>,
    line: Option<String>,
    effective: Timestamp,
    created: Timestamp,
}

/// What made a posting.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "PostingCause")]
#[serde(tag = "type", rename_all = "snake_case")]
enum Cause {
    /// What was concluded from an event.
    Decision { position: i64, revision: i32, event: Option<String> },
    /// What the app asked for, or the clock.
    Command {
        command: &'static str,
        spend: Option<String>,
        hold: Option<String>,
        grant: Option<String>,
        description: Option<String>,
        reason: Option<String>,
    },
}

/// Answers with one page.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(user): Id,
    mut params: Params,
) -> Result<Json<List<PostingObject>>, RouteError> {
    let (unit, list, url) = (params.text("unit")?, params.list()?, params.path());
    let created = params.created()?;
    params.finish()?;
    let unit = state.unit(caller.tenant_id, unit.as_deref()).await?.name;
    let account = Owner::User(user.clone()).account_id();
    let own = |id: &PostingId| id.account == account && id.unit == unit;
    let cursor = list.cursor().and_then(|id| id.parse().ok()).filter(own);
    let page = list.page(cursor.map(|id| id.seq))?;
    let between = Between { from: created.from, until: created.until };
    let client = state.client().await?;
    require(&client, caller.tenant_id, &user).await?;
    let found = posting_list(&client, caller.tenant_id, (account, &unit), between, &page).await?;
    let id = |seq| PostingId { account, unit: unit.clone(), seq };
    Ok(Json(List::new(url, found, |posting| show(id(posting.seq), &user, posting))))
}

fn show(id: PostingId, user: &str, posting: Posting) -> PostingObject {
    let decided = posting.decision.map(|(position, revision)| Cause::Decision {
        position,
        revision,
        event: posting.event,
    });
    let commanded = posting.command.map(|command| commanded(&id, command));
    PostingObject {
        object: "posting",
        id: id.to_string(),
        user: user.to_owned(),
        unit: id.unit,
        amount: posting.amount,
        balance_after: posting.balance_after,
        contra: posting.contra.name(),
        cause: decided.or(commanded),
        payment: posting.root_key,
        line: posting.line,
        effective: posting.effective_at,
        created: posting.recorded_at,
    }
}

/// The command, with what it made, ended or gave back.
fn commanded(id: &PostingId, command: Command) -> Cause {
    let made = |name: &str| command.name == name;
    let is_spend = made("spend") || made("capture");
    let spend = is_spend.then(|| SpendId(command.command_id).to_string());
    let granted = made("grant").then_some(id.seq).or(command.grant_id);
    let grant = granted.map(|seq| GrantId(PostingId { seq, ..id.clone() }).to_string());
    Cause::Command {
        command: command.name,
        spend: spend.or(command.spend),
        hold: command.hold,
        grant,
        description: command.description,
        reason: command.reason,
    }
}
