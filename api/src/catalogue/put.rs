//! `PUT /v1/catalogue/{key}`: says what one of a price, a lookup key or a product is worth, or that it does not concern us.
//!
//! It adds a version. The first one of a key counts for purchases of any time, a later one for those that are paid from
//! now on, unless `valid_from` says otherwise. Cases that wait for the key are decided anew; payments that were credited
//! before keep what they were worth then. To say once more what was said last changes nothing.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use ledger::chain::to_microseconds;
use rules::catalogue::{Entry, MAX_KEY_BYTES, Refusal, Said, is_key, is_moment};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use service::ids::time_ordered;
use service::problem::Problem;
use store::log::Origin;
use store::read::catalogue::{MAX_VERSIONS, Version, Versions, Worth, catalogue_versions};

use super::EntryObject;
use crate::acts::check_reason;
use crate::auth::Caller;
use crate::body::Body;
use crate::error::{RouteError, invalid, missing};
use crate::facts::Fact;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// Longest wait for the decision. A projector that runs needs milliseconds.
const DECIDED_WAIT: Duration = Duration::from_secs(2);

/// What one of it is worth: credits, or nothing of ours.
#[derive(Debug, JsonSchema, Deserialize)]
#[schemars(rename = "CatalogueSet")]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    #[schemars(with = "Option<crate::openapi::texts::Worth>")]
    credits: Option<i64>,
    #[schemars(with = "Option<crate::openapi::texts::Unit>")]
    unit: Option<String>,
    #[schemars(with = "Option<crate::openapi::texts::Expires>")]
    expires: Option<String>,
    priority: Option<i16>,
    #[serde(default)]
    not_ours: bool,
    valid_from: Option<Timestamp>,
    #[schemars(with = "Option<crate::openapi::texts::ReasonText>")]
    reason: Option<String>,
}

/// What is to be told.
struct Telling {
    worth: Option<Worth>,
    valid_from: Option<Timestamp>,
    reason: Option<String>,
    actor: String,
}

/// Answers with the version that says so. Where the projector is not running, it is stored all the same and counts as
/// soon as that runs.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(key): Id,
    params: Params,
    Body(mut request): Body<Request>,
) -> Result<Json<EntryObject>, RouteError> {
    params.finish()?;
    if !is_key(&key) {
        let detail = format!(
            "It is neither the id of a price or product nor lookup_key: and a lookup key, in at most {MAX_KEY_BYTES} bytes."
        );
        return Err(invalid("key", detail).into());
    }
    if request.credits.is_some() && !request.not_ours {
        let unit = state.unit(caller.tenant_id, request.unit.as_deref()).await?;
        request.unit = Some(unit.name);
    }
    let telling = request.judge(caller.actor())?;
    let (now, tenant_id) = (state.clock.now(), caller.tenant_id);
    let versions = catalogue_versions(&state.client().await?, tenant_id, &key).await?;
    if let Some(version) = telling.said_before(&versions, now) {
        return Ok(Json(EntryObject::new(key, version.clone())));
    }
    if i64::try_from(versions.decided.len()).is_ok_and(|count| count >= MAX_VERSIONS) {
        let detail = format!(
            "It has {MAX_VERSIONS} versions, and more would slow each purchase down: use another."
        );
        return Err(invalid("key", detail).into());
    }
    let routing_key = format!("price:{key}");
    let fact = Fact {
        origin: Origin::Catalogue,
        event_type: "tally.catalogue.set",
        source_id: format!("{routing_key}:{}", time_ordered(now)),
        routing_key,
        members: telling.members(&key),
    };
    let pos = state.tell(tenant_id, fact).await?.pos();
    let stored = match state.decided(tenant_id, pos, DECIDED_WAIT).await? {
        Some(_) => catalogue_versions(&state.client().await?, tenant_id, &key).await?,
        None => Versions::default(),
    };
    let stored = stored.decided.into_iter().find(|version| version.from_pos == pos);
    Ok(Json(EntryObject::new(key, stored.unwrap_or_else(|| telling.at(pos, now)))))
}

impl Request {
    fn judge(self, actor: String) -> Result<Telling, Problem> {
        let Self { credits, unit, expires, priority, not_ours, valid_from, reason } = self;
        if credits.is_none() && !not_ours {
            return Err(missing("credits"));
        }
        if valid_from.is_some_and(|moment| !is_moment(moment)) {
            return Err(invalid("valid_from", "It is before 1970."));
        }
        if let Some(reason) = &reason {
            check_reason(reason)?;
        }
        let said = Said { credits, unit, expires, priority, not_ours };
        let entry = said
            .judge()
            .map_err(|Refusal { member, problem }| invalid(member, format!("It {problem}.")))?;
        let worth = match entry {
            Entry::NotOurs => None,
            Entry::Credits(worth) => Some(Worth {
                credits: worth.credits,
                unit: worth.unit,
                expires: worth.expires.map(|expires| expires.to_string()),
                priority: worth.priority,
            }),
        };
        Ok(Telling { worth, valid_from: valid_from.map(to_microseconds), reason, actor })
    }
}

impl Telling {
    fn said_before<'a>(&self, versions: &'a Versions, now: Timestamp) -> Option<&'a Version> {
        versions.saying(self.worth.as_ref(), self.valid_from, now)
    }

    /// What the fact says.
    fn members(&self, key: &str) -> Map<String, Value> {
        let worth = self.worth.as_ref();
        let said = [
            ("price", Some(json!(key))),
            ("credits", worth.map(|worth| json!(worth.credits))),
            ("unit", worth.map(|worth| json!(worth.unit))),
            (
                "expires",
                worth.and_then(|worth| worth.expires.as_ref()).map(|expires| json!(expires)),
            ),
            ("priority", worth.map(|worth| json!(worth.priority))),
            ("not_ours", worth.is_none().then_some(Value::Bool(true))),
            ("valid_from", self.valid_from.map(|moment| json!(moment))),
            ("reason", self.reason.as_ref().map(|reason| json!(reason))),
            ("actor", Some(json!(self.actor))),
        ];
        said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    /// The version that it will be; from when it counts is decided where it does not say.
    fn at(self, from_pos: i64, created_at: Timestamp) -> Version {
        let Self { worth, valid_from, reason, actor } = self;
        Version { from_pos, valid_from, worth, created_at, actor: Some(actor), reason }
    }
}
