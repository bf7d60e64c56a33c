//! Appending a batch: one transaction in one network flight.
//!
//! BEGIN, the lock, the rows and COMMIT are sent together and answered one by one, so the lock is held for as long as the
//! server works and not for round trips. Three things follow from that:
//!
//! - If this future is dropped, either nothing was sent or all of it was: no connection is left inside a transaction.
//! - If a statement fails, the server skips those behind it and turns COMMIT into a rollback.
//! - If BEGIN itself fails, those behind it would run without a transaction. They do nothing then: they ask for a setting
//!   that only this BEGIN makes, and that ends with its transaction.

use futures_util::future::{join, join5};
use tokio_postgres::types::Type;

use super::NewEvent;
use super::batch::{Batch, Columns};
use crate::connect::Store;
use crate::error::Error;
use crate::statement::{Statement, batch_execute, execute, prepare, query, query_opt};

/// Most events in one append: beyond it a batch gains nothing and only holds the lock longer.
pub const MAX_BATCH_EVENTS: usize = 256;

/// Most bytes of bodies in one append, not counting its last event: so one event of any size can be appended.
pub const MAX_BATCH_BYTES: usize = 1 << 20;

/// Longest `account` and `source_id` together, in bytes. An index entry must fit a third of a page (2,704 bytes).
pub const MAX_KEY_BYTES: usize = 2_000;

/// What became of one event of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Appended {
    /// It stands at this position now.
    Stored(i64),
    /// It was there already, at this position.
    Duplicate(i64),
}

impl Appended {
    /// Where the event stands.
    pub fn pos(self) -> i64 {
        match self {
            Self::Stored(pos) | Self::Duplicate(pos) => pos,
        }
    }
}

/// The setting without which the statements below do nothing; it ends with its transaction.
const BEGIN_APPEND: &str = "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '5s'; \
                            SET LOCAL tally.appending = 'on'";

pub(super) const LOCK: Statement = Statement {
    sql: "-- log.append_lock
SELECT epoch FROM log_head WHERE tenant_id = $1 FOR UPDATE",
    params: &[Type::INT4],
    columns: &[Type::INT4],
};

pub(super) const KNOWN: Statement = Statement {
    sql: "-- log.append_known
SELECT i.ord, k.pos
FROM unnest($2, $3, $4) WITH ORDINALITY i (origin, account, source_id, ord)
CROSS JOIN LATERAL (
    SELECT x.pos FROM event_key x
    WHERE x.tenant_id = $1 AND x.origin = i.origin AND x.account = i.account AND x.source_id = i.source_id LIMIT 1
) k",
    params: &[Type::INT4, Type::INT2_ARRAY, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
    columns: &[Type::INT8, Type::INT8],
};

// A lookup for each key, by LATERAL with a LIMIT or as a scalar subquery: a join would let the planner read the whole
// table of keys, which before its first ANALYZE it takes for a small one.
//
// Dedupe before numbering: ON CONFLICT DO NOTHING would use up the numbers of what it skips and leave holes.
pub(super) const KEYS: Statement = Statement {
    sql: "-- log.append_keys
INSERT INTO event_key AS k (tenant_id, origin, account, source_id, pos)
SELECT h.tenant_id, i.origin, i.account, i.source_id, b.pos + row_number() OVER (ORDER BY i.ord)
FROM log_head h,
     (SELECT coalesce(max(pos), 0) AS pos FROM event WHERE tenant_id = $1) b,
     unnest($2, $3, $4) WITH ORDINALITY i (origin, account, source_id, ord)
WHERE h.tenant_id = $1 AND current_setting('tally.appending', true) = 'on'
  AND (SELECT x.pos FROM event_key x WHERE x.tenant_id = $1
       AND x.origin = i.origin AND x.account = i.account AND x.source_id = i.source_id LIMIT 1) IS NULL
RETURNING k.pos",
    params: KNOWN.params,
    columns: &[Type::INT8],
};

pub(super) const EVENTS: Statement = Statement {
    sql: "-- log.append_events
INSERT INTO event AS e (tenant_id, pos, origin, source, account, source_id, type, root_key, slot, livemode, api_version,
                        endpoint, user_agent, peer, occurred_at, received_at, body_sha256, body, signature, traceparent)
SELECT h.tenant_id, k.pos, i.origin, i.source, i.account, i.source_id, i.type, i.root_key, i.slot, i.livemode,
       i.api_version, i.endpoint, i.user_agent, i.peer, i.occurred_at, i.received_at, i.body_sha256, i.body,
       i.signature, i.traceparent
FROM log_head h,
     unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
         i (origin, account, source_id, source, type, root_key, slot, livemode, api_version, endpoint, user_agent, peer,
            occurred_at, received_at, body_sha256, body, signature, traceparent)
CROSS JOIN LATERAL (
    SELECT x.pos FROM event_key x
    WHERE x.tenant_id = $1 AND x.origin = i.origin AND x.account = i.account AND x.source_id = i.source_id LIMIT 1
) k
WHERE h.tenant_id = $1 AND k.pos > (SELECT coalesce(max(pos), 0) FROM event WHERE tenant_id = $1)
ORDER BY k.pos",
    params: &[
        Type::INT4,
        Type::INT2_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT2_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT2_ARRAY,
        Type::BOOL_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::BYTEA_ARRAY,
        Type::BYTEA_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
    ],
    columns: &[],
};

/// Appends `events` to the log of one tenant, all or none, and says of each where it stands, in the order given.
///
/// Whoever is told a position may answer for it: it is committed. An error of kind `Unavailable` leaves open whether the
/// batch was stored; append it again, and what was stored comes back as a duplicate.
pub async fn append(
    store: &Store,
    tenant_id: i32,
    events: &[NewEvent],
) -> Result<Vec<Appended>, Error> {
    check_limits(events)?;
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let batch = Batch::of(events);
    let columns = Columns::of(batch.events());
    let client = store.get().await?;
    for statement in [&LOCK, &KNOWN, &KEYS, &EVENTS] {
        prepare(&client, statement).await?;
    }

    let begin = format!("{}; {BEGIN_APPEND}", client.begin());
    let inside = client.inside();
    // `join` polls in order, and the first poll of each sends it.
    let ((begun, locked, known, keyed, stored), committed) = join(
        join5(
            batch_execute(&inside, "log.append_begin", &begin),
            query_opt(&inside, &LOCK, &[&tenant_id]),
            query(&inside, &KNOWN, &columns.keys(&tenant_id)),
            query(&inside, &KEYS, &columns.keys(&tenant_id)),
            execute(&inside, &EVENTS, &columns.all(&tenant_id)),
        ),
        batch_execute(&inside, "log.append_commit", "COMMIT"),
    )
    .await;
    // The first error is the cause, those behind it only say that the transaction had failed.
    begun?;
    if locked?.is_none() {
        let what_to_do = format!("tenant {tenant_id} has no log; run tally migrate");
        return Err(Error::setting("appending to the log", what_to_do));
    }
    let (known, keyed, stored) = (known?, keyed?, stored?);
    committed?;
    batch.outcome(tenant_id, &known, &keyed, stored)
}

/// Refuses a batch that is too big, or a key that no index holds.
fn check_limits(events: &[NewEvent]) -> Result<(), Error> {
    let refuse = |what: &str| Err(Error::setting("appending to the log", what));
    let bytes: usize = events.iter().rev().skip(1).map(|event| event.body.len()).sum();
    if events.len() > MAX_BATCH_EVENTS || bytes > MAX_BATCH_BYTES {
        return refuse("the batch is larger than MAX_BATCH_EVENTS or MAX_BATCH_BYTES allows");
    }
    let too_long = |event: &NewEvent| {
        event.account.len().saturating_add(event.source_id.len()) > MAX_KEY_BYTES
    };
    if events.iter().any(too_long) {
        return refuse("the id of an event is longer than MAX_KEY_BYTES allows");
    }
    Ok(())
}
