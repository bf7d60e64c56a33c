//! How a fact becomes an event of the log.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use store::Error;
use store::log::{Appended, MAX_BATCH_EVENTS, NewEvent, Origin, Source, append, slot_of};

use crate::Keeper;

/// Most facts that are told together: one append.
pub(crate) const FACTS_MAX: usize = MAX_BATCH_EVENTS;

/// Something that the keeper found out.
pub(crate) struct Fact {
    pub(crate) origin: Origin,
    pub(crate) source: Source,
    /// `tally.…`.
    pub(crate) event_type: &'static str,
    /// Its id: the same fact told again is a duplicate.
    pub(crate) source_id: String,
    /// What it is about: decides the lane.
    pub(crate) routing_key: String,
    /// Everything else that it says.
    pub(crate) members: Map<String, Value>,
}

impl Keeper {
    /// Appends facts, at most [`FACTS_MAX`], and hints the projector; how many of them were new.
    pub(crate) async fn tell(&self, tenant_id: i32, facts: Vec<Fact>) -> Result<u64, Error> {
        if facts.is_empty() {
            return Ok(0);
        }
        let now = self.clock.now();
        let events: Vec<NewEvent> = facts.into_iter().map(|fact| fact.into_event(now)).collect();
        let appended = append(&self.store, tenant_id, &events).await?;
        let mut slots = 0_u64;
        let mut new = 0_u64;
        for (event, appended) in events.iter().zip(appended) {
            if let Appended::Stored(_) = appended {
                let slot = u32::try_from(event.slot).unwrap_or_default();
                slots |= 1_u64.checked_shl(slot).unwrap_or_default();
                new = new.saturating_add(1);
            }
        }
        if slots != 0 {
            self.notifier.notify_events(tenant_id, slots);
        }
        Ok(new)
    }
}

impl Fact {
    fn into_event(self, now: jiff::Timestamp) -> NewEvent {
        let mut body = Map::from_iter([
            ("object".to_owned(), json!("tally.event")),
            ("type".to_owned(), json!(self.event_type)),
        ]);
        body.extend(self.members);
        let body = Value::Object(body).to_string();
        NewEvent {
            origin: self.origin,
            source: self.source,
            account: String::new(),
            source_id: self.source_id,
            event_type: self.event_type.to_owned(),
            root_key: None,
            slot: slot_of(&self.routing_key),
            livemode: None,
            api_version: None,
            endpoint: None,
            user_agent: None,
            peer: None,
            occurred_at: now,
            received_at: now,
            body_sha256: Sha256::digest(&body).into(),
            body: Bytes::from(body),
            signature: None,
            traceparent: None,
        }
    }
}
