//! The catalogue: what one of a price is worth, since when, and until when its credits last.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use store::read::catalogue::Version;

pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod put;

/// The catalogue entry object: its key, and one of its versions.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "CatalogueEntry")]
pub(crate) struct EntryObject {
    #[schemars(extend("const" = "catalogue_entry"))]
    object: &'static str,
    /// Stripe's `price_…` or `prod_…`, or `lookup_key:…`.
    key: String,
    #[serde(flatten)]
    version: VersionObject,
}

/// One version of an entry.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "CatalogueVersion")]
pub(crate) struct VersionObject {
    /// Purchases do not concern us.
    not_ours: bool,
    /// Credits per quantity of one, in the unit's smallest part.
    credits: Option<i64>,
    unit: Option<String>,
    /// How long they last: an ISO 8601 duration, or `period_end`; null: for ever.
    expires: Option<String>,
    /// Lower is drawn first.
    priority: Option<i16>,
    /// Purchases that were paid from then on count by it; null: from ever.
    valid_from: Option<Timestamp>,
    /// Why it was set, in the actor's words.
    reason: Option<String>,
    /// Who set it.
    actor: Option<String>,
    created: Timestamp,
    /// Position that set it.
    position: i64,
}

impl EntryObject {
    /// The entry with this version of it.
    fn new(key: String, version: Version) -> Self {
        Self { object: "catalogue_entry", key, version: version.into() }
    }
}

impl From<Version> for VersionObject {
    fn from(version: Version) -> Self {
        let (worth, said) = (version.worth.clone(), version);
        let credits = worth.as_ref().map(|worth| worth.credits);
        let priority = worth.as_ref().map(|worth| worth.priority);
        let expires = worth.as_ref().and_then(|worth| worth.expires.clone());
        Self {
            not_ours: worth.is_none(),
            credits,
            unit: worth.map(|worth| worth.unit),
            expires,
            priority,
            valid_from: said.valid_from,
            reason: said.reason,
            actor: said.actor,
            created: said.created_at,
            position: said.from_pos,
        }
    }
}
