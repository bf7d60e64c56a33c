//! What a user has: every part of it out of one statement, so that the parts fit together.
//!
//! It is the statement that is asked for most, so its plan is made once and kept ([`crate::Store::connect_for_reads`]),
//! perhaps while the tables were empty. Hence its form: each table is looked up by a subquery of its own, whose LIMIT or
//! ORDER leads to the one index that has all of its keys. It reads what is open or due, never what is over: it costs the
//! same however much was posted.
//!
//! A hold is over at its deadline and a grant at its end, whether or not that was carried out yet: the parts are those of
//! `ledger::account::Account::balance` once it is, as every command has it carried out first.

use jiff::Timestamp;
use ledger::ids::{AccountId, Owner};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::error::Error;
use crate::statement::{Connection, Statement, query, query_opt};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&STATEMENT, &MANY, &UNITS];

/// The statement about `w (ord, user_id, account_id, unit)` at `$5`; `$from` says which those are.
///
/// Disputes: which ones took money, and which of those are still open, is told by the payment's facts as
/// `rules::reversal::Dispute` says it. A payment's disputes take credits together: of these, the open ones' share counts.
macro_rules! parts_of {
    ($name:literal, $from:literal) => {
        concat!(
            "-- read.",
            $name,
            "
SELECT w.ord,
       coalesce((SELECT u.user_id FROM app_user u WHERE u.tenant_id = $1 AND u.user_id = w.user_id LIMIT 1),
                (SELECT o.key FROM owner o WHERE o.tenant_id = $1 AND o.account_id = w.account_id LIMIT 1)) IS NOT NULL AS is_known,
       coalesce(a.version, 0) AS version,
       coalesce(a.steps, 0) AS steps,
       coalesce(a.posted, 0) AS posted,
       coalesce(a.held, 0) - overdue.amount AS held,
       (SELECT coalesce(sum(g.unheld), 0)::bigint
        FROM (SELECT g.remaining - g.held + (
                         SELECT coalesce(sum((h.reserved ->> g.grant_id::text)::bigint), 0)
                         FROM unnest(overdue.reserved) h (reserved)) AS unheld
              FROM credit_grant g
              WHERE g.tenant_id = $1 AND g.account_id = w.account_id AND g.unit = w.unit AND g.is_open
                AND g.expires_at < 'infinity' AND g.expires_at <= t.now ORDER BY g.expires_at) g) AS expired,
       (SELECT coalesce(sum(line.credits), 0)::bigint
        FROM payment p
        CROSS JOIN LATERAL (
            SELECT sum(l.expected) AS credits FROM payment_leg l
            WHERE l.tenant_id = $1 AND l.root_key = p.root_key AND l.leg = 1 AND l.unit = w.unit) line
        WHERE p.tenant_id = $1 AND p.claimant = w.user_id AND p.merged_into IS NULL AND p.status = 1) AS pending,
       (SELECT coalesce(sum(line.credits), 0)::bigint
        FROM payment p
        CROSS JOIN LATERAL (
            SELECT sum(l.posted) AS credits FROM payment_leg l
            WHERE l.tenant_id = $1 AND l.root_key = p.root_key AND l.unit = w.unit
              AND (SELECT o.kind FROM owner o WHERE o.tenant_id = $1 AND o.account_id = p.owner_account LIMIT 1) = 2) line
        WHERE p.tenant_id = $1 AND p.claimant = w.user_id AND p.owner_account <> w.account_id
          AND p.merged_into IS NULL) AS in_review,
       (SELECT coalesce(sum(line.credits), 0)::bigint
        FROM payment p
        CROSS JOIN LATERAL (
            SELECT sum(d.amount) AS gone, sum(d.amount) FILTER (WHERE d.is_open) AS open
            FROM (SELECT greatest((f.dispute->'movement'->>'amount')::numeric, 0) AS amount,
                         coalesce(f.dispute->'status'->>1 NOT IN ('won', 'lost', 'prevented', 'warning_closed'), true) AS is_open
                  FROM jsonb_each(p.facts->'reversals'->'disputes') f (id, dispute)
                  WHERE f.dispute->'movement'->>'reinstated' = 'false') d) d
        CROSS JOIN LATERAL (
            SELECT sum(trunc(-l.posted * d.open / d.gone)) AS credits FROM payment_leg l
            WHERE l.tenant_id = $1 AND l.root_key = p.root_key AND l.leg = 3 AND l.posted < 0 AND l.unit = w.unit) line
        WHERE p.tenant_id = $1 AND p.owner_account = w.account_id AND p.merged_into IS NULL
          AND p.facts->'reversals'->'disputes' IS NOT NULL AND d.gone > 0) AS disputed,
       (SELECT coalesce(sum(g.unheld), 0)::bigint
        FROM (SELECT g.remaining - g.held + (
                         SELECT coalesce(sum((h.reserved ->> g.grant_id::text)::bigint), 0)
                         FROM unnest(overdue.reserved) h (reserved)) AS unheld
              FROM credit_grant g
              WHERE g.tenant_id = $1 AND g.account_id = w.account_id AND g.unit = w.unit AND g.is_open
                AND g.expires_at < 'infinity' AND g.expires_at = next.expires_at ORDER BY g.expires_at) g) AS next_amount,
       next.expires_at AS next_at,
       coalesce((SELECT d.pos FROM decision d WHERE d.tenant_id = $1 ORDER BY d.pos DESC LIMIT 1), 0) AS decided_pos
FROM ",
            $from,
            "
LEFT JOIN LATERAL (
    SELECT a.version, a.steps, a.posted, a.held, a.last_at FROM account a
    WHERE a.tenant_id = $1 AND a.account_id = w.account_id AND a.unit = w.unit LIMIT 1) a ON true
CROSS JOIN LATERAL (SELECT greatest($5, a.last_at) AS now) t
CROSS JOIN LATERAL (
    SELECT coalesce(sum(h.amount), 0)::bigint AS amount, array_agg(h.reserved) AS reserved
    FROM (SELECT h.amount, h.reserved FROM hold h
          WHERE h.tenant_id = $1 AND h.account_id = w.account_id AND h.unit = w.unit AND h.state = 1
            AND h.expires_at <= t.now ORDER BY h.expires_at) h) overdue
LEFT JOIN LATERAL (
    SELECT g.expires_at FROM credit_grant g
    WHERE g.tenant_id = $1 AND g.account_id = w.account_id AND g.unit = w.unit AND g.is_open
      AND g.expires_at < 'infinity' AND g.expires_at > t.now
      AND g.remaining > g.held - (
          SELECT coalesce(sum((h.reserved ->> g.grant_id::text)::bigint), 0)
          FROM unnest(overdue.reserved) h (reserved))
    ORDER BY g.expires_at LIMIT 1) next ON true"
        )
    };
}

const COLUMNS: &[Type] = &[
    Type::INT8,
    Type::BOOL,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::TIMESTAMPTZ,
    Type::INT8,
];

/// One balance: tenant, user, account, unit, now.
pub const STATEMENT: Statement = Statement {
    sql: parts_of!(
        "balance_get",
        "(SELECT 1::bigint AS ord, $2 AS user_id, $3 AS account_id, $4 AS unit) w"
    ),
    params: &[Type::INT4, Type::TEXT, Type::UUID, Type::TEXT, Type::TIMESTAMPTZ],
    columns: COLUMNS,
};

const MANY: Statement = Statement {
    sql: parts_of!(
        "balance_list",
        "unnest($2, $3, $4) WITH ORDINALITY w (user_id, account_id, unit, ord)"
    ),
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::UUID_ARRAY, Type::TEXT_ARRAY, Type::TIMESTAMPTZ],
    columns: COLUMNS,
};

// The primary key has it in order.
const UNITS: Statement = Statement {
    sql: "-- read.account_unit_list
SELECT a.unit FROM account a WHERE a.tenant_id = $1 AND a.account_id = $2 ORDER BY a.unit LIMIT $3",
    params: &[Type::INT4, Type::UUID, Type::INT8],
    columns: &[Type::TEXT],
};

/// Most units of one user that are listed: more than anybody has kinds of credits.
const UNITS_MAX: i64 = 100;

/// The parts of a balance at an instant, in the unit's smallest part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Number of postings.
    pub version: i64,
    /// Number of commands that were carried out.
    pub steps: i64,
    /// Sum of all postings, and of what has expired; below zero is debt.
    pub posted: i64,
    /// Credits that holds reserve.
    pub held: i64,
    /// Credits of payments that are still under way and name this user alone.
    pub pending: i64,
    /// Credits that are paid and not taken back, stand unclaimed, and name this user alone.
    pub in_review: i64,
    /// Credits that disputes took back which are still open.
    pub disputed: i64,
    /// What can be spent and runs out next, and when.
    pub expiring_next: Option<(i64, Timestamp)>,
    /// Newest position that was decided in the snapshot that this was read from.
    pub decided_pos: i64,
}

impl Parts {
    /// Credits that can be spent or held, the overdraft aside.
    pub fn available(&self) -> i64 {
        self.posted.saturating_sub(self.held).max(0)
    }

    /// Credits that are owed.
    pub fn debt(&self) -> i64 {
        self.posted.min(0).saturating_neg()
    }
}

/// The balance of a user in one unit at `now`; `None` for a user that nobody ever told of.
pub async fn balance_get(
    connection: &impl Connection,
    tenant_id: i32,
    user: &str,
    unit: &str,
    now: Timestamp,
) -> Result<Option<Parts>, Error> {
    let account = account_of(user);
    let row =
        query_opt(connection, &STATEMENT, &[&tenant_id, &user, &account, &unit, &now]).await?;
    Ok(row.as_ref().and_then(read))
}

/// The balances of users in units, all out of one snapshot, in their order.
pub async fn balance_list(
    connection: &impl Connection,
    tenant_id: i32,
    wanted: &[(&str, &str)],
    now: Timestamp,
) -> Result<Vec<Option<Parts>>, Error> {
    let (users, units): (Vec<&str>, Vec<&str>) = wanted.iter().copied().unzip();
    let accounts: Vec<Uuid> = users.iter().map(|user| account_of(user)).collect();
    let mut found = vec![None; wanted.len()];
    for row in query(connection, &MANY, &[&tenant_id, &users, &accounts, &units, &now]).await? {
        let ord: i64 = row.get("ord");
        let place = usize::try_from(ord.saturating_sub(1)).unwrap_or_default();
        if let Some(found) = found.get_mut(place) {
            *found = read(&row);
        }
    }
    Ok(found)
}

/// The units in which anything ever stood on an account, by name.
pub async fn account_unit_list(
    connection: &impl Connection,
    tenant_id: i32,
    account: AccountId,
) -> Result<Vec<String>, Error> {
    let rows = query(connection, &UNITS, &[&tenant_id, &account.0, &UNITS_MAX]).await?;
    Ok(rows.iter().map(|row| row.get("unit")).collect())
}

fn account_of(user: &str) -> Uuid {
    Owner::User(user.to_owned()).account_id().0
}

fn read(row: &Row) -> Option<Parts> {
    if !row.get::<_, bool>("is_known") {
        return None;
    }
    let (posted, expired): (i64, i64) = (row.get("posted"), row.get("expired"));
    let (amount, at): (i64, Option<Timestamp>) = (row.get("next_amount"), row.get("next_at"));
    let mut parts = Parts {
        version: row.get("version"),
        steps: row.get("steps"),
        posted: posted.saturating_sub(expired),
        held: row.get("held"),
        pending: row.get("pending"),
        in_review: row.get("in_review"),
        disputed: row.get("disputed"),
        expiring_next: None,
        decided_pos: row.get("decided_pos"),
    };
    let amount = amount.min(parts.available());
    parts.expiring_next = at.map(|at| (amount, at)).filter(|(amount, _)| *amount > 0);
    Some(parts)
}
