//! Payments: their rows, their aliases, their legs.
//! writers: projector

mod aliases;
mod legs;

use tokio_postgres::types::Type;

use super::column;
use crate::error::Error;
use crate::statement::{Connection, Statement, Write, execute, params, query};

pub use aliases::{aliases_insert_in_tx, roots};
pub use legs::{LegRow, legs};

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

const UPDATE: Statement = Statement {
    sql: "-- payments.update
INSERT INTO payment AS p (tenant_id, root_key, owner_account, version, claimant, first_pos, paid, currency, status, facts)
SELECT h.tenant_id, unnest($2::text[]), unnest($3::uuid[]), unnest($4::bigint[]), unnest($5::text[]), unnest($6::bigint[]),
       unnest($7::bigint[]), unnest($8::text[]), unnest($9::smallint[]), unnest($10::text[])::jsonb
FROM log_head h
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

// One that this transaction named first has no row yet.
const MERGE: Statement = Statement {
    sql: "-- payments.merge
INSERT INTO payment AS p (tenant_id, root_key, first_pos, status, facts, merged_into)
SELECT h.tenant_id, k.root_key, k.first_pos, 0, '{}', k.into_key
FROM log_head h, unnest($2::text[], $3::bigint[], $4::text[]) AS k (root_key, first_pos, into_key)
WHERE h.tenant_id = $1
ON CONFLICT (tenant_id, root_key) DO UPDATE
SET owner_account = NULL, claimant = NULL, facts = excluded.facts, merged_into = excluded.merged_into",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::INT8_ARRAY, Type::TEXT_ARRAY],
    columns: &[],
};

/// Every statement of this module.
pub(crate) fn statements() -> Vec<&'static Statement> {
    [aliases::STATEMENTS, legs::STATEMENTS, &[&LOCK, &PEEK, &OWNERS, &UPDATE, &MERGE]].concat()
}

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

/// Locks the payments, which must be sorted, until the transaction ends, and reads them as they are then.
pub async fn lock_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    roots: &[String],
) -> Result<Vec<PaymentRow>, Error> {
    debug_assert!(roots.is_sorted(), "payments are locked in one order");
    if roots.is_empty() {
        return Ok(Vec::new());
    }
    let rows = query(tx, &LOCK, &[&tenant_id, &roots]).await?;
    Ok(rows.iter().map(payment_row).collect())
}

/// Reads the payments without locking them.
pub async fn peek(
    connection: &impl Connection,
    tenant_id: i32,
    roots: &[String],
) -> Result<Vec<PaymentRow>, Error> {
    if roots.is_empty() {
        return Ok(Vec::new());
    }
    let rows = query(connection, &PEEK, &[&tenant_id, &roots]).await?;
    Ok(rows.iter().map(payment_row).collect())
}

/// The owners of these accounts.
pub async fn owners(
    connection: &impl Connection,
    tenant_id: i32,
    accounts: &[uuid::Uuid],
) -> Result<Vec<OwnerRow>, Error> {
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    let rows = query(connection, &OWNERS, &[&tenant_id, &accounts]).await?;
    Ok(rows
        .iter()
        .map(|row| OwnerRow { account_id: row.get(0), kind: row.get(1), key: row.get(2) })
        .collect())
}

/// Payments that are locked, and their legs, as they are to be written. A leg stays once it is there.
pub fn writes<'a>(
    tenant_id: i32,
    payments: &'a [PaymentRow],
    legs: &'a [LegRow],
) -> Vec<Write<'a>> {
    let params = params![
        tenant_id,
        column!(payments, root_key),
        column!(payments, owner_account),
        column!(payments, version),
        column!(payments, claimant),
        column!(payments, first_pos),
        column!(payments, paid),
        column!(payments, currency),
        column!(payments, status),
        column!(payments, facts),
    ];
    let payments = Write::of(payments.len(), &UPDATE, params);
    payments.into_iter().chain(legs::write(tenant_id, legs)).collect()
}

/// A payment that is merged into another.
#[derive(Debug, Clone)]
pub struct MergeRow {
    /// Its name.
    pub root_key: String,
    /// Position of the first event that told of it.
    pub first_pos: i64,
    /// Name of the other.
    pub into: String,
}

/// Merges payments that are locked. What they were worth was taken back before.
pub async fn merge_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    rows: &[MergeRow],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let merged = column!(rows, root_key);
    let (positions, into) = (column!(rows, first_pos), column!(rows, into));
    execute(tx, &MERGE, &[&tenant_id, &merged, &positions, &into]).await?;
    legs::clear_in_tx(tx, tenant_id, &merged).await
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
