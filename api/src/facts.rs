//! What the API itself puts into the log: facts of people and of the app, appended like everything else.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use store::log::{
    Appended, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, NewEvent, Origin, Source, append, slot_of,
};
use store::read::decisions::{Verdict, are_decided, decision_first};

use crate::error::RouteError;
use crate::state::ApiState;

/// A fact that is to be told.
#[derive(Debug)]
pub(crate) struct Fact {
    /// Who speaks.
    pub(crate) origin: Origin,
    /// Its type, `tally.…`.
    pub(crate) event_type: &'static str,
    /// Its id: what was told under it before is told already.
    pub(crate) source_id: String,
    /// What it is about: decides the lane.
    pub(crate) routing_key: String,
    /// Everything else that its body says.
    pub(crate) members: Map<String, Value>,
}

impl ApiState {
    /// Appends a fact and hints the projector.
    pub(crate) async fn tell(&self, tenant_id: i32, fact: Fact) -> Result<Appended, RouteError> {
        self.tell_all(tenant_id, vec![fact]).await?.into_iter().next().ok_or_else(|| {
            store::Error::inconsistent("event", "pos", "an append of one event").into()
        })
    }

    /// Appends facts, together as far as they fit, and hints the projector; what became of each.
    pub(crate) async fn tell_all(
        &self,
        tenant_id: i32,
        facts: Vec<Fact>,
    ) -> Result<Vec<Appended>, RouteError> {
        let now = self.clock.now();
        let events: Vec<NewEvent> = facts.into_iter().map(|fact| fact.into_event(now)).collect();
        let mut appended = Vec::with_capacity(events.len());
        let mut rest = events.as_slice();
        while !rest.is_empty() {
            let (together, behind) = rest.split_at(fitting(rest));
            appended.extend(append(&self.store, tenant_id, together).await?);
            self.notifier.notify_events(tenant_id, slot_mask(together));
            rest = behind;
        }
        Ok(appended)
    }

    /// Waits until the facts at these positions are decided, for at most `wait`.
    pub(crate) async fn all_decided(
        &self,
        tenant_id: i32,
        positions: &[i64],
        wait: Duration,
    ) -> Result<(), RouteError> {
        if positions.is_empty() {
            return Ok(());
        }
        let look = || async { Ok(are_decided(&self.client().await?, tenant_id, positions).await?) };
        self.waiter.until(tenant_id, wait, look, |decided| *decided).await.map(drop)
    }

    /// Waits until the fact at `pos` is decided; `None` if it is not within `wait`.
    pub(crate) async fn decided(
        &self,
        tenant_id: i32,
        pos: i64,
        wait: Duration,
    ) -> Result<Option<Verdict>, RouteError> {
        let look = || async { Ok(decision_first(&self.client().await?, tenant_id, pos).await?) };
        self.waiter.until(tenant_id, wait, look, Option::is_some).await
    }
}

impl Fact {
    fn into_event(self, now: Timestamp) -> NewEvent {
        let mut body = Map::from_iter([
            ("object".to_owned(), json!("tally.event")),
            ("type".to_owned(), json!(self.event_type)),
        ]);
        body.extend(self.members);
        let body = Value::Object(body).to_string();
        NewEvent {
            origin: self.origin,
            source: Source::Api,
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

/// How many of the first events fit into one append; at least one.
fn fitting(events: &[NewEvent]) -> usize {
    let sizes = events.iter().take(MAX_BATCH_EVENTS).scan(0_usize, |bytes, event| {
        *bytes = bytes.saturating_add(event.body.len());
        Some(*bytes)
    });
    sizes.take_while(|bytes| *bytes <= MAX_BATCH_BYTES).count().max(1)
}

/// The slots of events, as bits.
fn slot_mask(events: &[NewEvent]) -> u64 {
    let bit = |event: &NewEvent| {
        u32::try_from(event.slot).ok().and_then(|slot| 1_u64.checked_shl(slot)).unwrap_or_default()
    };
    events.iter().fold(0, |mask, event| mask | bit(event))
}
