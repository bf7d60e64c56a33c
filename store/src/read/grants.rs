//! The grants of an account, newest first.

use jiff::Timestamp;
use ledger::ids::AccountId;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::page::{Found, Page};
use crate::error::Error;
use crate::statement::{Connection, Statement, query};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&OLDER, &NEWER];

const OLDER: Statement = Statement {
    sql: "-- read.grant_list_older
SELECT g.grant_id, g.priority, nullif(g.expires_at, 'infinity') AS expires_at, g.root_key, g.line, g.granted,
       g.remaining, g.held, g.is_open, p.recorded_at
FROM credit_grant g
JOIN posting p ON p.tenant_id = g.tenant_id AND p.account_id = g.account_id AND p.unit = g.unit AND p.seq = g.grant_id
WHERE g.tenant_id = $1 AND g.account_id = $2 AND g.unit = $3 AND g.grant_id < $4
ORDER BY g.grant_id DESC LIMIT $5",
    params: &[Type::INT4, Type::UUID, Type::TEXT, Type::INT8, Type::INT8],
    columns: &[Type::INT8, Type::INT2, Type::TIMESTAMPTZ, Type::TEXT, Type::TEXT, Type::INT8, Type::INT8, Type::INT8, Type::BOOL, Type::TIMESTAMPTZ],
};

const NEWER: Statement = Statement {
    sql: "-- read.grant_list_newer
SELECT g.grant_id, g.priority, nullif(g.expires_at, 'infinity') AS expires_at, g.root_key, g.line, g.granted,
       g.remaining, g.held, g.is_open, p.recorded_at
FROM credit_grant g
JOIN posting p ON p.tenant_id = g.tenant_id AND p.account_id = g.account_id AND p.unit = g.unit AND p.seq = g.grant_id
WHERE g.tenant_id = $1 AND g.account_id = $2 AND g.unit = $3 AND g.grant_id > $4
ORDER BY g.grant_id LIMIT $5",
    params: &[Type::INT4, Type::UUID, Type::TEXT, Type::INT8, Type::INT8],
    columns: &[Type::INT8, Type::INT2, Type::TIMESTAMPTZ, Type::TEXT, Type::TEXT, Type::INT8, Type::INT8, Type::INT8, Type::BOOL, Type::TIMESTAMPTZ],
};

/// A block of credits, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// `seq` of the posting that granted it.
    pub grant_id: i64,
    /// Lower is drawn first.
    pub priority: i16,
    /// From this instant it cannot be spent; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// Payment that it came from.
    pub root_key: Option<String>,
    /// Line of the payment.
    pub line: Option<String>,
    /// Credits at the start.
    pub granted: i64,
    /// Credits left.
    pub remaining: i64,
    /// Credits of these that holds reserve.
    pub held: i64,
    /// Whether anything is left of it.
    pub is_open: bool,
    /// When it was granted.
    pub recorded_at: Timestamp,
}

/// One page of an account's grants in one unit; the key is `grant_id`.
pub async fn grant_list(
    connection: &impl Connection,
    tenant_id: i32,
    account: AccountId,
    unit: &str,
    page: &Page<i64>,
) -> Result<Found<Grant>, Error> {
    let statement = if page.is_upward() { &NEWER } else { &OLDER };
    let rows = query(
        connection,
        statement,
        &[&tenant_id, &account.0, &unit, &page.key(), &page.rows_to_ask()],
    )
    .await?;
    Ok(page.cut(rows.iter().map(read).collect()))
}

fn read(row: &Row) -> Grant {
    Grant {
        grant_id: row.get("grant_id"),
        priority: row.get("priority"),
        expires_at: row.get("expires_at"),
        root_key: row.get("root_key"),
        line: row.get("line"),
        granted: row.get("granted"),
        remaining: row.get("remaining"),
        held: row.get("held"),
        is_open: row.get("is_open"),
        recorded_at: row.get("recorded_at"),
    }
}
