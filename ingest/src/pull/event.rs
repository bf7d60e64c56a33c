//! From a pulled object to a row of the log.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::log::{NewEvent, Origin, Source, slot_of};
use stripe::envelope;

use super::api::STRIPE_VERSION;
use super::failure::Failure;
use super::object::Pulled;
use super::path::Wanted;

/// Type of the events that tell of a pulled object.
const EVENT_TYPE: &str = "tally.pulled";

/// Digits of the body's hash that stand in the id: enough to tell the answers to one question apart.
const HASH_DIGITS: usize = 16;

/// What to append. The same answer to the same question has the same id, so it is stored once; and for a thin event there is
/// one answer.
pub(super) fn new_event(
    wanted: &Wanted,
    Pulled { object, body, said_at }: Pulled,
    livemode: bool,
    now: Timestamp,
) -> Result<NewEvent, Failure> {
    // Some objects do not say their mode; the key's is that of the tenant all the same.
    let says = object.get("livemode").and_then(Value::as_bool);
    if says.is_some_and(|says| says != livemode) {
        return Err(Failure::OtherMode);
    }
    let body_sha256: [u8; 32] = Sha256::digest(&body).into();
    let mut source_id = wanted.key.clone();
    if !wanted.is_once {
        let mut hash = hex::encode(body_sha256);
        hash.truncate(HASH_DIGITS);
        source_id = format!("{source_id}#{hash}");
    }
    // Its keys are those that it would have in one of Stripe's own events, so that both come into one lane.
    let told = json!({
        "object": "event", "id": wanted.id, "type": EVENT_TYPE, "account": wanted.account, "livemode": says,
        "data": {"object": object},
    });
    let envelope = envelope::read(&told).map_err(|_not_an_event| Failure::Unreadable)?;
    Ok(NewEvent {
        origin: Origin::Stripe,
        source: Source::Backfill,
        account: envelope.account.unwrap_or_default(),
        slot: slot_of(envelope.routing_key.as_deref().unwrap_or(&source_id)),
        source_id,
        event_type: envelope.event_type,
        root_key: envelope.root_key,
        livemode: envelope.livemode,
        api_version: Some(STRIPE_VERSION.to_owned()),
        endpoint: None,
        user_agent: None,
        peer: None,
        // It is how things are now, not how they were when the object was made; by the clock that dates Stripe's events.
        occurred_at: said_at.unwrap_or(now),
        received_at: now,
        body_sha256,
        body,
        signature: None,
        traceparent: None,
    })
}
