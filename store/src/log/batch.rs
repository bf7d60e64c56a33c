//! A batch on its way into the log: each event once, as arrays for UNNEST; and what came back, told for each one given.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;
use tokio_postgres::types::ToSql;

use super::{Appended, NewEvent, Origin};
use crate::error::Error;
use crate::statement::text;

/// The events of a batch without those that repeat an earlier one of it.
pub(super) struct Batch<'a> {
    events: Vec<&'a NewEvent>,
    /// For each event given: which of `events` it is, and whether it repeats an earlier one.
    places: Vec<(usize, Repeats)>,
}

type Repeats = bool;

impl<'a> Batch<'a> {
    pub(super) fn of(given: &'a [NewEvent]) -> Self {
        let mut events = Vec::with_capacity(given.len());
        let mut seen: HashMap<(Origin, Cow<'_, str>, Cow<'_, str>), usize> = HashMap::new();
        let places = given.iter().map(|event| {
            match seen.entry((event.origin, text(&event.account), text(&event.source_id))) {
                Entry::Occupied(first) => (*first.get(), true),
                Entry::Vacant(vacant) => {
                    let place = *vacant.insert(events.len());
                    events.push(event);
                    (place, false)
                }
            }
        });
        let places = places.collect();
        Self { events, places }
    }

    pub(super) fn events(&self) -> &[&'a NewEvent] {
        &self.events
    }

    /// Tells where each event given stands, from where the log ended before and where each one of the batch stands now.
    pub(super) fn outcome(
        &self,
        tenant_id: i32,
        end: i64,
        positions: &[i64],
    ) -> Result<Vec<Appended>, Error> {
        let told = self.places.iter().map(|(place, repeats)| {
            let pos = *positions.get(*place)?;
            let is_new = pos > end && !repeats;
            Some(if is_new { Appended::Stored(pos) } else { Appended::Duplicate(pos) })
        });
        told.collect::<Option<_>>().ok_or_else(|| {
            let row = format!("the newest events of tenant {tenant_id}");
            Error::inconsistent("event_key", "pos", row)
        })
    }
}

/// The fields of a batch, one array for each column.
pub(super) struct Columns<'a> {
    origin: Vec<i16>,
    account: Vec<Cow<'a, str>>,
    source_id: Vec<Cow<'a, str>>,
    source: Vec<i16>,
    event_type: Vec<Cow<'a, str>>,
    root_key: Vec<Option<Cow<'a, str>>>,
    slot: Vec<i16>,
    livemode: Vec<Option<bool>>,
    api_version: Vec<Option<Cow<'a, str>>>,
    endpoint: Vec<Option<Cow<'a, str>>>,
    user_agent: Vec<Option<Cow<'a, str>>>,
    peer: Vec<Option<Cow<'a, str>>>,
    occurred_at: Vec<Timestamp>,
    received_at: Vec<Timestamp>,
    body_sha256: Vec<&'a [u8]>,
    body: Vec<&'a [u8]>,
    signature: Vec<Option<Cow<'a, str>>>,
    traceparent: Vec<Option<Cow<'a, str>>>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(events: &[&'a NewEvent]) -> Self {
        fn each<'a, T>(events: &[&'a NewEvent], field: impl Fn(&'a NewEvent) -> T) -> Vec<T> {
            events.iter().copied().map(field).collect()
        }
        Self {
            origin: each(events, |e| e.origin.number()),
            account: each(events, |e| text(&e.account)),
            source_id: each(events, |e| text(&e.source_id)),
            source: each(events, |e| e.source.number()),
            event_type: each(events, |e| text(&e.event_type)),
            root_key: each(events, |e| e.root_key.as_deref().map(text)),
            slot: each(events, |e| e.slot),
            livemode: each(events, |e| e.livemode),
            api_version: each(events, |e| e.api_version.as_deref().map(text)),
            endpoint: each(events, |e| e.endpoint.as_deref().map(text)),
            user_agent: each(events, |e| e.user_agent.as_deref().map(text)),
            peer: each(events, |e| e.peer.as_deref().map(text)),
            occurred_at: each(events, |e| e.occurred_at),
            received_at: each(events, |e| e.received_at),
            body_sha256: each(events, |e| e.body_sha256.as_slice()),
            body: each(events, |e| e.body.as_ref()),
            signature: each(events, |e| e.signature.as_deref().map(text)),
            traceparent: each(events, |e| e.traceparent.as_deref().map(text)),
        }
    }

    pub(super) fn all<'c>(&'c self, tenant_id: &'c i32) -> [&'c (dyn ToSql + Sync); 19] {
        [
            tenant_id,
            &self.origin,
            &self.account,
            &self.source_id,
            &self.source,
            &self.event_type,
            &self.root_key,
            &self.slot,
            &self.livemode,
            &self.api_version,
            &self.endpoint,
            &self.user_agent,
            &self.peer,
            &self.occurred_at,
            &self.received_at,
            &self.body_sha256,
            &self.body,
            &self.signature,
            &self.traceparent,
        ]
    }
}
