//! From authentic bytes to a row of the log. Nothing is refused here: what cannot be understood is stored all the same,
//! and whoever decides sees to it.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use service::http::traceparent;
use sha2::{Digest as _, Sha256};
use store::log::{MAX_KEY_BYTES, NewEvent, Origin, Source, slot_of};
use stripe::envelope::{self, Envelope};

use crate::config::Endpoint;

/// Longest User-Agent that is kept, in characters. Stripe's has 50.
const USER_AGENT_CHARS_MAX: usize = 200;

/// A delivery whose signature was verified.
pub(crate) struct Authentic<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) signature: &'a HeaderValue,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) received_at: Timestamp,
    pub(crate) body: Bytes,
}

/// What to append, and to whose log.
pub(crate) fn new_event(delivery: Authentic<'_>) -> (i32, NewEvent) {
    let body_sha256: [u8; 32] = Sha256::digest(&delivery.body).into();
    let envelope = envelope::peek(&delivery.body).ok().filter(has_a_key_that_fits);
    let livemode = envelope.as_ref().and_then(|envelope| envelope.livemode);
    let said = envelope.map_or_else(|| Said::nothing(&body_sha256), Said::of);
    let event = NewEvent {
        origin: Origin::Stripe,
        source: Source::Webhook,
        slot: slot_of(said.routing_key.as_deref().unwrap_or(&said.source_id)),
        account: said.account,
        source_id: said.source_id,
        event_type: said.event_type,
        root_key: said.root_key,
        livemode,
        api_version: said.api_version,
        endpoint: delivery.endpoint.name.clone(),
        user_agent: user_agent(delivery.headers),
        peer: delivery.peer.map(|peer| peer.ip().to_string()),
        occurred_at: said.created.unwrap_or(delivery.received_at),
        received_at: delivery.received_at,
        body_sha256,
        body: delivery.body,
        signature: delivery.signature.to_str().ok().map(ToOwned::to_owned),
        traceparent: traceparent(delivery.headers).map(ToOwned::to_owned),
    };
    (delivery.endpoint.tenants.tenant_of(livemode), event)
}

/// User-Agent as it was sent, cut.
pub(crate) fn user_agent(headers: &HeaderMap) -> Option<String> {
    let value = String::from_utf8_lossy(headers.get(header::USER_AGENT)?.as_bytes());
    Some(value.chars().take(USER_AGENT_CHARS_MAX).collect())
}

/// What the bytes say of themselves, as far as the log has columns for it.
struct Said {
    account: String,
    source_id: String,
    event_type: String,
    root_key: Option<String>,
    routing_key: Option<String>,
    api_version: Option<String>,
    created: Option<Timestamp>,
}

impl Said {
    fn of(envelope: Envelope) -> Self {
        Self {
            account: envelope.account.unwrap_or_default(),
            source_id: envelope.id,
            event_type: envelope.event_type,
            root_key: envelope.root_key,
            routing_key: envelope.routing_key,
            api_version: envelope.api_version,
            created: envelope.created,
        }
    }

    /// Bytes that are no event: the same bytes are the same delivery.
    fn nothing(body_sha256: &[u8; 32]) -> Self {
        Self {
            account: String::new(),
            source_id: format!("sha256:{}", hex::encode(body_sha256)),
            event_type: String::new(),
            root_key: None,
            routing_key: None,
            api_version: None,
            created: None,
        }
    }
}

/// Ids of 255 characters are at most twice as many bytes as the log's key may have, if they are in a script that no id
/// of Stripe's was ever in.
fn has_a_key_that_fits(envelope: &Envelope) -> bool {
    let account = envelope.account.as_deref().unwrap_or_default();
    account.len().saturating_add(envelope.id.len()) <= MAX_KEY_BYTES
}
