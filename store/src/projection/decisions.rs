//! Decisions: what was concluded from each event. The latest revision counts; the first ones are the cursor.
//! writers: projector

use jiff::Timestamp;
use ledger::account::ClawbackPolicy;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::column;
use crate::error::Error;
use crate::statement::{Connection, Statement, Write, params, query, query_one};

const INSERT: Statement = Statement {
    sql: "-- decisions.insert
INSERT INTO decision AS d (tenant_id, pos, rev, slot, outcome, reason, root_key, account_id, rank, rules_version,
                           catalogue_version, evidence, cause_pos, decided_at, clawback)
SELECT h.tenant_id, unnest($4::bigint[]), unnest($5::int[]), unnest($6::smallint[]), unnest($7::smallint[]),
       unnest($8::smallint[]), unnest($9::text[]), unnest($10::uuid[]), unnest($11::smallint[]), $2, unnest($12::bigint[]),
       unnest($13::text[])::jsonb, unnest($14::bigint[]), $3, $15
FROM log_head h
WHERE h.tenant_id = $1",
    params: &[
        Type::INT4,
        Type::INT4,
        Type::TIMESTAMPTZ,
        Type::INT8_ARRAY,
        Type::INT4_ARRAY,
        Type::INT2_ARRAY,
        Type::INT2_ARRAY,
        Type::INT2_ARRAY,
        Type::TEXT_ARRAY,
        Type::UUID_ARRAY,
        Type::INT2_ARRAY,
        Type::INT8_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::INT2,
    ],
    columns: &[],
};

// Pages of positions first, so that a step is bounded however many of them were decided anew since.
const DEFERRED: Statement = Statement {
    sql: "-- decisions.deferred
SELECT p.pos, d.slot, d.rev, d.outcome = 3 AND d.rules_version < $2
FROM (
    SELECT DISTINCT x.pos FROM decision x
    WHERE x.tenant_id = $1 AND x.outcome = 3 AND x.pos > $3 ORDER BY x.pos LIMIT $4
) p
CROSS JOIN LATERAL (
    SELECT y.slot, y.rev, y.outcome, y.rules_version FROM decision y
    WHERE y.tenant_id = $1 AND y.pos = p.pos ORDER BY y.rev DESC LIMIT 1
) d
ORDER BY p.pos",
    params: &[Type::INT4, Type::INT4, Type::INT8, Type::INT8],
    columns: &[Type::INT8, Type::INT2, Type::INT4, Type::BOOL],
};

const LATEST: Statement = Statement {
    sql: "-- decisions.latest
SELECT max(rev) FROM decision WHERE tenant_id = $1 AND pos = $2",
    params: &[Type::INT4, Type::INT8],
    columns: &[Type::INT4],
};

pub(crate) const STATEMENTS: &[&Statement] = &[&INSERT, &DEFERRED, &LATEST];

/// A decision to be written.
#[derive(Debug, Clone)]
pub struct DecisionRow {
    /// Position of the event.
    pub pos: i64,
    /// Revision.
    pub rev: i32,
    /// Lane of the event.
    pub slot: i16,
    /// `decision.outcome`.
    pub outcome: i16,
    /// `decision.reason`.
    pub reason: i16,
    /// Payment.
    pub root_key: Option<String>,
    /// Account.
    pub account_id: Option<Uuid>,
    /// Rank of the evidence that settled it.
    pub rank: Option<i16>,
    /// Position of the catalogue entry that was in force.
    pub catalogue_version: Option<i64>,
    /// JSON text of the evidence.
    pub evidence: Option<String>,
    /// What released it.
    pub cause_pos: Option<i64>,
}

/// An event that was deferred once.
#[derive(Debug, Clone, Copy)]
pub struct DeferredRow {
    /// Position.
    pub pos: i64,
    /// Lane.
    pub slot: i16,
    /// Its latest revision.
    pub rev: i32,
    /// Whether that one deferred it as well, by older rules: newer ones may understand it.
    pub is_to_decide: bool,
}

/// Decisions as they are to be written, made by rules of this version under this policy about credits that are gone.
pub fn write(
    tenant_id: i32,
    (rules_version, clawback): (i32, ClawbackPolicy),
    now: Timestamp,
    rows: &[DecisionRow],
) -> Option<Write<'_>> {
    let params = params![
        tenant_id,
        rules_version,
        now,
        column!(rows, pos),
        column!(rows, rev),
        column!(rows, slot),
        column!(rows, outcome),
        column!(rows, reason),
        column!(rows, root_key),
        column!(rows, account_id),
        column!(rows, rank),
        column!(rows, catalogue_version),
        column!(rows, evidence),
        column!(rows, cause_pos),
        clawback.code(),
    ];
    Write::of(rows.len(), &INSERT, params)
}

/// The next events beyond `after` that any rules deferred, in position order.
pub async fn deferred(
    connection: &impl Connection,
    tenant_id: i32,
    rules_version: i32,
    after: i64,
    limit: i64,
) -> Result<Vec<DeferredRow>, Error> {
    let rows = query(connection, &DEFERRED, &[&tenant_id, &rules_version, &after, &limit]).await?;
    let row = |row: &tokio_postgres::Row| DeferredRow {
        pos: row.get(0),
        slot: row.get(1),
        rev: row.get(2),
        is_to_decide: row.get(3),
    };
    Ok(rows.iter().map(row).collect())
}

/// Latest revision of an event's decision; `None` before the first one.
pub async fn latest(
    connection: &impl Connection,
    tenant_id: i32,
    pos: i64,
) -> Result<Option<i32>, Error> {
    Ok(query_one(connection, &LATEST, &[&tenant_id, &pos]).await?.get(0))
}
