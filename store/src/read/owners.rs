//! Whose a payment was, one owner after the other: its history, as the decisions tell it.

use jiff::Timestamp;
use ledger::ids::Owner;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::payments::read_owner;
use crate::error::Error;
use crate::statement::{Connection, Statement, query};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&LIST];

/// Most changes of one payment that are read.
const CHANGES_MAX: i64 = 100;

// Origin 2: an operator.
const LIST: Statement = Statement {
    sql: "-- read.payment_owner_list
SELECT d.kind, d.key, d.decided_at, d.set_off, e.body
FROM (SELECT o.kind, o.key, o.account_id, x.decided_at, x.rev, coalesce(x.cause_pos, x.pos) AS set_off,
             lag(o.account_id) OVER (ORDER BY x.decided_at, coalesce(x.cause_pos, x.pos), x.rev, x.pos) AS before
      FROM decision x JOIN owner o ON o.tenant_id = $1 AND o.account_id = x.account_id
      WHERE x.tenant_id = $1 AND x.root_key = ANY($2)) d
LEFT JOIN event e ON e.tenant_id = $1 AND e.pos = d.set_off AND e.origin = 2
WHERE d.account_id IS DISTINCT FROM d.before
ORDER BY d.decided_at, d.set_off, d.rev LIMIT $3",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::INT8],
    columns: &[Type::INT2, Type::TEXT, Type::TIMESTAMPTZ, Type::INT8, Type::BYTEA],
};

/// A payment came to stand with somebody.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnerChange {
    /// With whom.
    pub owner: Owner,
    /// Since when.
    pub since: Timestamp,
    /// Position of the event that led to it.
    pub pos: i64,
    /// What was said, if it was a person's act; null otherwise, and once it is erased.
    pub said: Value,
}

/// Whose a payment was and is, whatever it was called then, the first one first.
pub async fn payment_owner_list(
    connection: &impl Connection,
    tenant_id: i32,
    roots: &[String],
) -> Result<Vec<OwnerChange>, Error> {
    let rows = query(connection, &LIST, &[&tenant_id, &roots, &CHANGES_MAX]).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<OwnerChange, Error> {
    let pos: i64 = row.get("set_off");
    let body: Option<&[u8]> = row.get("body");
    Ok(OwnerChange {
        owner: read_owner(row.get("kind"), row.get("key"))?,
        since: row.get("decided_at"),
        pos,
        said: body
            .map_or(Ok(Value::Null), serde_json::from_slice)
            .map_err(|_| Error::inconsistent("event", "body", format!("position {pos}")))?,
    })
}
