//! Payments: their aliases, their rows, their legs.
//! writers: projector

use ledger::account::Terms;
use tokio_postgres::types::Type;

use super::column;
use crate::error::Error;
use crate::statement::{Connection, Statement, execute, query};

const ALIAS_INSERT: Statement = Statement {
    sql: "-- payments.alias_insert
INSERT INTO payment_alias AS a (tenant_id, alias, root_key)
SELECT h.tenant_id, k.alias, k.root_key
FROM log_head h, unnest($2::text[], $3::text[]) WITH ORDINALITY AS k (alias, root_key, ord)
WHERE h.tenant_id = $1
ORDER BY k.ord
ON CONFLICT DO NOTHING",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
    columns: &[],
};

const ROOTS: Statement = Statement {
    sql: "-- payments.roots
SELECT a.alias, a.root_key, p.merged_into
FROM unnest($2::text[]) AS k (alias)
CROSS JOIN LATERAL (
    SELECT x.alias, x.root_key FROM payment_alias x WHERE x.tenant_id = $1 AND x.alias = k.alias LIMIT 1) a
LEFT JOIN LATERAL (
    SELECT x.merged_into FROM payment x WHERE x.tenant_id = $1 AND x.root_key = a.root_key LIMIT 1) p ON true",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: &[Type::TEXT, Type::TEXT, Type::TEXT],
};

const INSERT: Statement = Statement {
    sql: "-- payments.insert
INSERT INTO payment AS p (tenant_id, root_key, first_pos, status, facts)
SELECT h.tenant_id, k.root_key, k.first_pos, 0, '{}'
FROM log_head h, unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS k (root_key, first_pos, ord)
WHERE h.tenant_id = $1
ORDER BY k.ord
ON CONFLICT DO NOTHING",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::INT8_ARRAY],
    columns: &[],
};

// They are looked up, and locked, one after the other in the order given.
const LOCK: Statement = Statement {
    sql: "-- payments.lock
SELECT p.root_key, p.owner_account, p.version, p.claimant, p.first_pos, p.status, p.facts::text, p.merged_into
FROM unnest($2::text[]) AS k (root_key)
CROSS JOIN LATERAL (SELECT * FROM payment x WHERE x.tenant_id = $1 AND x.root_key = k.root_key LIMIT 1 FOR UPDATE) p",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: PAYMENT_COLUMNS,
};

const PEEK: Statement = Statement {
    sql: "-- payments.peek
SELECT p.root_key, p.owner_account, p.version, p.claimant, p.first_pos, p.status, p.facts::text, p.merged_into
FROM unnest($2::text[]) AS k (root_key)
CROSS JOIN LATERAL (SELECT * FROM payment x WHERE x.tenant_id = $1 AND x.root_key = k.root_key LIMIT 1) p",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: PAYMENT_COLUMNS,
};

const PAYMENT_COLUMNS: &[Type] = &[
    Type::TEXT,
    Type::UUID,
    Type::INT8,
    Type::TEXT,
    Type::INT8,
    Type::INT2,
    Type::TEXT,
    Type::TEXT,
];

const OWNERS: Statement = Statement {
    sql: "-- payments.owners
SELECT o.account_id, o.kind, o.key
FROM unnest($2::uuid[]) AS k (account_id)
CROSS JOIN LATERAL (SELECT * FROM owner x WHERE x.tenant_id = $1 AND x.account_id = k.account_id LIMIT 1) o",
    params: &[Type::INT4, Type::UUID_ARRAY],
    columns: &[Type::UUID, Type::INT2, Type::TEXT],
};

const LEGS: Statement = Statement {
    sql: "-- payments.legs
SELECT l.root_key, l.line, l.leg, l.unit, l.expected, l.target, l.posted, l.forgiven, l.priority,
       nullif(l.expires_at, 'infinity')
FROM unnest($2::text[]) AS k (root_key)
CROSS JOIN LATERAL (SELECT * FROM payment_leg x WHERE x.tenant_id = $1 AND x.root_key = k.root_key OFFSET 0) l",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: &[
        Type::TEXT,
        Type::TEXT,
        Type::INT2,
        Type::TEXT,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT2,
        Type::TIMESTAMPTZ,
    ],
};

const UPDATE: Statement = Statement {
    sql: "-- payments.update
INSERT INTO payment AS p (tenant_id, root_key, owner_account, version, claimant, first_pos, paid, currency, status, facts)
SELECT h.tenant_id, k.root_key, k.owner_account, k.version, k.claimant, k.first_pos, k.paid, k.currency, k.status,
       k.facts::jsonb
FROM log_head h,
     unnest($2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::smallint[],
            $10::text[])
     AS k (root_key, owner_account, version, claimant, first_pos, paid, currency, status, facts)
WHERE h.tenant_id = $1
ON CONFLICT (tenant_id, root_key) DO UPDATE
SET owner_account = excluded.owner_account, version = excluded.version, claimant = excluded.claimant,
    first_pos = excluded.first_pos, paid = excluded.paid, currency = excluded.currency, status = excluded.status,
    facts = excluded.facts",
    params: &[
        Type::INT4,
        Type::TEXT_ARRAY,
        Type::UUID_ARRAY,
        Type::INT8_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT2_ARRAY,
        Type::TEXT_ARRAY,
    ],
    columns: &[],
};

const MERGE: Statement = Statement {
    sql: "-- payments.merge
INSERT INTO payment AS p (tenant_id, root_key, first_pos, status, facts, merged_into)
SELECT h.tenant_id, x.root_key, x.first_pos, x.status, '{}', k.into_key
FROM log_head h, unnest($2::text[], $3::text[]) AS k (root_key, into_key)
CROSS JOIN LATERAL (SELECT * FROM payment y WHERE y.tenant_id = $1 AND y.root_key = k.root_key LIMIT 1) x
WHERE h.tenant_id = $1
ON CONFLICT (tenant_id, root_key) DO UPDATE
SET owner_account = NULL, claimant = NULL, facts = excluded.facts, merged_into = excluded.merged_into",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
    columns: &[],
};

const LEGS_CLEAR: Statement = Statement {
    sql: "-- payments.legs_clear
DELETE FROM payment_leg WHERE tenant_id = $1 AND root_key = ANY($2)",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: &[],
};

const LEGS_UPSERT: Statement = Statement {
    sql: "-- payments.legs_upsert
INSERT INTO payment_leg AS l
    (tenant_id, root_key, line, leg, unit, expected, target, posted, forgiven, priority, expires_at)
SELECT h.tenant_id, k.root_key, k.line, k.leg, k.unit, k.expected, k.target, k.posted, k.forgiven, k.priority,
       coalesce(k.expires_at, 'infinity')
FROM log_head h,
     unnest($2::text[], $3::text[], $4::smallint[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
            $10::smallint[], $11::timestamptz[])
     AS k (root_key, line, leg, unit, expected, target, posted, forgiven, priority, expires_at)
WHERE h.tenant_id = $1
ON CONFLICT (tenant_id, root_key, line, leg) DO UPDATE
SET unit = excluded.unit, expected = excluded.expected, target = excluded.target, posted = excluded.posted,
    forgiven = excluded.forgiven, priority = excluded.priority, expires_at = excluded.expires_at
WHERE (l.unit, l.expected, l.target, l.posted, l.forgiven, l.priority, l.expires_at) IS DISTINCT FROM
      (excluded.unit, excluded.expected, excluded.target, excluded.posted, excluded.forgiven, excluded.priority,
       excluded.expires_at)",
    params: &[
        Type::INT4,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT2_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT2_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
    ],
    columns: &[],
};

pub(crate) const STATEMENTS: &[&Statement] = &[
    &ALIAS_INSERT,
    &ROOTS,
    &INSERT,
    &LOCK,
    &PEEK,
    &OWNERS,
    &LEGS,
    &UPDATE,
    &MERGE,
    &LEGS_CLEAR,
    &LEGS_UPSERT,
];

/// A payment's row.
#[derive(Debug, Clone)]
pub struct PaymentRow {
    /// Its name.
    pub root_key: String,
    /// Account that its credits stand on.
    pub owner_account: Option<uuid::Uuid>,
    /// Counts up with each change of that account.
    pub version: i64,
    /// The one user whom all evidence names.
    pub claimant: Option<String>,
    /// Position of the first event that told of it.
    pub first_pos: i64,
    /// `payment.status`.
    pub status: i16,
    /// JSON text of its facts.
    pub facts: String,
    /// Root that it was merged into. Read only.
    pub merged_into: Option<String>,
    /// Money paid, in the currency's minor unit. Written only.
    pub paid: Option<i64>,
    /// ISO 4217 code. Written only.
    pub currency: Option<String>,
}

/// One leg of one line.
#[derive(Debug, Clone)]
pub struct LegRow {
    /// Payment.
    pub root_key: String,
    /// Line.
    pub line: String,
    /// 1 purchase, 2 refund, 3 dispute.
    pub leg: i16,
    /// Unit.
    pub unit: String,
    /// Credits that it is worth once it is paid.
    pub expected: i64,
    /// Credits that are due now.
    pub target: i64,
    /// Credits that are posted.
    pub posted: i64,
    /// Credits that were taken back and written off: they count as posted.
    pub forgiven: i64,
    /// Until when they can be spent, and before which others.
    pub terms: Terms,
}

/// Whom an account belongs to.
#[derive(Debug, Clone)]
pub struct OwnerRow {
    /// Account.
    pub account_id: uuid::Uuid,
    /// `owner.kind`.
    pub kind: i16,
    /// `owner.key`.
    pub key: String,
}

/// Adds the missing ones of these (alias, root) pairs, which must be sorted by alias.
pub async fn aliases_insert_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    pairs: &[(String, String)],
) -> Result<(), Error> {
    debug_assert!(pairs.is_sorted(), "aliases are inserted in one order");
    execute(tx, &ALIAS_INSERT, &[&tenant_id, &column!(pairs, 0), &column!(pairs, 1)])
        .await
        .map(drop)
}

/// The (alias, root) pairs of those aliases that are known, after all merges.
pub async fn roots(
    connection: &impl Connection,
    tenant_id: i32,
    aliases: &[String],
) -> Result<Vec<(String, String)>, Error> {
    let rows = query(connection, &ROOTS, &[&tenant_id, &aliases]).await?;
    let mut pairs: Vec<(String, String)> = Vec::with_capacity(rows.len());
    let mut merged: Vec<Option<String>> = Vec::with_capacity(rows.len());
    for row in rows {
        pairs.push((row.get(0), row.get(1)));
        merged.push(row.get(2));
    }
    // A root is an alias of itself, so a merge is followed like an alias: one more query for those few, and seldom two.
    while merged.iter().any(Option::is_some) {
        let into: Vec<&String> = merged.iter().flatten().collect();
        let rows = query(connection, &ROOTS, &[&tenant_id, &into]).await?;
        for (pair, next) in pairs.iter_mut().zip(&mut merged) {
            if let Some(root_key) = next.take() {
                let row = rows.iter().find(|row| row.get::<_, &str>(0) == root_key);
                *next = row.and_then(|row| row.get(2));
                pair.1 = row.map_or(root_key, |row| row.get(1));
            }
        }
    }
    Ok(pairs)
}

/// Adds the missing ones of these (root, first position) pairs, sorted by root, as payments of which nothing is known.
pub async fn insert_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    pairs: &[(String, i64)],
) -> Result<(), Error> {
    debug_assert!(pairs.is_sorted(), "payments are inserted in one order");
    execute(tx, &INSERT, &[&tenant_id, &column!(pairs, 0), &column!(pairs, 1)]).await.map(drop)
}

/// Locks the payments, which must be sorted, until the transaction ends, and reads them as they are then.
pub async fn lock_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    roots: &[String],
) -> Result<Vec<PaymentRow>, Error> {
    debug_assert!(roots.is_sorted(), "payments are locked in one order");
    let rows = query(tx, &LOCK, &[&tenant_id, &roots]).await?;
    Ok(rows.iter().map(payment_row).collect())
}

/// Reads the payments without locking them.
pub async fn peek(
    connection: &impl Connection,
    tenant_id: i32,
    roots: &[String],
) -> Result<Vec<PaymentRow>, Error> {
    let rows = query(connection, &PEEK, &[&tenant_id, &roots]).await?;
    Ok(rows.iter().map(payment_row).collect())
}

/// The owners of these accounts.
pub async fn owners(
    connection: &impl Connection,
    tenant_id: i32,
    accounts: &[uuid::Uuid],
) -> Result<Vec<OwnerRow>, Error> {
    let rows = query(connection, &OWNERS, &[&tenant_id, &accounts]).await?;
    Ok(rows
        .iter()
        .map(|row| OwnerRow { account_id: row.get(0), kind: row.get(1), key: row.get(2) })
        .collect())
}

/// The legs of these payments.
pub async fn legs(
    connection: &impl Connection,
    tenant_id: i32,
    roots: &[String],
) -> Result<Vec<LegRow>, Error> {
    let rows = query(connection, &LEGS, &[&tenant_id, &roots]).await?;
    let leg = |row: &tokio_postgres::Row| LegRow {
        root_key: row.get(0),
        line: row.get(1),
        leg: row.get(2),
        unit: row.get(3),
        expected: row.get(4),
        target: row.get(5),
        posted: row.get(6),
        forgiven: row.get(7),
        terms: Terms { priority: row.get(8), expires_at: row.get(9) },
    };
    Ok(rows.iter().map(leg).collect())
}

/// Writes payments that are locked, and their legs. A leg stays once it is there.
pub async fn update_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    payments: &[PaymentRow],
    legs: &[LegRow],
) -> Result<(), Error> {
    if payments.is_empty() {
        return Ok(());
    }
    let roots = column!(payments, root_key);
    execute(
        tx,
        &UPDATE,
        &[
            &tenant_id,
            &roots,
            &column!(payments, owner_account),
            &column!(payments, version),
            &column!(payments, claimant),
            &column!(payments, first_pos),
            &column!(payments, paid),
            &column!(payments, currency),
            &column!(payments, status),
            &column!(payments, facts),
        ],
    )
    .await?;
    if legs.is_empty() {
        return Ok(());
    }
    execute(
        tx,
        &LEGS_UPSERT,
        &[
            &tenant_id,
            &column!(legs, root_key),
            &column!(legs, line),
            &column!(legs, leg),
            &column!(legs, unit),
            &column!(legs, expected),
            &column!(legs, target),
            &column!(legs, posted),
            &column!(legs, forgiven),
            &column!(legs, terms.priority),
            &column!(legs, terms.expires_at),
        ],
    )
    .await
    .map(drop)
}

/// Merges payments that are locked: (root, into root) pairs. What they were worth was taken back before.
pub async fn merge_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    pairs: &[(String, String)],
) -> Result<(), Error> {
    if pairs.is_empty() {
        return Ok(());
    }
    let merged = column!(pairs, 0);
    execute(tx, &MERGE, &[&tenant_id, &merged, &column!(pairs, 1)]).await?;
    execute(tx, &LEGS_CLEAR, &[&tenant_id, &merged]).await.map(drop)
}

fn payment_row(row: &tokio_postgres::Row) -> PaymentRow {
    PaymentRow {
        root_key: row.get(0),
        owner_account: row.get(1),
        version: row.get(2),
        claimant: row.get(3),
        first_pos: row.get(4),
        status: row.get(5),
        facts: row.get(6),
        merged_into: row.get(7),
        paid: None,
        currency: None,
    }
}
