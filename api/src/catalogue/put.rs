//! `PUT /v1/catalogue/{price}`: says what one of a price is worth from now on, or that it does not concern us. Payments
//! that were credited before keep what they were worth then; cases that waited for this price are decided anew.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use ledger::DEFAULT_UNIT;
use rules::worth::MAX_CREDITS;
use serde::Deserialize;
use serde_json::{Map, json};
use service::ids::time_ordered;
use service::problem::Problem;
use store::log::Origin;
use store::read::catalogue::{Entry, catalogue_get};

use super::{EntryObject, show};
use crate::auth::Caller;
use crate::body::Body;
use crate::error::{RouteError, invalid, missing};
use crate::facts::Fact;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;
use crate::users::is_unit;

/// Longest wait for the decision. A projector that runs needs milliseconds.
const DECIDED_WAIT: Duration = Duration::from_secs(2);

/// Longest id of a price, in bytes.
const PRICE_MAX_BYTES: usize = 255;

/// What one of it is worth: credits, or nothing of ours.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    credits: Option<i64>,
    unit: Option<String>,
    #[serde(default)]
    not_ours: bool,
}

/// Answers with the entry. Where the projector is not running, the entry is stored all the same and holds as soon as it
/// runs.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(price): Id,
    params: Params,
    Body(request): Body<Request>,
) -> Result<Json<EntryObject>, RouteError> {
    params.finish()?;
    if price.len() > PRICE_MAX_BYTES || price.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(invalid("price", "It is not the id of a price.").into());
    }
    let worth = request.worth()?;
    let mut members = Map::from_iter([
        ("price".to_owned(), json!(price)),
        ("actor".to_owned(), json!(caller.key_id)),
    ]);
    match &worth {
        Some((credits, unit)) => {
            members.insert("credits".into(), json!(credits));
            members.insert("unit".into(), json!(unit));
        }
        None => drop(members.insert("not_ours".into(), json!(true))),
    }
    let (now, routing_key) = (state.clock.now(), format!("price:{price}"));
    let fact = Fact {
        origin: Origin::Catalogue,
        event_type: "tally.catalogue.set",
        source_id: format!("{routing_key}:{}", time_ordered(now)),
        routing_key,
        members,
    };
    let pos = state.tell(caller.tenant_id, fact).await?.pos();
    let stored = match state.decided(caller.tenant_id, pos, DECIDED_WAIT).await? {
        Some(_) => catalogue_get(&state.client().await?, caller.tenant_id, &price).await?,
        None => None,
    };
    let told = Entry { from_pos: pos, worth, created_at: now };
    Ok(Json(show(price, stored.unwrap_or(told))))
}

impl Request {
    /// Credits and unit; `None`: not ours.
    fn worth(&self) -> Result<Option<(i64, String)>, Problem> {
        match (self.not_ours, self.credits) {
            (true, None) if self.unit.is_none() => Ok(None),
            (true, _) => {
                Err(invalid("not_ours", "What is not ours has neither credits nor a unit."))
            }
            (false, None) => Err(missing("credits")),
            (false, Some(credits)) if !(1..=MAX_CREDITS).contains(&credits) => Err(invalid(
                "credits",
                format!("It is not a whole number from 1 to {MAX_CREDITS}."),
            )),
            (false, Some(credits)) => {
                let unit = self.unit.as_deref().unwrap_or(DEFAULT_UNIT);
                if !is_unit(unit) {
                    return Err(invalid("unit", "It is not the name of a unit."));
                }
                Ok(Some((credits, unit.to_owned())))
            }
        }
    }
}
