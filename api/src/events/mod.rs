//! Events: what someone told us, and what was decided of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use service::problem::{Code, Problem};
use store::Client;
use store::log::{Event, Origin, Source};
use store::read::events::{Envelope, event_pos};

use crate::error::RouteError;

pub(crate) mod list;
pub(crate) mod payload;
pub(crate) mod show;

/// What an event is called where nothing is decided of it yet.
const PENDING: &str = "pending";

/// The part of an event object that lists show as well.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Event")]
pub(crate) struct EventObject {
    #[schemars(extend("const" = "event"))]
    object: &'static str,
    /// The speaker's own id: Stripe's `evt_…`.
    id: String,
    position: i64,
    r#type: String,
    #[schemars(with = "crate::openapi::words::EventOrigin")]
    origin: &'static str,
    #[schemars(with = "crate::openapi::words::EventSource")]
    source: &'static str,
    /// Stripe Connect account.
    account: Option<String>,
    /// The Stripe object that it names first.
    names: Option<String>,
    livemode: Option<bool>,
    api_version: Option<String>,
    endpoint: Option<String>,
    /// Whether Stripe's signature is kept with it.
    signed: bool,
    body_sha256: String,
    /// Length of the body; null after erasure.
    body_bytes: Option<i32>,
    #[schemars(with = "crate::openapi::words::EventOutcome")]
    outcome: &'static str,
    #[schemars(with = "Option<crate::openapi::words::DecisionReason>")]
    reason: Option<&'static str>,
    created: Timestamp,
    received: Timestamp,
}

/// The bytes of an event, in a form that JSON can hold.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "EventPayload")]
pub(crate) struct Payload {
    /// Event that they belong to.
    event: String,
    sha256: String,
    /// `utf-8` or `base64`.
    #[schemars(with = "crate::openapi::words::Encoding")]
    encoding: &'static str,
    text: String,
}

impl Payload {
    /// The bytes of `event`; `None` after erasure.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let body = event.body.as_ref()?;
        let (encoding, text) = match std::str::from_utf8(body) {
            Ok(text) => ("utf-8", text.to_owned()),
            Err(_) => ("base64", STANDARD.encode(body)),
        };
        let sha256 = hex::encode(event.body_sha256);
        Some(Self { event: event.source_id.clone(), sha256, encoding, text })
    }
}

impl From<Envelope> for EventObject {
    fn from(event: Envelope) -> Self {
        Self {
            object: "event",
            id: event.source_id,
            position: event.pos,
            r#type: event.event_type,
            origin: origin(event.origin),
            source: source(event.source),
            account: Some(event.account).filter(|account| !account.is_empty()),
            names: event.root_key,
            livemode: event.livemode,
            api_version: event.api_version,
            endpoint: event.endpoint,
            signed: event.is_signed,
            body_sha256: hex::encode(&event.body_sha256),
            body_bytes: event.body_bytes,
            outcome: event.verdict.map_or(PENDING, |verdict| verdict.outcome.name()),
            reason: event.verdict.map(|verdict| verdict.reason.name()),
            created: event.occurred_at,
            received: event.received_at,
        }
    }
}

/// Where the event stands that a person calls `id`: by its speaker's id, else by its position. 404 if there is none.
pub(crate) async fn find(client: &Client, tenant_id: i32, id: &str) -> Result<i64, RouteError> {
    if let Some(pos) = event_pos(client, tenant_id, id).await? {
        return Ok(pos);
    }
    let pos = id.parse().ok().filter(|pos| *pos > 0);
    Ok(pos.ok_or_else(|| not_found(id))?)
}

/// The refusal for an event that nobody told.
pub(crate) fn not_found(id: &str) -> Problem {
    Problem::new(Code::EventNotFound).param("id").detail(format!("There is no event {id}."))
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Stripe => "stripe",
        Origin::Operator => "operator",
        Origin::Directory => "directory",
        Origin::Catalogue => "catalogue",
        Origin::Clock => "clock",
    }
}

fn source(source: Source) -> &'static str {
    match source {
        Source::Webhook => "webhook",
        Source::Backfill => "backfill",
        Source::Import => "import",
        Source::Api => "api",
        Source::Cli => "cli",
    }
}
