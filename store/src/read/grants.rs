//! The grants of an account, newest first.

use jiff::Timestamp;
use ledger::account::SystemAccount;
use ledger::ids::AccountId;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::page::{Found, Page};
use crate::error::Error;
use crate::statement::{Connection, Params, Statement, query};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&OLDER, &NEWER];

/// A page of the grants between two numbers, `$4` and `$5`, both exclusive; `$6` says whether of the open ones alone.
macro_rules! page_of {
    ($name:literal, $order:literal) => {
        concat!(
            "-- read.",
            $name,
            "
SELECT g.grant_id, g.priority, nullif(g.expires_at, 'infinity') AS expires_at, g.root_key, g.line, g.granted,
       g.remaining, g.held, g.is_open, p.contra, p.recorded_at,
       (SELECT c.body ->> 'reason' FROM command c WHERE c.tenant_id = $1 AND c.command_id = p.command_id) AS reason
FROM (
    SELECT g.* FROM credit_grant g
    WHERE g.tenant_id = $1 AND g.account_id = $2 AND g.unit = $3 AND g.grant_id > $4 AND g.grant_id < $5
      AND (NOT $6 OR (g.is_open AND g.expires_at > $7))
    ORDER BY g.grant_id ",
            $order,
            " LIMIT $8) g
JOIN posting p ON p.tenant_id = $1 AND p.account_id = $2 AND p.unit = $3 AND p.seq = g.grant_id
ORDER BY g.grant_id ",
            $order
        )
    };
}

const PARAMS: &[Type] = &[
    Type::INT4,
    Type::UUID,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::BOOL,
    Type::TIMESTAMPTZ,
    Type::INT8,
];

const COLUMNS: &[Type] = &[
    Type::INT8,
    Type::INT2,
    Type::TIMESTAMPTZ,
    Type::TEXT,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::BOOL,
    Type::INT2,
    Type::TIMESTAMPTZ,
    Type::TEXT,
];

const OLDER: Statement =
    Statement { sql: page_of!("grant_list_older", "DESC"), params: PARAMS, columns: COLUMNS };

const NEWER: Statement =
    Statement { sql: page_of!("grant_list_newer", "ASC"), params: PARAMS, columns: COLUMNS };

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
    /// The other side of the posting that granted it.
    pub contra: SystemAccount,
    /// Why it was given away, if it was.
    pub reason: Option<String>,
    /// When it was granted.
    pub recorded_at: Timestamp,
}

/// One page of an account's grants in one unit; the key is `grant_id`. `open_at`: only those that have something left and
/// have not expired by then.
pub async fn grant_list(
    connection: &impl Connection,
    tenant_id: i32,
    (account, unit): (AccountId, &str),
    open_at: Option<Timestamp>,
    page: &Page<i64>,
) -> Result<Found<Grant>, Error> {
    let (statement, above, below) =
        if page.is_upward() { (&NEWER, page.key(), i64::MAX) } else { (&OLDER, 0, page.key()) };
    let (is_open, at) = (open_at.is_some(), open_at.unwrap_or_default());
    let limit = page.rows_to_ask();
    let params: Params<'_> =
        &[&tenant_id, &account.0, &unit, &above, &below, &is_open, &at, &limit];
    let rows = query(connection, statement, params).await?;
    let grants: Result<Vec<Grant>, Error> = rows.iter().map(read).collect();
    Ok(page.cut(grants?))
}

fn read(row: &Row) -> Result<Grant, Error> {
    let grant_id: i64 = row.get("grant_id");
    Ok(Grant {
        grant_id,
        priority: row.get("priority"),
        expires_at: row.get("expires_at"),
        root_key: row.get("root_key"),
        line: row.get("line"),
        granted: row.get("granted"),
        remaining: row.get("remaining"),
        held: row.get("held"),
        is_open: row.get("is_open"),
        contra: SystemAccount::from_code(row.get("contra"))
            .ok_or_else(|| Error::inconsistent("posting", "contra", format!("seq {grant_id}")))?,
        reason: row.get("reason"),
        recorded_at: row.get("recorded_at"),
    })
}
