//! The statement of an account: its movements, newest first.

use jiff::Timestamp;
use ledger::account::SystemAccount;
use ledger::ids::AccountId;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::page::{Found, Page};
use crate::error::Error;
use crate::statement::{Connection, Params, Statement, query, query_one};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&OLDER, &NEWER, &BEFORE];

/// A page of the movements between two numbers, `$3` and `$4`, both exclusive, and what caused each.
macro_rules! page_of {
    ($name:literal, $order:literal) => {
        concat!(
            "-- read.",
            $name,
            "
SELECT p.seq, p.contra, p.amount, p.balance_after, p.cause_pos, p.cause_rev, p.command_id, p.root_key, p.line,
       p.effective_at, p.recorded_at,
       (SELECT e.source_id FROM event e WHERE e.tenant_id = $1 AND e.pos = p.cause_pos) AS event,
       c.kind AS command_kind, c.body ->> 'description' AS description, c.body ->> 'reason' AS reason,
       c.body ->> 'hold' AS hold, c.body ->> 'spend' AS spend, (c.body ->> 'grant')::bigint AS grant_id
FROM (
    SELECT p.* FROM posting p
    WHERE p.tenant_id = $1 AND p.account_id = $2 AND p.unit = $5 AND p.seq > $3 AND p.seq < $4
    ORDER BY p.seq ",
            $order,
            " LIMIT $6) p
LEFT JOIN LATERAL (
    SELECT c.kind, c.body FROM command c
    WHERE c.tenant_id = $1 AND c.command_id = p.command_id LIMIT 1) c ON true
ORDER BY p.seq ",
            $order
        )
    };
}

const PARAMS: &[Type] = &[Type::INT4, Type::UUID, Type::INT8, Type::INT8, Type::TEXT, Type::INT8];

const COLUMNS: &[Type] = &[
    Type::INT8,
    Type::INT2,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT4,
    Type::UUID,
    Type::TEXT,
    Type::TEXT,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::TEXT,
    Type::INT2,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::INT8,
];

const OLDER: Statement =
    Statement { sql: page_of!("posting_list_older", "DESC"), params: PARAMS, columns: COLUMNS };

const NEWER: Statement =
    Statement { sql: page_of!("posting_list_newer", "ASC"), params: PARAMS, columns: COLUMNS };

// recorded_at never decreases along seq: halving finds the place among any number of postings by some lookups.
const BEFORE: Statement = Statement {
    sql: "-- read.posting_count_before
WITH RECURSIVE search (low, high) AS (
    SELECT 0::bigint, a.version FROM account a WHERE a.tenant_id = $1 AND a.account_id = $2 AND a.unit = $3
    UNION ALL
    SELECT CASE WHEN p.is_before THEN s.middle ELSE s.low END, CASE WHEN p.is_before THEN s.high ELSE s.middle - 1 END
    FROM (SELECT s.low, s.high, (s.low + s.high + 1) / 2 AS middle FROM search s WHERE s.low < s.high) s
    CROSS JOIN LATERAL (
        SELECT p.recorded_at < $4 AS is_before FROM posting p
        WHERE p.tenant_id = $1 AND p.account_id = $2 AND p.unit = $3 AND p.seq = s.middle LIMIT 1) p
)
SELECT coalesce((SELECT s.low FROM search s WHERE s.low = s.high), 0) AS count",
    params: &[Type::INT4, Type::UUID, Type::TEXT, Type::TIMESTAMPTZ],
    columns: &[Type::INT8],
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
    /// Id of the decided event: Stripe's `evt_…`, or our own.
    pub event: Option<String>,
    /// Command that made it.
    pub command: Option<Command>,
    /// Payment that it belongs to.
    pub root_key: Option<String>,
    /// Line of the payment.
    pub line: Option<String>,
    /// When it took effect in the world.
    pub effective_at: Timestamp,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// The command behind a movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Its id.
    pub command_id: Uuid,
    /// What it is called: `spend`, `capture`, …
    pub name: &'static str,
    /// What the app said that it was for.
    pub description: Option<String>,
    /// Why it was asked for.
    pub reason: Option<String>,
    /// The hold that it ended.
    pub hold: Option<String>,
    /// The spend that it gave back.
    pub spend: Option<String>,
    /// The grant that it expired.
    pub grant_id: Option<i64>,
}

/// Movements between two instants: recorded from the first on, and before the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Between {
    /// From then on.
    pub from: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
}

/// One page of an account's movements in one unit; the key is `seq`.
pub async fn posting_list(
    connection: &impl Connection,
    tenant_id: i32,
    (account, unit): (AccountId, &str),
    between: Between,
    page: &Page<i64>,
) -> Result<Found<Posting>, Error> {
    let before = async |at: Option<Timestamp>| match at {
        None => Ok(None),
        Some(at) => {
            let params: Params<'_> = &[&tenant_id, &account.0, &unit, &at];
            query_one(connection, &BEFORE, params).await.map(|row| Some(row.get::<_, i64>("count")))
        }
    };
    let mut above = before(between.from).await?.unwrap_or(0);
    let mut below = before(between.until).await?.map_or(i64::MAX, |count| count.saturating_add(1));
    let statement = if page.is_upward() {
        above = above.max(page.key());
        &NEWER
    } else {
        below = below.min(page.key());
        &OLDER
    };
    let params: Params<'_> = &[&tenant_id, &account.0, &above, &below, &unit, &page.rows_to_ask()];
    let rows = query(connection, statement, params).await?;
    let postings: Result<Vec<Posting>, Error> = rows.iter().map(read).collect();
    Ok(page.cut(postings?))
}

fn read(row: &Row) -> Result<Posting, Error> {
    let seq: i64 = row.get("seq");
    let cause_pos: Option<i64> = row.get("cause_pos");
    let command_id: Option<Uuid> = row.get("command_id");
    Ok(Posting {
        seq,
        contra: SystemAccount::from_code(row.get("contra"))
            .ok_or_else(|| Error::inconsistent("posting", "contra", format!("seq {seq}")))?,
        amount: row.get("amount"),
        balance_after: row.get("balance_after"),
        decision: cause_pos.zip(row.get("cause_rev")),
        event: row.get("event"),
        command: command_id.map(|command_id| Command {
            command_id,
            name: row.get::<_, Option<i16>>("command_kind").map_or("unknown", name_of),
            description: row.get("description"),
            reason: row.get("reason"),
            hold: row.get("hold"),
            spend: row.get("spend"),
            grant_id: row.get("grant_id"),
        }),
        root_key: row.get("root_key"),
        line: row.get("line"),
        effective_at: row.get("effective_at"),
        recorded_at: row.get("recorded_at"),
    })
}

/// What the kind of a command is called (`command.kind`).
fn name_of(kind: i16) -> &'static str {
    match kind {
        1 => "spend",
        2 => "hold",
        3 => "capture",
        4 => "release",
        5 => "grant",
        6 => "reverse",
        7 => "limit",
        8 => "freeze",
        9 => "expire_grant",
        10 => "expire_hold",
        _ => "unknown",
    }
}
