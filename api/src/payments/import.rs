//! `POST /v1/payments/{id}/import`: a payment that another system credited before this one kept the books.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use ledger::decision::Outcome;
use rules::imported::is_object_of_payment;
use rules::worth::{is_credits, is_unit};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use service::problem::{Code, Problem};
use store::log::{Appended, Origin, event_get};
use store::read::users::user_get_decided;

use super::require;
use super::show::Shown;
use crate::acts::DECIDED_WAIT;
use crate::auth::Caller;
use crate::body::Body;
use crate::commands::REPLAYED;
use crate::error::{RouteError, invalid};
use crate::facts::Fact;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;
use crate::users::not_found;

/// What the other system did with it.
#[derive(Debug, JsonSchema, Deserialize)]
#[schemars(rename = "PaymentImport")]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Whom it credited.
    #[schemars(with = "crate::openapi::texts::UserId")]
    user: String,
    /// What it gave, in the unit's smallest part.
    #[schemars(range(min = 1, max = 1_000_000_000_000_000_i64))]
    credits: i64,
    #[schemars(with = "Option<crate::openapi::texts::Unit>")]
    unit: Option<String>,
    /// What of it that system took back again, because money was refunded or disputed.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000_000_000_000_i64))]
    reversed: i64,
    /// Money paid, in the currency's minor unit. What Stripe says of it counts more.
    #[schemars(range(min = 0))]
    paid: Option<i64>,
    /// ISO 4217 code, lower case.
    #[schemars(regex(pattern = "^[a-z]{3}$"))]
    currency: Option<String>,
    paid_at: Option<Timestamp>,
}

/// Answers 201 with the payment, also if just this was imported before. A payment is imported once by each of its ids.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    params: Params,
    Body(request): Body<Request>,
) -> Result<Response, RouteError> {
    params.finish()?;
    check(&id, &request)?;
    let tenant_id = caller.tenant_id;
    let client = state.client().await?;
    if user_get_decided(&client, tenant_id, &request.user).await?.is_none() {
        return Err(not_found(&request.user).into());
    }
    drop(client);
    let unit = state.unit(tenant_id, request.unit.as_deref()).await?.name;
    let said = said(&id, &request, &unit);
    let mut members = said.clone();
    members.insert("actor".to_owned(), json!(caller.actor()));
    let fact = Fact {
        origin: Origin::Operator,
        event_type: "tally.payment.imported",
        source_id: format!("import:{id}"),
        routing_key: id.clone(),
        members,
    };
    let (pos, is_replayed) = match state.tell(tenant_id, fact).await? {
        Appended::Stored(pos) => (pos, false),
        Appended::Duplicate(pos) => (pos, true),
    };
    let client = state.client().await?;
    if is_replayed && !says(&client, tenant_id, pos, &said).await? {
        let detail = format!(
            "The payment was imported otherwise before, at position {pos}. What is wrong with that can be reassigned, or \
             corrected by a grant."
        );
        return Err(Problem::new(Code::Conflict).detail(detail).with("position", pos).into());
    }
    drop(client);
    applied(&state, tenant_id, pos).await?;
    let client = state.client().await?;
    let payment = require(&client, tenant_id, &id).await?;
    let shown = Json(Shown::read(&client, tenant_id, payment).await?);
    let replayed = is_replayed.then(|| [(REPLAYED, HeaderValue::from_static("true"))]);
    Ok((StatusCode::CREATED, replayed, shown).into_response())
}

/// Refuses what the log would have to hold unread.
fn check(id: &str, request: &Request) -> Result<(), Problem> {
    let Request { credits, unit, reversed, paid, currency, .. } = request;
    if !is_object_of_payment(id) {
        return Err(invalid(
            "id",
            "That is no id of a session, payment intent, charge or invoice.",
        ));
    }
    if !is_credits(*credits) {
        return Err(invalid(
            "credits",
            "That is no number of credits that a payment can be worth.",
        ));
    }
    if unit.as_deref().is_some_and(|unit| !is_unit(unit)) {
        return Err(invalid("unit", "That cannot be the name of a unit."));
    }
    if !(0..=*credits).contains(reversed) {
        return Err(invalid("reversed", "It is from 0 to all of the credits."));
    }
    if paid.is_some_and(i64::is_negative) {
        return Err(invalid("paid", "Nobody pays less than nothing."));
    }
    let is_code = |code: &String| code.len() == 3 && code.bytes().all(|b| b.is_ascii_lowercase());
    if !currency.as_ref().is_none_or(is_code) {
        return Err(invalid("currency", "It is an ISO 4217 code in lower case, such as usd."));
    }
    Ok(())
}

/// What is said of the payment, whoever says so.
fn said(id: &str, request: &Request, unit: &str) -> Map<String, Value> {
    let members = [
        ("payment", json!(id)),
        ("user", json!(request.user)),
        ("credits", json!(request.credits)),
        ("unit", json!(unit)),
        ("reversed", json!(request.reversed)),
        ("paid", json!(request.paid)),
        ("currency", json!(request.currency)),
        ("paid_at", json!(request.paid_at)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whether the event at this position says the same.
async fn says(
    client: &store::Client,
    tenant_id: i32,
    pos: i64,
    said: &Map<String, Value>,
) -> Result<bool, RouteError> {
    let body = event_get(client, tenant_id, pos).await?.and_then(|event| event.body);
    let told: Map<String, Value> =
        body.and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
    Ok(said.iter().all(|(name, value)| told.get(name) == Some(value)))
}

/// Waits until the import is part of the books.
async fn applied(state: &ApiState, tenant_id: i32, pos: i64) -> Result<(), RouteError> {
    let (code, detail) = match state.decided(tenant_id, pos, DECIDED_WAIT).await? {
        Some(verdict) if verdict.reason.outcome() == Outcome::Applied => return Ok(()),
        Some(verdict) => {
            let why = verdict.reason.name();
            let detail =
                format!("The import is stored at position {pos}, and came to nothing ({why}).");
            (Code::Conflict, detail)
        }
        None => {
            let detail = format!(
                "The import is stored at position {pos} and will be applied as soon as the projector comes to it."
            );
            (Code::NotDecidedYet, detail)
        }
    };
    Err(Problem::new(code).detail(detail).with("position", pos).into())
}
