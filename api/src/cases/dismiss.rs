//! `POST /v1/cases/{id}/dismiss`: a person says that no credits are due. Credits that stand unclaimed have to be written
//! off for that, which needs an approver.

use axum::Json;
use axum::extract::State;
use ledger::ids::Owner;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};
use service::problem::{Code, Problem};
use store::Client;
use store::read::cases::Case;
use store::read::payments::{payment_get, payment_leg_list};

use super::act::{act, open_case};
use super::show::CaseObject;
use crate::acts::check_reason;
use crate::auth::{Caller, WRITE_OFF};
use crate::body::Body;
use crate::error::RouteError;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// Why.
#[derive(Debug, JsonSchema, Deserialize)]
#[schemars(rename = "CaseDismiss")]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    #[schemars(with = "crate::openapi::texts::ReasonText")]
    reason: String,
    /// Writes off what stands unclaimed.
    #[serde(default)]
    write_off: bool,
    /// Version of the case that was looked at; the newest one if left out.
    version: Option<i32>,
}

/// Answers with the case as it is after the act: 409 if somebody else was faster.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    params: Params,
    Body(request): Body<Request>,
) -> Result<Json<CaseObject>, RouteError> {
    params.finish()?;
    check_reason(&request.reason)?;
    if request.write_off && !caller.is_at_least(WRITE_OFF) {
        let detail = format!("Writing credits off needs a key of role {}.", WRITE_OFF.name());
        return Err(Problem::new(Code::Forbidden).param("write_off").detail(detail).into());
    }
    let client = state.client().await?;
    let case = open_case(&client, &caller, &id, request.version).await?;
    let unclaimed = unclaimed(&client, caller.tenant_id, &case).await?;
    drop(client);
    if let Some((credits, unit)) = unclaimed
        && !request.write_off
    {
        let detail = format!(
            "{credits} {unit} of this payment are paid and stand unclaimed. Assign them to a user, or have an approver \
             dismiss the case with write_off."
        );
        return Err(Problem::new(Code::Conflict).detail(detail).with("unclaimed", credits).into());
    }
    let members = Map::from_iter([
        ("reason".to_owned(), json!(request.reason)),
        ("write_off".to_owned(), json!(request.write_off)),
    ]);
    Ok(Json(act(&state, &caller, &case, "tally.case.dismissed", members).await?))
}

/// Credits of the case's payment that nobody has claimed, and their unit.
async fn unclaimed(
    client: &Client,
    tenant_id: i32,
    case: &Case,
) -> Result<Option<(i64, String)>, RouteError> {
    let Some(root_key) = &case.root_key else { return Ok(None) };
    let payment = payment_get(client, tenant_id, root_key).await?;
    let unclaimed = payment.filter(|payment| matches!(payment.owner, Some(Owner::Unclaimed(_))));
    let Some(payment) = unclaimed else { return Ok(None) };
    let legs = payment_leg_list(client, tenant_id, &payment.root_key).await?;
    let posted = legs.into_iter().find(|leg| leg.posted != 0);
    Ok(posted.map(|leg| (leg.posted, leg.unit)))
}
