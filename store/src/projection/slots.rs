//! Slots: the lanes of projection, their cursors and the events beyond them. `decision` is the cursor: its newest first
//! decision of a slot.
//! writers: none here (rows are made with the tenant)

use crate::flight;
use jiff::Timestamp;
use tokio_postgres::types::Type;

use crate::error::Error;
use crate::statement::{Connection, Statement, query, query_one};
use crate::tx::{KEEP_PLANS, Tx};

/// Number of slots of a tenant.
pub const SLOTS: i16 = 64;

const PENDING: Statement = Statement {
    sql: "-- slots.pending
SELECT s.slot
FROM projection_slot s
CROSS JOIN LATERAL (
    SELECT coalesce(max(d.pos), 0) AS pos FROM decision d WHERE d.tenant_id = $1 AND d.slot = s.slot AND d.rev = 0
) c
WHERE s.tenant_id = $1
  AND (SELECT e.pos FROM event e WHERE e.tenant_id = $1 AND e.slot = s.slot AND e.pos > c.pos LIMIT 1) IS NOT NULL
ORDER BY s.slot",
    params: &[Type::INT4],
    columns: &[Type::INT2],
};

const CLAIM: Statement = Statement {
    sql: "-- slots.claim
SELECT slot FROM projection_slot WHERE tenant_id = $1 AND slot = ANY($2) ORDER BY slot FOR UPDATE SKIP LOCKED",
    params: &[Type::INT4, Type::INT2_ARRAY],
    columns: &[Type::INT2],
};

const EVENTS: Statement = Statement {
    sql: "-- slots.events
SELECT v.pos, v.slot, v.origin, v.source_id, v.type, v.occurred_at, v.body
FROM (
    SELECT e.pos, sum(e.bytes) OVER (ORDER BY e.pos) AS bytes, row_number() OVER (ORDER BY e.pos) AS nth
    FROM unnest($2::smallint[]) AS s (slot)
    CROSS JOIN LATERAL (
        SELECT coalesce(max(d.pos), 0) AS pos FROM decision d WHERE d.tenant_id = $1 AND d.slot = s.slot AND d.rev = 0
    ) c
    CROSS JOIN LATERAL (
        SELECT x.pos, coalesce(octet_length(x.body), 0) AS bytes FROM event x
        WHERE x.tenant_id = $1 AND x.slot = s.slot AND x.pos > c.pos ORDER BY x.pos LIMIT $5
    ) e
) w
CROSS JOIN LATERAL (SELECT * FROM event x WHERE x.tenant_id = $1 AND x.pos = w.pos LIMIT 1) v
WHERE w.nth = 1 OR (w.nth <= $3 AND w.bytes <= $4)
ORDER BY v.pos",
    params: &[Type::INT4, Type::INT2_ARRAY, Type::INT8, Type::INT8, Type::INT8],
    columns: EVENT_COLUMNS,
};

const BACKLOG: Statement = Statement {
    sql: "-- slots.backlog
SELECT coalesce(sum(e.events), 0)::bigint, min(o.received_at)
FROM projection_slot s
CROSS JOIN LATERAL (
    SELECT coalesce(max(d.pos), 0) AS pos FROM decision d WHERE d.tenant_id = $1 AND d.slot = s.slot AND d.rev = 0
) c
CROSS JOIN LATERAL (
    SELECT count(*) AS events FROM (
        SELECT 1 FROM event WHERE tenant_id = $1 AND slot = s.slot AND pos > c.pos ORDER BY pos LIMIT $2
    ) x
) e
LEFT JOIN LATERAL (
    SELECT received_at FROM event WHERE tenant_id = $1 AND slot = s.slot AND pos > c.pos ORDER BY pos LIMIT 1
) o ON true
WHERE s.tenant_id = $1",
    params: &[Type::INT4, Type::INT8],
    columns: &[Type::INT8, Type::TIMESTAMPTZ],
};

const EVENTS_AT: Statement = Statement {
    sql: "-- slots.events_at
SELECT v.pos, v.slot, v.origin, v.source_id, v.type, v.occurred_at, v.body
FROM (
    SELECT e.pos, sum(coalesce(octet_length(e.body), 0)) OVER (ORDER BY e.pos) AS bytes,
           row_number() OVER (ORDER BY e.pos) AS nth
    FROM unnest($2::bigint[]) AS k (pos)
    CROSS JOIN LATERAL (SELECT x.pos, x.body FROM event x WHERE x.tenant_id = $1 AND x.pos = k.pos LIMIT 1) e
) w
CROSS JOIN LATERAL (SELECT * FROM event x WHERE x.tenant_id = $1 AND x.pos = w.pos LIMIT 1) v
WHERE w.nth = 1 OR w.bytes <= $3
ORDER BY v.pos",
    params: &[Type::INT4, Type::INT8_ARRAY, Type::INT8],
    columns: EVENT_COLUMNS,
};

const EVENT_COLUMNS: &[Type] =
    &[Type::INT8, Type::INT2, Type::INT2, Type::TEXT, Type::TEXT, Type::TIMESTAMPTZ, Type::BYTEA];

pub(crate) const STATEMENTS: &[&Statement] = &[&PENDING, &CLAIM, &EVENTS, &EVENTS_AT, &BACKLOG];

/// An event that is to be decided.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// Position.
    pub pos: i64,
    /// Lane.
    pub slot: i16,
    /// Who speaks ([`crate::log::Origin`]).
    pub origin: i16,
    /// The speaker's own id.
    pub source_id: String,
    /// The speaker's type.
    pub event_type: String,
    /// When it happened, as the speaker says.
    pub occurred_at: Timestamp,
    /// The bytes; `None` once they were erased.
    pub body: Option<Vec<u8>>,
}

/// Slots that have events beyond their cursor.
pub async fn pending(connection: &impl Connection, tenant_id: i32) -> Result<Vec<i16>, Error> {
    let rows = query(connection, &PENDING, &[&tenant_id]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Most events that are counted in each slot: beyond, a backlog is long, and counting on would only make it longer. Counting
/// takes a microsecond or two for each, so this many of all slots take some hundred milliseconds, every few seconds.
const MAX_COUNTED: i64 = 1_000;

/// Events that are not decided yet.
#[derive(Debug, Clone, Copy)]
pub struct Backlog {
    /// How many.
    pub events: i64,
    /// When the oldest was received.
    pub oldest: Option<Timestamp>,
}

/// Counts the events beyond the cursors, up to [`MAX_COUNTED`] in each slot.
pub async fn backlog(connection: &impl Connection, tenant_id: i32) -> Result<Backlog, Error> {
    let row = query_one(connection, &BACKLOG, &[&tenant_id, &MAX_COUNTED]).await?;
    Ok(Backlog { events: row.get(0), oldest: row.get(1) })
}

/// Begins a transaction, and locks those of the slots that are free, in one round trip; which they are. Statements of this
/// transaction are planned once for all, as long as [`Tx::plan_anew`] does not say otherwise: planning many small statements
/// takes longer than executing them.
pub async fn begin_and_claim(tx: &Tx, tenant_id: i32, slots: &[i16]) -> Result<Vec<i16>, Error> {
    flight!(tx.begin(KEEP_PLANS), claim_in_tx(tx, tenant_id, slots)).map(|((), claimed)| claimed)
}

/// Locks those of the slots that are free; which they are. A slot that another transaction holds is passed over.
pub async fn claim_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    slots: &[i16],
) -> Result<Vec<i16>, Error> {
    let rows = query(tx, &CLAIM, &[&tenant_id, &slots]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// How many times its equal share of a batch is looked at of each slot. Slots that have a backlog have much the same of it, so
/// few batches become smaller by this, and of what is looked at half is taken.
const SHARES: i64 = 2;

/// Next events of some slots.
#[derive(Debug, Clone)]
pub struct Next {
    /// The events, in position order.
    pub events: Vec<EventRow>,
    /// Slots that may have further ones.
    pub unfinished: Vec<i16>,
}

/// The first events beyond the cursors of these slots, in position order: at most `limit`, of each slot no more than
/// [`SHARES`], and no more bytes of bodies than `max_bytes` unless the first one alone has more. Call it after
/// [`claim_in_tx`], whose locks make the cursors stay.
pub async fn events_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    slots: &[i16],
    limit: i64,
    max_bytes: i64,
) -> Result<Next, Error> {
    let number = i64::try_from(slots.len()).unwrap_or(i64::MAX);
    let share = limit.saturating_mul(SHARES).checked_div(number).unwrap_or(limit);
    let of_each = share.clamp(1, limit);
    let rows = query(tx, &EVENTS, &[&tenant_id, &slots, &limit, &max_bytes, &of_each]).await?;
    let events: Vec<EventRow> = rows.iter().map(event_row).collect();
    Ok(Next { unfinished: unfinished(slots, &events, limit, max_bytes, of_each), events })
}

/// Slots that may have further events. Where bytes were the limit is not known, so half of them count as all.
fn unfinished(
    slots: &[i16],
    events: &[EventRow],
    limit: i64,
    max_bytes: i64,
    of_each: i64,
) -> Vec<i16> {
    let has_reached =
        |most: i64, number: usize| i64::try_from(number).is_ok_and(|number| number >= most);
    let bytes: usize = events.iter().filter_map(|event| event.body.as_ref()).map(Vec::len).sum();
    if has_reached(limit, events.len()) || has_reached(max_bytes / 2, bytes) {
        return slots.to_vec();
    }
    let in_slot = |slot: i16| events.iter().filter(|event| event.slot == slot).count();
    slots.iter().copied().filter(|slot| has_reached(of_each, in_slot(*slot))).collect()
}

/// The events at these positions, in position order: no more of them than have `max_bytes` of bodies together, but at
/// least the first one.
pub async fn events_at(
    connection: &impl Connection,
    tenant_id: i32,
    positions: &[i64],
    max_bytes: i64,
) -> Result<Vec<EventRow>, Error> {
    let rows = query(connection, &EVENTS_AT, &[&tenant_id, &positions, &max_bytes]).await?;
    Ok(rows.iter().map(event_row).collect())
}

fn event_row(row: &tokio_postgres::Row) -> EventRow {
    EventRow {
        pos: row.get(0),
        slot: row.get(1),
        origin: row.get(2),
        source_id: row.get(3),
        event_type: row.get(4),
        occurred_at: row.get(5),
        body: row.get(6),
    }
}
