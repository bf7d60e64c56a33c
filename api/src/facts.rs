//! What the API itself puts into the log: facts of people and of the app, appended like everything else.

use bytes::Bytes;
use ledger::decision::Reason;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use store::log::{Appended, NewEvent, Origin, Source, append, slot_of};
use store::read::decisions::{Verdict, decision_first};

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
        let mut body = Map::from_iter([
            ("object".to_owned(), json!("tally.event")),
            ("type".to_owned(), json!(fact.event_type)),
        ]);
        body.extend(fact.members);
        let body = Value::Object(body).to_string();
        let (now, slot) = (self.clock.now(), slot_of(&fact.routing_key));
        let event = NewEvent {
            origin: fact.origin,
            source: Source::Api,
            account: String::new(),
            source_id: fact.source_id,
            event_type: fact.event_type.to_owned(),
            root_key: None,
            slot,
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
        };
        let appended = append(&self.store, tenant_id, &[event]).await?;
        let shift = u32::try_from(slot).unwrap_or_default();
        self.notifier.notify_events(tenant_id, 1_u64.checked_shl(shift).unwrap_or_default());
        appended.into_iter().next().ok_or_else(|| {
            store::Error::inconsistent("event", "pos", "an append of one event").into()
        })
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

/// Whether the act came too late: what it acts on had changed.
pub(crate) fn is_stale(verdict: Option<Verdict>) -> bool {
    verdict.is_some_and(|verdict| verdict.reason == Reason::Stale)
}
