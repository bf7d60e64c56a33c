//! `GET /v1/events?type=&outcome=&reason=&created[…]=`: the log, newest first.

use axum::Json;
use axum::extract::State;
use ledger::decision::{Outcome, Reason};
use store::read::events::{Filter, event_list, event_pos};

use super::{EventObject, PENDING};
use crate::auth::Caller;
use crate::error::RouteError;
use crate::list::List;
use crate::params::Params;
use crate::state::ApiState;

/// What the store calls an outcome that is not there yet.
const PENDING_CODE: i16 = 0;

/// Answers with one page.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    mut params: Params,
) -> Result<Json<List<EventObject>>, RouteError> {
    let span = params.created()?;
    let filter =
        Filter {
            event_type: params.text("type")?,
            outcome: params.parsed("outcome", "pending or an outcome of decisions", |text| {
                match text {
                    PENDING => Some(PENDING_CODE),
                    text => Outcome::from_name(text).map(Outcome::code),
                }
            })?,
            reason: params.parsed("reason", "a reason of decisions", |text| {
                Reason::from_name(text).map(Reason::code)
            })?,
            from: span.from,
            until: span.until,
        };
    let (list, url) = (params.list()?, params.path());
    params.finish()?;
    let (client, tenant_id) = (state.client().await?, caller.tenant_id);
    let pos = match list.cursor() {
        Some(id) => event_pos(&client, tenant_id, id).await?,
        None => None,
    };
    let page = list.page(pos)?;
    let found = event_list(&client, tenant_id, &filter, &page).await?;
    Ok(Json(List::new(url, found, EventObject::from)))
}
