//! What a user had at an instant that is over, as far as it can be told: postings, commands and grant moves are kept for
//! ever; what payments were like at the time is not.
//!
//! It reads what was posted since then, or, by effect, all of it: an accountant asks for it now and then.

use jiff::Timestamp;
use ledger::ids::Owner;
use tokio_postgres::types::Type;

use crate::error::Error;
use crate::statement::{Connection, Statement, query_opt};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&RECORDED, &EFFECTIVE];

// What had expired by then counts as gone, also where that was posted later (by then it was due), or still is to be. A hold
// was open from its command until the one that ended it, or until its deadline; one that ended has both commands.
const RECORDED: Statement = Statement {
    sql: "-- read.balance_recorded
WITH newest AS (
    SELECT p.seq, p.balance_after FROM posting p
    WHERE p.tenant_id = $1 AND p.account_id = $3 AND p.unit = $4 AND p.recorded_at <= $5
    ORDER BY p.seq DESC LIMIT 1
), late AS (
    SELECT sum(m.amount) AS amount
    FROM newest n
    JOIN posting p ON p.tenant_id = $1 AND p.account_id = $3 AND p.unit = $4 AND p.seq > n.seq
    JOIN grant_move m ON m.tenant_id = $1 AND m.account_id = $3 AND m.unit = $4 AND m.seq = p.seq
    WHERE p.contra = 5 AND p.effective_at <= $5 AND m.kind = 2 AND m.grant_id <= n.seq
), due AS (
    SELECT sum(g.remaining - g.held + (
               SELECT coalesce(sum((h.reserved ->> g.grant_id::text)::bigint), 0) FROM hold h
               WHERE h.tenant_id = $1 AND h.account_id = $3 AND h.unit = $4 AND h.state = 1 AND h.expires_at <= $5)) AS amount
    FROM newest n
    JOIN credit_grant g ON g.tenant_id = $1 AND g.account_id = $3 AND g.unit = $4
    WHERE g.is_open AND g.expires_at < 'infinity' AND g.expires_at <= $5 AND g.grant_id <= n.seq
), told AS (
    SELECT c.step, c.kind, c.body,
           CASE c.kind WHEN 2 THEN 'hld_' || replace(c.command_id::text, '-', '') ELSE c.body ->> 'hold' END AS hold
    FROM command c
    WHERE c.tenant_id = $1 AND c.account_id = $3 AND c.unit = $4 AND c.recorded_at <= $5
), held AS (
    SELECT max((t.body ->> 'amount')::bigint) AS amount
    FROM told t WHERE t.kind IN (2, 3, 4, 10)
    GROUP BY t.hold
    HAVING count(*) = 1 AND max((t.body ->> 'expires_at')::timestamptz) > $5
)
SELECT (coalesce((SELECT n.balance_after FROM newest n), 0) - coalesce((SELECT l.amount FROM late l), 0)
        - coalesce((SELECT d.amount FROM due d), 0))::bigint AS posted,
       (SELECT coalesce(sum(h.amount), 0)::bigint FROM held h) AS held,
       (SELECT coalesce(max(t.step), 0) FROM told t) AS steps
WHERE EXISTS (SELECT FROM app_user u WHERE u.tenant_id = $1 AND u.user_id = $2)
   OR EXISTS (SELECT FROM owner o WHERE o.tenant_id = $1 AND o.account_id = $3)",
    params: &[Type::INT4, Type::TEXT, Type::UUID, Type::TEXT, Type::TIMESTAMPTZ],
    columns: &[Type::INT8, Type::INT8, Type::INT8],
};

const EFFECTIVE: Statement = Statement {
    sql: "-- read.balance_effective
WITH due AS (
    SELECT sum(g.remaining - g.held + (
               SELECT coalesce(sum((h.reserved ->> g.grant_id::text)::bigint), 0) FROM hold h
               WHERE h.tenant_id = $1 AND h.account_id = $3 AND h.unit = $4 AND h.state = 1 AND h.expires_at <= $5)) AS amount
    FROM credit_grant g
    WHERE g.tenant_id = $1 AND g.account_id = $3 AND g.unit = $4 AND g.is_open AND g.expires_at < 'infinity' AND g.expires_at <= $5
)
SELECT ((SELECT coalesce(sum(p.amount), 0) FROM posting p
         WHERE p.tenant_id = $1 AND p.account_id = $3 AND p.unit = $4 AND p.effective_at <= $5)
        - coalesce((SELECT d.amount FROM due d), 0))::bigint AS posted
WHERE EXISTS (SELECT FROM app_user u WHERE u.tenant_id = $1 AND u.user_id = $2)
   OR EXISTS (SELECT FROM owner o WHERE o.tenant_id = $1 AND o.account_id = $3)",
    params: &[Type::INT4, Type::TEXT, Type::UUID, Type::TEXT, Type::TIMESTAMPTZ],
    columns: &[Type::INT8],
};

/// By which of a movement's two instants it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// When it was recorded: what was known then.
    Record,
    /// When it took effect in the world: what was so, known or not.
    Effect,
}

/// What can be told of a balance at an instant, in the unit's smallest part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Sum of all postings, and of what had expired; below zero is debt.
    pub posted: i64,
    /// Credits that holds reserved; `None` by effect.
    pub held: Option<i64>,
    /// Number of commands that were carried out; `None` by effect.
    pub steps: Option<i64>,
}

/// The balance of a user in one unit at an instant; `None` for a user that nobody ever told of.
pub async fn balance_at(
    connection: &impl Connection,
    tenant_id: i32,
    (user, unit): (&str, &str),
    at: Timestamp,
    basis: Basis,
) -> Result<Option<Past>, Error> {
    let account = Owner::User(user.to_owned()).account_id().0;
    let statement = match basis {
        Basis::Record => &RECORDED,
        Basis::Effect => &EFFECTIVE,
    };
    let row = query_opt(connection, statement, &[&tenant_id, &user, &account, &unit, &at]).await?;
    Ok(row.map(|row| Past {
        posted: row.get("posted"),
        held: (basis == Basis::Record).then(|| row.get("held")),
        steps: (basis == Basis::Record).then(|| row.get("steps")),
    }))
}
