//! Who did what: the acts of people and the changes of the catalogue, as they stand in the log.

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::decisions::Verdict;
use super::page::{Found, Page};
use crate::error::Error;
use crate::statement::{Connection, Statement, query};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&OLDER, &NEWER];

const OLDER: Statement = Statement {
    sql: "-- read.audit_list_older
SELECT e.pos, e.source_id, e.type, e.received_at, e.body, d.outcome, d.reason
FROM event_key k JOIN event e ON e.tenant_id = k.tenant_id AND e.pos = k.pos LEFT JOIN LATERAL (
    SELECT l.outcome, l.reason FROM decision l
    WHERE l.tenant_id = e.tenant_id AND l.pos = e.pos ORDER BY l.rev DESC LIMIT 1) d ON true
WHERE k.tenant_id = $1 AND k.origin IN (2, 4) AND k.pos < $2
ORDER BY k.pos DESC LIMIT $3",
    params: &[Type::INT4, Type::INT8, Type::INT8],
    columns: &[
        Type::INT8,
        Type::TEXT,
        Type::TEXT,
        Type::TIMESTAMPTZ,
        Type::BYTEA,
        Type::INT2,
        Type::INT2,
    ],
};

const NEWER: Statement = Statement {
    sql: "-- read.audit_list_newer
SELECT e.pos, e.source_id, e.type, e.received_at, e.body, d.outcome, d.reason
FROM event_key k JOIN event e ON e.tenant_id = k.tenant_id AND e.pos = k.pos LEFT JOIN LATERAL (
    SELECT l.outcome, l.reason FROM decision l
    WHERE l.tenant_id = e.tenant_id AND l.pos = e.pos ORDER BY l.rev DESC LIMIT 1) d ON true
WHERE k.tenant_id = $1 AND k.origin IN (2, 4) AND k.pos > $2
ORDER BY k.pos LIMIT $3",
    params: &[Type::INT4, Type::INT8, Type::INT8],
    columns: &[
        Type::INT8,
        Type::TEXT,
        Type::TEXT,
        Type::TIMESTAMPTZ,
        Type::BYTEA,
        Type::INT2,
        Type::INT2,
    ],
};

/// One act.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// Position of its event.
    pub pos: i64,
    /// Id of its event.
    pub source_id: String,
    /// What was done, such as `tally.case.assigned`.
    pub event_type: String,
    /// When.
    pub received_at: Timestamp,
    /// All that was said; null once it is erased.
    pub body: Value,
    /// What became of it; `None` while nothing is decided.
    pub verdict: Option<Verdict>,
}

/// One page of acts; the key is the position.
pub async fn audit_list(
    connection: &impl Connection,
    tenant_id: i32,
    page: &Page<i64>,
) -> Result<Found<Act>, Error> {
    let statement = if page.is_upward() { &NEWER } else { &OLDER };
    let rows =
        query(connection, statement, &[&tenant_id, &page.key(), &page.rows_to_ask()]).await?;
    let acts: Result<Vec<Act>, Error> = rows.iter().map(read).collect();
    Ok(page.cut(acts?))
}

fn read(row: &Row) -> Result<Act, Error> {
    let pos: i64 = row.get("pos");
    let body: Option<&[u8]> = row.get("body");
    let outcome: Option<i16> = row.get("outcome");
    let decided = outcome.zip(row.get("reason"));
    Ok(Act {
        pos,
        source_id: row.get("source_id"),
        event_type: row.get("type"),
        received_at: row.get("received_at"),
        body: body
            .map_or(Ok(Value::Null), serde_json::from_slice)
            .map_err(|_| Error::inconsistent("event", "body", format!("position {pos}")))?,
        verdict: decided
            .map(|(outcome, reason)| Verdict::read(outcome, reason, pos))
            .transpose()?,
    })
}
