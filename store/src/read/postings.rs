//! The statement of an account: its movements, newest first.

use jiff::Timestamp;
use ledger::account::SystemAccount;
use ledger::ids::AccountId;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::page::{Found, Page};
use crate::error::Error;
use crate::statement::{Connection, Statement, query};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&OLDER, &NEWER];

const OLDER: Statement = Statement {
    sql: "-- read.posting_list_older
SELECT p.seq, p.contra, p.amount, p.balance_after, p.cause_pos, p.cause_rev, p.command_id, p.root_key, p.line,
       p.effective_at, p.recorded_at
FROM posting p
WHERE p.tenant_id = $1 AND p.account_id = $2 AND p.unit = $3 AND p.seq < $4
ORDER BY p.seq DESC LIMIT $5",
    params: &[Type::INT4, Type::UUID, Type::TEXT, Type::INT8, Type::INT8],
    columns: &[Type::INT8, Type::INT2, Type::INT8, Type::INT8, Type::INT8, Type::INT4, Type::UUID, Type::TEXT, Type::TEXT, Type::TIMESTAMPTZ, Type::TIMESTAMPTZ],
};

const NEWER: Statement = Statement {
    sql: "-- read.posting_list_newer
SELECT p.seq, p.contra, p.amount, p.balance_after, p.cause_pos, p.cause_rev, p.command_id, p.root_key, p.line,
       p.effective_at, p.recorded_at
FROM posting p
WHERE p.tenant_id = $1 AND p.account_id = $2 AND p.unit = $3 AND p.seq > $4
ORDER BY p.seq LIMIT $5",
    params: &[Type::INT4, Type::UUID, Type::TEXT, Type::INT8, Type::INT8],
    columns: &[Type::INT8, Type::INT2, Type::INT8, Type::INT8, Type::INT8, Type::INT4, Type::UUID, Type::TEXT, Type::TEXT, Type::TIMESTAMPTZ, Type::TIMESTAMPTZ],
};

/// One movement, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Number of the movement on its account.
    pub seq: i64,
    /// The other side.
    pub contra: SystemAccount,
    /// Credits; positive adds to the account.
    pub amount: i64,
    /// Sum of all postings up to this one.
    pub balance_after: i64,
    /// Position and revision of the decision that made it.
    pub decision: Option<(i64, i32)>,
    /// Command that made it.
    pub command_id: Option<Uuid>,
    /// Payment that it belongs to.
    pub root_key: Option<String>,
    /// Line of the payment.
    pub line: Option<String>,
    /// When it took effect in the world.
    pub effective_at: Timestamp,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// One page of an account's movements in one unit; the key is `seq`.
pub async fn posting_list(
    connection: &impl Connection,
    tenant_id: i32,
    account: AccountId,
    unit: &str,
    page: &Page<i64>,
) -> Result<Found<Posting>, Error> {
    let statement = if page.is_upward() { &NEWER } else { &OLDER };
    let rows = query(
        connection,
        statement,
        &[&tenant_id, &account.0, &unit, &page.key(), &page.rows_to_ask()],
    )
    .await?;
    let postings: Result<Vec<Posting>, Error> = rows.iter().map(read).collect();
    Ok(page.cut(postings?))
}

fn read(row: &Row) -> Result<Posting, Error> {
    let seq: i64 = row.get("seq");
    let cause_pos: Option<i64> = row.get("cause_pos");
    Ok(Posting {
        seq,
        contra: SystemAccount::from_code(row.get("contra"))
            .ok_or_else(|| Error::inconsistent("posting", "contra", format!("seq {seq}")))?,
        amount: row.get("amount"),
        balance_after: row.get("balance_after"),
        decision: cause_pos.zip(row.get("cause_rev")),
        command_id: row.get("command_id"),
        root_key: row.get("root_key"),
        line: row.get("line"),
        effective_at: row.get("effective_at"),
        recorded_at: row.get("recorded_at"),
    })
}
