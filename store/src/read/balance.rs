//! What a user has: every part of it out of one statement, so that the parts fit together.

use jiff::Timestamp;
use ledger::ids::Owner;
use tokio_postgres::types::Type;

use crate::error::Error;
use crate::statement::{Connection, Statement, query_opt};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&FIND];

// Disputes: which ones took money, and which of those are still open, is told by the payment's facts as
// `rules::reversal::Dispute` says it. A payment's disputes take credits together: of these, the open ones' share counts.
const FIND: Statement = Statement {
    sql: "-- read.balance_get
WITH own_payment AS (
    SELECT p.root_key, p.status, o.kind AS owner_kind
    FROM payment p LEFT JOIN owner o ON o.tenant_id = p.tenant_id AND o.account_id = p.owner_account
    WHERE p.tenant_id = $1 AND p.claimant = $2 AND p.merged_into IS NULL
), open_grant AS (
    SELECT g.expires_at, g.remaining - g.held AS free
    FROM credit_grant g
    WHERE g.tenant_id = $1 AND g.account_id = $3 AND g.unit = $4 AND g.is_open AND g.expires_at < 'infinity'
), next_expiry AS (
    SELECT g.expires_at, sum(g.free) AS free
    FROM open_grant g WHERE g.expires_at > $5 AND g.free > 0
    GROUP BY g.expires_at ORDER BY g.expires_at LIMIT 1
)
SELECT coalesce(a.posted, 0)::bigint AS posted,
       coalesce(a.held, 0)::bigint AS held,
       (SELECT coalesce(sum(g.free), 0)::bigint FROM open_grant g WHERE g.expires_at <= $5) AS expired,
       (SELECT coalesce(sum(l.expected), 0)::bigint
        FROM own_payment p JOIN payment_leg l ON l.tenant_id = $1 AND l.root_key = p.root_key
        WHERE p.status = 1 AND l.leg = 1 AND l.unit = $4) AS pending,
       (SELECT coalesce(sum(l.posted), 0)::bigint
        FROM own_payment p JOIN payment_leg l ON l.tenant_id = $1 AND l.root_key = p.root_key
        WHERE p.owner_kind = 2 AND l.unit = $4) AS in_review,
       (SELECT coalesce(sum(trunc(-l.posted * d.open / d.gone)), 0)::bigint
        FROM payment p
        JOIN payment_leg l ON l.tenant_id = $1 AND l.root_key = p.root_key AND l.leg = 3 AND l.posted < 0 AND l.unit = $4
        CROSS JOIN LATERAL (
            SELECT sum(w.amount) AS gone, sum(w.amount) FILTER (WHERE w.is_open) AS open
            FROM (SELECT greatest((f.dispute->'movement'->>'amount')::numeric, 0) AS amount,
                         coalesce(f.dispute->'status'->>1 NOT IN ('won', 'lost', 'prevented', 'warning_closed'), true) AS is_open
                  FROM jsonb_each(p.facts->'reversals'->'disputes') f (id, dispute)
                  WHERE f.dispute->'movement'->>'reinstated' = 'false') w) d
        WHERE p.tenant_id = $1 AND p.owner_account = $3 AND p.merged_into IS NULL AND d.gone > 0) AS disputed,
       (SELECT n.free::bigint FROM next_expiry n) AS next_expiry_amount,
       (SELECT n.expires_at FROM next_expiry n) AS next_expiry_at,
       (SELECT coalesce(max(d.pos), 0) FROM decision d WHERE d.tenant_id = $1) AS decided_pos
FROM (SELECT 1) one LEFT JOIN account a ON a.tenant_id = $1 AND a.account_id = $3 AND a.unit = $4
WHERE EXISTS (SELECT FROM app_user u WHERE u.tenant_id = $1 AND u.user_id = $2)
   OR EXISTS (SELECT FROM owner o WHERE o.tenant_id = $1 AND o.account_id = $3)",
    params: &[Type::INT4, Type::TEXT, Type::UUID, Type::TEXT, Type::TIMESTAMPTZ],
    columns: &[Type::INT8, Type::INT8, Type::INT8, Type::INT8, Type::INT8, Type::INT8, Type::INT8, Type::TIMESTAMPTZ, Type::INT8],
};

/// The parts of a balance, in the unit's smallest part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Sum of all postings; below zero is debt.
    pub posted: i64,
    /// Credits that holds reserve.
    pub held: i64,
    /// Credits of `posted` whose time is over, though their expiry is not posted yet: they cannot be spent.
    pub expired: i64,
    /// Credits of payments that are still under way and name this user alone.
    pub pending: i64,
    /// Credits that are paid and not taken back, stand unclaimed, and name this user alone.
    pub in_review: i64,
    /// Credits that disputes took back which are still open.
    pub disputed: i64,
    /// What runs out next, and when.
    pub expiring_next: Option<(i64, Timestamp)>,
    /// Newest position that was decided in the snapshot that this was read from.
    pub decided_pos: i64,
}

/// The balance of a user in one unit at `now`; `None` for a user that nobody ever told of.
pub async fn balance_get(
    connection: &impl Connection,
    tenant_id: i32,
    user: &str,
    unit: &str,
    now: Timestamp,
) -> Result<Option<Parts>, Error> {
    let account = Owner::User(user.to_owned()).account_id().0;
    let row = query_opt(connection, &FIND, &[&tenant_id, &user, &account, &unit, &now]).await?;
    Ok(row.map(|row| {
        let amount: Option<i64> = row.get("next_expiry_amount");
        let at: Option<Timestamp> = row.get("next_expiry_at");
        Parts {
            posted: row.get("posted"),
            held: row.get("held"),
            expired: row.get("expired"),
            pending: row.get("pending"),
            in_review: row.get("in_review"),
            disputed: row.get("disputed"),
            expiring_next: amount.zip(at),
            decided_pos: row.get("decided_pos"),
        }
    }))
}
