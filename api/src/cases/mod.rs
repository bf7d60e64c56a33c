//! Cases: what waits for a fact or for a person, and what staff do about it.

use jiff::Timestamp;
use rules::world::Detail;
use schemars::JsonSchema;
use serde::Serialize;
use service::problem::{Code, Problem};
use store::Client;
use store::read::cases::{Case, case_get};

use crate::error::RouteError;

pub(crate) mod act;
pub(crate) mod assign;
pub(crate) mod dismiss;
pub(crate) mod list;
pub(crate) mod retry;
pub(crate) mod show;

/// The part of a case object that lists show as well.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "CaseSummary")]
pub(crate) struct Summary {
    #[schemars(extend("const" = "case"))]
    object: &'static str,
    id: String,
    #[schemars(with = "crate::openapi::words::CaseStatus")]
    status: &'static str,
    #[schemars(with = "crate::openapi::words::CaseReason")]
    reason: &'static str,
    /// How it ended; null while it is open.
    #[schemars(with = "Option<crate::openapi::words::CaseResolution>")]
    resolution: Option<&'static str>,
    version: i32,
    payment: Option<String>,
    /// Position of the event that opened it.
    position: i64,
    /// Credits that it is worth; null while nobody knows.
    credits: Option<i64>,
    unit: Option<String>,
    /// Money paid, in the currency's minor unit.
    paid: Option<i64>,
    currency: Option<String>,
    waits_for: Vec<String>,
    created: Timestamp,
    /// When the clock decides it anew; null: when a fact or a person does.
    due: Option<Timestamp>,
    closed: Option<Timestamp>,
    closed_position: Option<i64>,
}

/// The case with this outward id, or 404.
async fn require(client: &Client, tenant_id: i32, id: &str) -> Result<Case, RouteError> {
    let found = match id.parse() {
        Ok(id) => case_get(client, tenant_id, id).await?,
        Err(_) => None,
    };
    Ok(found.ok_or_else(|| not_found(id))?)
}

fn not_found(id: &str) -> Problem {
    Problem::new(Code::CaseNotFound).param("id").detail(format!("There is no case {id}."))
}

/// What the projector wrote for staff. What cannot be read is shown as nothing, never as a failure: the case itself can
/// still be settled.
fn detail(case: &Case) -> Detail {
    serde_json::from_value(case.detail.clone()).unwrap_or_default()
}

fn summary(case: &Case, detail: &Detail, waits_for: Vec<String>) -> Summary {
    Summary {
        object: "case",
        id: case.id.to_string(),
        status: if case.resolution.is_none() { "open" } else { "closed" },
        reason: case.reason.name(),
        resolution: case.resolution.map(store::read::cases::Resolution::name),
        version: case.version,
        payment: case.root_key.clone(),
        position: case.pos,
        credits: detail.credits,
        unit: detail.unit.clone(),
        paid: detail.paid,
        currency: detail.currency.clone(),
        waits_for,
        created: case.opened_at,
        due: case.due,
        closed: case.closed_at,
        closed_position: case.closed_pos,
    }
}
