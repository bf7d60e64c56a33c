//! An event: something that happened, told in every version that somebody listens in.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::versions::Version;
use super::world::Caller;

/// The object in the shape of one version, frozen when it happened.
#[derive(Debug)]
pub(super) struct Rendition {
    pub(super) version: Version,
    pub(super) object: Value,
    pub(super) previous_attributes: Option<Value>,
}

/// An event.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) id: String,
    /// Its type, such as `charge.refunded`.
    pub(super) kind: String,
    /// Seconds since 1970.
    pub(super) created: i64,
    /// Connect account.
    pub(super) account: Option<String>,
    request: String,
    idempotency_key: Option<String>,
    renditions: Vec<Rendition>,
    /// Endpoints that did not accept it yet.
    pending: AtomicUsize,
}

impl Told {
    pub(super) fn new(
        id: String,
        kind: &str,
        caller: &Caller,
        renditions: Vec<Rendition>,
        endpoints: usize,
    ) -> Self {
        Self {
            id,
            kind: kind.to_owned(),
            created: caller.now,
            account: caller.account.clone(),
            request: caller.request.clone(),
            idempotency_key: caller.idempotency_key.clone(),
            renditions,
            pending: AtomicUsize::new(endpoints),
        }
    }

    /// Whether this version knows events of this type.
    pub(super) fn is_told_in(&self, version: &Version) -> bool {
        self.renditions.iter().any(|rendition| rendition.version == *version)
    }

    /// The event in the words of this version, or of the account's if it is not told in this one.
    pub(super) fn json(&self, version: &Version) -> Value {
        let exact = self.renditions.iter().find(|rendition| rendition.version == *version);
        let Some(rendition) = exact.or_else(|| self.renditions.first()) else { return Value::Null };
        let mut event = json!({
            "id": self.id,
            "object": "event",
            "api_version": rendition.version.as_str(),
            "created": self.created,
            "data": { "object": rendition.object },
            "livemode": rendition.object["livemode"].as_bool().unwrap_or_default(),
            "pending_webhooks": self.pending(),
            "request": { "id": self.request, "idempotency_key": self.idempotency_key },
            "type": self.kind,
        });
        if let Some(previous_attributes) = &rendition.previous_attributes {
            event["data"]["previous_attributes"] = previous_attributes.clone();
        }
        if let Some(account) = &self.account {
            event["account"] = account.as_str().into();
        }
        event
    }

    /// The thin event: it has an id of its own, and names the object and the classic event.
    pub(super) fn thin(&self) -> Value {
        let Some(Rendition { object, .. }) = self.renditions.first() else { return Value::Null };
        let (id, kind) = (&object["id"], object["object"].as_str().unwrap_or_default());
        let created = Timestamp::from_second(self.created).unwrap_or_default();
        let url = format!("/v1/{}s/{}", kind.replace('.', "/"), id.as_str().unwrap_or_default());
        json!({
            "id": format!("{}_thin", self.id),
            "object": "v2.core.event",
            "context": self.account,
            "created": format!("{created:.3}"),
            "livemode": object["livemode"].as_bool().unwrap_or_default(),
            "reason": null,
            "related_object": { "id": id, "type": kind, "url": url },
            "snapshot_event": self.id,
            "type": format!("v1.{}", self.kind),
        })
    }

    /// Endpoints that did not accept it yet.
    pub(super) fn pending(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }

    /// One endpoint less has to accept it.
    pub(super) fn accepted(&self) {
        self.pending.fetch_sub(1, Ordering::Relaxed);
    }
}
