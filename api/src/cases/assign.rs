//! `POST /v1/cases/{id}/assign`: a person says whose a payment is, and what it is worth where nobody knows.

use axum::Json;
use axum::extract::State;
use ledger::DEFAULT_UNIT;
use rules::world::Detail;
use rules::worth::{MAX_CREDITS, is_unit};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};
use service::problem::{Code, Problem};
use store::read::users::user_get_decided;

use super::act::{act, open_case};
use super::detail;
use super::show::CaseObject;
use crate::acts::check_reason;
use crate::auth::Caller;
use crate::body::Body;
use crate::error::{RouteError, invalid, missing};
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;
use crate::users::not_found;

/// Whose it is, and why.
#[derive(Debug, JsonSchema, Deserialize)]
#[schemars(rename = "CaseAssign")]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    #[schemars(with = "crate::openapi::texts::UserId")]
    user: String,
    #[schemars(with = "crate::openapi::texts::ReasonText")]
    reason: String,
    #[schemars(with = "Option<crate::openapi::texts::Worth>")]
    credits: Option<i64>,
    #[schemars(with = "Option<crate::openapi::texts::Unit>")]
    unit: Option<String>,
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
    let client = state.client().await?;
    let case = open_case(&client, &caller, &id, request.version).await?;
    if case.root_key.is_none() {
        let detail =
            "There is no payment in this case that could be somebody's. Retry it or dismiss it.";
        return Err(Problem::new(Code::Conflict).detail(detail).into());
    }
    let mut worth = worth(&request, &detail(&case))?;
    if let Some((_, unit)) = &mut worth {
        *unit = state.unit(caller.tenant_id, request.unit.as_deref()).await?.name;
    }
    if user_get_decided(&client, caller.tenant_id, &request.user).await?.is_none() {
        return Err(not_found(&request.user).into());
    }
    drop(client);
    let mut members = Map::from_iter([
        ("user".to_owned(), json!(request.user)),
        ("reason".to_owned(), json!(request.reason)),
    ]);
    if let Some((credits, unit)) = worth {
        members.insert("credits".into(), json!(credits));
        members.insert("unit".into(), json!(unit));
    }
    Ok(Json(act(&state, &caller, &case, "tally.case.assigned", members).await?))
}

/// What the person says that it is worth: only, and always, where the facts do not.
fn worth(request: &Request, detail: &Detail) -> Result<Option<(i64, String)>, Problem> {
    let unit = request.unit.as_deref();
    if let Some(known) = detail.credits {
        let known_unit = detail.unit.as_deref().unwrap_or(DEFAULT_UNIT);
        if request.credits.is_some_and(|credits| credits != known) {
            let detail = format!("The payment is worth {known} {known_unit}; leave credits out.");
            return Err(invalid("credits", detail));
        }
        if unit.is_some_and(|unit| unit != known_unit) {
            let detail = format!("The payment is worth {known} {known_unit}; leave unit out.");
            return Err(invalid("unit", detail));
        }
        return Ok(None);
    }
    let Some(credits) = request.credits else {
        let detail = "Nobody knows what this payment is worth: say how many credits.";
        return Err(missing("credits").detail(detail));
    };
    if !(1..=MAX_CREDITS).contains(&credits) {
        return Err(invalid(
            "credits",
            format!("It is not a whole number from 1 to {MAX_CREDITS}."),
        ));
    }
    let unit = unit.unwrap_or(DEFAULT_UNIT);
    if !is_unit(unit) {
        return Err(invalid("unit", "It is not the name of a unit."));
    }
    Ok(Some((credits, unit.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        said: (Option<i64>, Option<&str>),
        known: Option<i64>,
        expected: Result<Option<(i64, &str)>, &str>,
    ) {
        let request = Request {
            user: "u_1".into(),
            reason: "asked".into(),
            credits: said.0,
            unit: said.1.map(str::to_owned),
            version: None,
        };
        let unit = known.map(|_| "credits".to_owned());
        let found = worth(&request, &Detail { credits: known, unit, ..Detail::default() });
        let found = found.map_err(|problem| problem.param.unwrap_or_default());
        let expected =
            expected.map(|worth| worth.map(|(credits, unit)| (credits, unit.to_owned())));
        assert_eq!(found, expected.map_err(str::to_owned), "{said:?} {known:?}");
    }

    #[test]
    fn a_person_says_the_worth_where_the_facts_do_not() {
        check((None, None), Some(500), Ok(None));
        check((Some(500), Some("credits")), Some(500), Ok(None));
        check((Some(400), None), Some(500), Err("credits"));
        check((None, Some("seats")), Some(500), Err("unit"));
        check((None, None), None, Err("credits"));
        check((Some(0), None), None, Err("credits"));
        check((Some(-5), None), None, Err("credits"));
        check((Some(MAX_CREDITS + 1), None), None, Err("credits"));
        check((Some(5), Some("")), None, Err("unit"));
        check((Some(5), None), None, Ok(Some((5, "credits"))));
        check((Some(5), Some("seats")), None, Ok(Some((5, "seats"))));
    }
}
