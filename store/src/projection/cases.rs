//! Cases: what waits for a fact or for a person, what it waits for, and which events hang on it.
//! writers: projector

use std::collections::BTreeMap;

use crate::flight;
use jiff::Timestamp;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::column;
use crate::error::Error;
use crate::statement::{Connection, Params, Statement, execute, query};

const READ_OF_PAYMENTS: Statement = Statement {
    sql: "-- cases.read_of_payments
SELECT c.case_id, c.pos, c.root_key, c.reason, c.resolution, c.version, c.opened_at, c.due, c.due_pos, c.closed_pos, c.detail::text
FROM unnest($2::text[]) AS k (root_key)
CROSS JOIN LATERAL (SELECT * FROM review_case x WHERE x.tenant_id = $1 AND x.root_key = k.root_key OFFSET 0) c",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: CASE_COLUMNS,
};

const READ: Statement = Statement {
    sql: "-- cases.read
SELECT c.case_id, c.pos, c.root_key, c.reason, c.resolution, c.version, c.opened_at, c.due, c.due_pos, c.closed_pos, c.detail::text
FROM unnest($2::uuid[]) AS k (case_id)
CROSS JOIN LATERAL (SELECT * FROM review_case x WHERE x.tenant_id = $1 AND x.case_id = k.case_id LIMIT 1) c",
    params: &[Type::INT4, Type::UUID_ARRAY],
    columns: CASE_COLUMNS,
};

const CASE_COLUMNS: &[Type] = &[
    Type::UUID,
    Type::INT8,
    Type::TEXT,
    Type::INT2,
    Type::INT2,
    Type::INT4,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::INT8,
    Type::INT8,
    Type::TEXT,
];

const ROOTS: Statement = Statement {
    sql: "-- cases.roots
SELECT c.case_id, c.root_key
FROM unnest($2::uuid[]) AS k (case_id)
CROSS JOIN LATERAL (SELECT * FROM review_case x WHERE x.tenant_id = $1 AND x.case_id = k.case_id LIMIT 1) c
WHERE c.root_key IS NOT NULL",
    params: &[Type::INT4, Type::UUID_ARRAY],
    columns: &[Type::UUID, Type::TEXT],
};

const WAITS: Statement = Statement {
    sql: "-- cases.waits
SELECT w.case_id, w.key
FROM unnest($2::uuid[]) AS k (case_id)
CROSS JOIN LATERAL (SELECT * FROM case_wait x WHERE x.tenant_id = $1 AND x.case_id = k.case_id OFFSET 0) w",
    params: &[Type::INT4, Type::UUID_ARRAY],
    columns: &[Type::UUID, Type::TEXT],
};

const EVENTS: Statement = Statement {
    sql: "-- cases.events
SELECT c.case_id, c.pos, d.rev, d.slot
FROM unnest($2::uuid[]) AS k (case_id)
CROSS JOIN LATERAL (SELECT * FROM case_event x WHERE x.tenant_id = $1 AND x.case_id = k.case_id OFFSET 0) c
CROSS JOIN LATERAL (
    SELECT x.rev, x.slot FROM decision x WHERE x.tenant_id = $1 AND x.pos = c.pos ORDER BY x.rev DESC LIMIT 1
) d",
    params: &[Type::INT4, Type::UUID_ARRAY],
    columns: &[Type::UUID, Type::INT8, Type::INT4, Type::INT2],
};

const LOCK: Statement = Statement {
    sql: "-- cases.lock
SELECT case_id FROM review_case WHERE tenant_id = $1 AND case_id = ANY($2) ORDER BY case_id FOR UPDATE",
    params: &[Type::INT4, Type::UUID_ARRAY],
    columns: &[Type::UUID],
};

const UPSERT: Statement = Statement {
    sql: "-- cases.upsert
INSERT INTO review_case AS c
    (tenant_id, case_id, pos, root_key, reason, state, resolution, version, opened_at, due, due_pos, closed_at, closed_pos, detail)
SELECT h.tenant_id, k.case_id, k.pos, k.root_key, k.reason, CASE WHEN k.resolution IS NULL THEN 1 ELSE 2 END, k.resolution,
       k.version, k.opened_at, k.due, k.due_pos, CASE WHEN k.resolution IS NOT NULL THEN $2 END, k.closed_pos, k.detail::jsonb
FROM log_head h,
     unnest($3::uuid[], $4::bigint[], $5::text[], $6::smallint[], $7::smallint[], $8::int[], $9::timestamptz[],
            $10::timestamptz[], $11::bigint[], $12::bigint[], $13::text[]) WITH ORDINALITY
     AS k (case_id, pos, root_key, reason, resolution, version, opened_at, due, due_pos, closed_pos, detail, ord)
WHERE h.tenant_id = $1
ORDER BY k.ord
ON CONFLICT (tenant_id, case_id) DO UPDATE
SET pos = excluded.pos, root_key = excluded.root_key, reason = excluded.reason, state = excluded.state,
    resolution = excluded.resolution, version = excluded.version, opened_at = excluded.opened_at, due = excluded.due,
    due_pos = excluded.due_pos, closed_at = excluded.closed_at, closed_pos = excluded.closed_pos, detail = excluded.detail",
    params: &[
        Type::INT4,
        Type::TIMESTAMPTZ,
        Type::UUID_ARRAY,
        Type::INT8_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT2_ARRAY,
        Type::INT2_ARRAY,
        Type::INT4_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::TEXT_ARRAY,
    ],
    columns: &[],
};

const WAITS_CLEAR: Statement = Statement {
    sql: "-- cases.waits_clear
DELETE FROM case_wait WHERE tenant_id = $1 AND case_id = ANY($2)",
    params: &[Type::INT4, Type::UUID_ARRAY],
    columns: &[],
};

const WAITS_INSERT: Statement = Statement {
    sql: "-- cases.waits_insert
INSERT INTO case_wait AS w (tenant_id, key, case_id)
SELECT h.tenant_id, k.key, k.case_id FROM log_head h, unnest($2::uuid[], $3::text[]) AS k (case_id, key)
WHERE h.tenant_id = $1",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::TEXT_ARRAY],
    columns: &[],
};

const EVENTS_CLEAR: Statement = Statement {
    sql: "-- cases.events_clear
DELETE FROM case_event WHERE tenant_id = $1 AND case_id = ANY($2)",
    params: &[Type::INT4, Type::UUID_ARRAY],
    columns: &[],
};

const EVENTS_INSERT: Statement = Statement {
    sql: "-- cases.events_insert
INSERT INTO case_event AS e (tenant_id, case_id, pos)
SELECT h.tenant_id, k.case_id, k.pos FROM log_head h, unnest($2::uuid[], $3::bigint[]) AS k (case_id, pos)
WHERE h.tenant_id = $1",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::INT8_ARRAY],
    columns: &[],
};

const OVERDUE: Statement = Statement {
    sql: "-- cases.overdue
SELECT case_id, version FROM review_case
WHERE tenant_id = $1 AND state = 1 AND due <= $2 AND due_pos IS NULL
ORDER BY due, case_id LIMIT $3",
    params: &[Type::INT4, Type::TIMESTAMPTZ, Type::INT8],
    columns: &[Type::UUID, Type::INT4],
};

const AWAITED_USERS: Statement = Statement {
    sql: "-- cases.awaited_users
SELECT DISTINCT w.key FROM case_wait w
WHERE w.tenant_id = $1 AND w.key > 'user:' || $2 AND w.key < 'user;'
ORDER BY w.key LIMIT $3",
    params: &[Type::INT4, Type::TEXT, Type::INT8],
    columns: &[Type::TEXT],
};

pub(crate) const STATEMENTS: &[&Statement] = &[
    &READ_OF_PAYMENTS,
    &READ,
    &ROOTS,
    &WAITS,
    &EVENTS,
    &LOCK,
    &UPSERT,
    &WAITS_CLEAR,
    &WAITS_INSERT,
    &EVENTS_CLEAR,
    &EVENTS_INSERT,
    &OVERDUE,
    &AWAITED_USERS,
];

/// A case's row, with what it waits for and the events that hang on it.
#[derive(Debug, Clone)]
pub struct CaseRow {
    /// Id.
    pub case_id: Uuid,
    /// Position of the event that opened it.
    pub pos: i64,
    /// Payment that it holds up.
    pub root_key: Option<String>,
    /// `review_case.reason`.
    pub reason: i16,
    /// `review_case.resolution`; `None` while it is open.
    pub resolution: Option<i16>,
    /// Version.
    pub version: i32,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it is to be decided anew.
    pub due: Option<Timestamp>,
    /// Position of the fact that made it due.
    pub due_pos: Option<i64>,
    /// Position of the event that closed it.
    pub closed_pos: Option<i64>,
    /// JSON text of what staff need to see.
    pub detail: String,
    /// What it waits for.
    pub waits_for: Vec<String>,
    /// Events that hang on it: position, and (read only) newest revision of its decision, and lane.
    pub events: Vec<(i64, i32, i16)>,
}

/// All cases of these payments, and those with these ids.
///
/// They are not locked: who holds the payment's lock, or for a case that holds an event alone that of the subject `case:…`,
/// is alone in changing them, but for being marked as due, which may be overwritten ([`super::woken`] says why). What a
/// case waited for and which events hung on it is known of open ones only.
pub async fn read_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    roots: &[String],
    ids: &[Uuid],
) -> Result<Vec<CaseRow>, Error> {
    let mut cases: BTreeMap<Uuid, CaseRow> = BTreeMap::new();
    if !roots.is_empty() {
        let rows = query(tx, &READ_OF_PAYMENTS, &[&tenant_id, &roots]).await?;
        cases.extend(rows.iter().map(case_row).map(|case| (case.case_id, case)));
    }
    let others: Vec<&Uuid> = ids.iter().filter(|id| !cases.contains_key(*id)).collect();
    if !others.is_empty() {
        let rows = query(tx, &READ, &[&tenant_id, &others]).await?;
        cases.extend(rows.iter().map(case_row).map(|case| (case.case_id, case)));
    }
    let open = cases.values().filter(|case| case.resolution.is_none());
    let open: Vec<Uuid> = open.map(|case| case.case_id).collect();
    if !open.is_empty() {
        let params: Params<'_> = &[&tenant_id, &open];
        let (waits, events) = flight!(query(tx, &WAITS, params), query(tx, &EVENTS, params))?;
        for row in waits {
            if let Some(case) = cases.get_mut(&row.get(0)) {
                case.waits_for.push(row.get(1));
            }
        }
        for row in events {
            if let Some(case) = cases.get_mut(&row.get(0)) {
                case.events.push((row.get(1), row.get(2), row.get(3)));
            }
        }
    }
    Ok(cases.into_values().collect())
}

/// The payments that these cases hold up, by the cases' ids. Those that hold an event alone are not among them.
pub async fn roots(
    connection: &impl Connection,
    tenant_id: i32,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, String>, Error> {
    let rows = query(connection, &ROOTS, &[&tenant_id, &ids]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Writes what cases wait for, before the cases themselves are locked: [`super::woken`] reads it.
pub async fn write_waits_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    cases: &[CaseRow],
) -> Result<(), Error> {
    if cases.is_empty() {
        return Ok(());
    }
    execute(tx, &WAITS_CLEAR, &[&tenant_id, &column!(cases, case_id)]).await?;
    let waits: Vec<(Uuid, &String)> = cases
        .iter()
        .flat_map(|case| case.waits_for.iter().map(|key| (case.case_id, key)))
        .collect();
    if waits.is_empty() {
        return Ok(());
    }
    execute(tx, &WAITS_INSERT, &[&tenant_id, &column!(waits, 0), &column!(waits, 1)])
        .await
        .map(drop)
}

/// Writes cases that are locked, with what hangs on them.
pub async fn write_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
    cases: &[CaseRow],
) -> Result<(), Error> {
    if cases.is_empty() {
        return Ok(());
    }
    let ids = column!(cases, case_id);
    execute(
        tx,
        &UPSERT,
        &[
            &tenant_id,
            &now,
            &ids,
            &column!(cases, pos),
            &column!(cases, root_key),
            &column!(cases, reason),
            &column!(cases, resolution),
            &column!(cases, version),
            &column!(cases, opened_at),
            &column!(cases, due),
            &column!(cases, due_pos),
            &column!(cases, closed_pos),
            &column!(cases, detail),
        ],
    )
    .await?;
    execute(tx, &EVENTS_CLEAR, &[&tenant_id, &ids]).await?;
    let events: Vec<(Uuid, i64)> = cases
        .iter()
        .flat_map(|case| case.events.iter().map(|event| (case.case_id, event.0)))
        .collect();
    if events.is_empty() {
        return Ok(());
    }
    execute(tx, &EVENTS_INSERT, &[&tenant_id, &column!(events, 0), &column!(events, 1)])
        .await
        .map(drop)
}

/// Locks the cases that are to be written, in one order.
pub async fn lock_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    cases: &[CaseRow],
) -> Result<(), Error> {
    let ids: Vec<Uuid> = cases.iter().map(|case| case.case_id).collect();
    lock_these_in_tx(tx, tenant_id, &ids).await
}

/// Locks these cases, in one order.
pub(super) async fn lock_these_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    ids: &[Uuid],
) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    execute(tx, &LOCK, &[&tenant_id, &ids]).await.map(drop)
}

/// Open cases whose time is over and that no fact released yet, with their versions.
pub async fn overdue(
    connection: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(Uuid, i32)>, Error> {
    let rows = query(connection, &OVERDUE, &[&tenant_id, &now, &limit]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Users that open cases wait for, in order, from after this one on.
pub async fn awaited_users(
    connection: &impl Connection,
    tenant_id: i32,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, Error> {
    let rows = query(connection, &AWAITED_USERS, &[&tenant_id, &after, &limit]).await?;
    let user = |row: &tokio_postgres::Row| {
        let key: &str = row.get(0);
        key.strip_prefix("user:").unwrap_or(key).to_owned()
    };
    Ok(rows.iter().map(user).collect())
}

fn case_row(row: &tokio_postgres::Row) -> CaseRow {
    CaseRow {
        case_id: row.get(0),
        pos: row.get(1),
        root_key: row.get(2),
        reason: row.get(3),
        resolution: row.get(4),
        version: row.get(5),
        opened_at: row.get(6),
        due: row.get(7),
        due_pos: row.get(8),
        closed_pos: row.get(9),
        detail: row.get(10),
        waits_for: Vec::new(),
        events: Vec::new(),
    }
}
