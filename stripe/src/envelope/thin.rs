//! What a thin event names instead of carrying it, and where Stripe's API has that.

use serde_json::Value;

use super::keys::EventObject;
use crate::event_type::api_path;
use crate::reference;

/// Paths of Stripe's API at which to fetch what a thin event tells of. They are made of kinds and ids; the event's own
/// `related_object.url` is never asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThinPaths {
    /// The object as it is now, such as `/v1/charges/ch_1`.
    pub object: Option<String>,
    /// The event's classic twin, with the object as it was then, such as `/v1/events/evt_1`; Stripe keeps it for 30 days.
    pub snapshot_event: Option<String>,
}

/// Where to fetch what a thin event names.
pub fn thin_paths(event: &Value) -> ThinPaths {
    let object = EventObject::of(event, true);
    let snapshot_event = reference::id(event.get("snapshot_event"));
    ThinPaths {
        object: object.kind.zip(object.id).and_then(|(kind, id)| api_path(&kind, &id)),
        snapshot_event: snapshot_event.and_then(|id| api_path("event", &id)),
    }
}
