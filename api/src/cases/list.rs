//! `GET /v1/cases?status=&reason=&user=&q=`: cases, the one that was opened last first.

use axum::Json;
use axum::extract::State;
use ledger::decision::{Outcome, Reason};
use store::read::cases::{Case, Filter, case_get, case_list, case_wait_list};

use super::{Summary, detail, summary};
use crate::auth::Caller;
use crate::error::RouteError;
use crate::list::List;
use crate::params::Params;
use crate::state::ApiState;

/// Answers with one page.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    mut params: Params,
) -> Result<Json<List<Summary>>, RouteError> {
    let filter = Filter {
        is_open: params.parsed("status", "open or closed", |text| match text {
            "open" => Some(true),
            "closed" => Some(false),
            _ => None,
        })?,
        reason: params.parsed("reason", "the reason of a case", |text| {
            Reason::from_name(text).filter(|reason| reason.outcome() == Outcome::InReview)
        })?,
        user: params.text("user")?,
        q: params.text("q")?,
    };
    let (list, url) = (params.list()?, params.path());
    params.finish()?;
    let (client, tenant_id) = (state.client().await?, caller.tenant_id);
    let cursor = match list.cursor().map(str::parse) {
        Some(Ok(id)) => case_get(&client, tenant_id, id).await?,
        Some(Err(_)) | None => None,
    };
    let page = list.page(cursor.map(|case| case.key()))?;
    let found = case_list(&client, tenant_id, &filter, &page).await?;
    let ids: Vec<_> = found.rows.iter().map(|case| case.id.0).collect();
    let waits = case_wait_list(&client, tenant_id, &ids).await?;
    let show = |case: Case| {
        let own = waits.iter().filter(|(id, _)| *id == case.id).map(|(_, key)| key.clone());
        summary(&case, &detail(&case), own.collect())
    };
    Ok(Json(List::new(url, found, show)))
}
