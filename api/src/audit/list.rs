//! `GET /v1/audit`: the acts of people, newest first: who, when, what, why, and what became of it.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use ledger::ids::CaseId;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::read::audit::{Act, audit_list};
use store::read::events::event_pos;

use crate::auth::Caller;
use crate::error::RouteError;
use crate::list::List;
use crate::params::Params;
use crate::state::ApiState;

/// One act.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Act")]
pub(crate) struct ActObject {
    #[schemars(extend("const" = "act"))]
    object: &'static str,
    /// Id of its event.
    id: String,
    position: i64,
    r#type: String,
    /// Key that acted.
    actor: Option<String>,
    /// Case that was acted on.
    case: Option<String>,
    /// Why, in the actor's words.
    reason: Option<String>,
    /// Everything that was said.
    said: Value,
    /// `applied`; `ignored` if it came too late; `pending` while nothing is decided.
    #[schemars(with = "crate::openapi::words::EventOutcome")]
    outcome: &'static str,
    created: Timestamp,
}

/// Answers with one page.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    mut params: Params,
) -> Result<Json<List<ActObject>>, RouteError> {
    let (list, url) = (params.list()?, params.path());
    params.finish()?;
    let (client, tenant_id) = (state.client().await?, caller.tenant_id);
    let pos = match list.cursor() {
        Some(id) => event_pos(&client, tenant_id, id).await?,
        None => None,
    };
    let page = list.page(pos)?;
    let found = audit_list(&client, tenant_id, &page).await?;
    Ok(Json(List::new(url, found, ActObject::from)))
}

impl From<Act> for ActObject {
    fn from(act: Act) -> Self {
        let text = |member: &str| act.body.get(member).and_then(Value::as_str);
        let case = text("case").and_then(|id| id.parse().ok());
        Self {
            object: "act",
            actor: text("actor").map(str::to_owned),
            case: case.map(|id| CaseId(id).to_string()),
            reason: text("reason").map(str::to_owned),
            id: act.source_id,
            position: act.pos,
            r#type: act.event_type,
            outcome: act.verdict.map_or("pending", |verdict| verdict.outcome.name()),
            said: act.body,
            created: act.received_at,
        }
    }
}
