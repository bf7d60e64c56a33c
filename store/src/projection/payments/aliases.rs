//! The names that payments go by: each object that tells of one leads to its root.

use std::collections::BTreeSet;

use tokio_postgres::types::Type;

use crate::error::Error;
use crate::projection::column;
use crate::statement::{Connection, Statement, query};

const ALIAS_INSERT: Statement = Statement {
    sql: "-- payments.alias_insert
INSERT INTO payment_alias AS a (tenant_id, alias, root_key)
SELECT h.tenant_id, unnest($2::text[]), unnest($3::text[])
FROM log_head h
WHERE h.tenant_id = $1
ON CONFLICT DO NOTHING
RETURNING a.alias",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
    columns: &[Type::TEXT],
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

const MERGED: Statement = Statement {
    sql: "-- payments.merged
SELECT p.root_key, p.merged_into
FROM unnest($2::text[]) AS k (root_key)
CROSS JOIN LATERAL (
    SELECT x.root_key, x.merged_into FROM payment x WHERE x.tenant_id = $1 AND x.root_key = k.root_key LIMIT 1) p",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: &[Type::TEXT, Type::TEXT],
};

pub(super) const STATEMENTS: &[&Statement] = &[&ALIAS_INSERT, &ROOTS, &MERGED];

/// Adds the missing ones of these (alias, root) pairs, which must be sorted by alias; which they were. Until the transaction
/// ends nobody else sees those, and whoever would add one of them waits: a payment whose own name is among them is locked.
pub async fn aliases_insert_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    pairs: &[(String, String)],
) -> Result<BTreeSet<String>, Error> {
    debug_assert!(pairs.is_sorted(), "aliases are inserted in one order");
    if pairs.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows =
        query(tx, &ALIAS_INSERT, &[&tenant_id, &column!(pairs, 0), &column!(pairs, 1)]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The (alias, root) pairs of those aliases that are known, after all merges.
pub async fn roots(
    connection: &impl Connection,
    tenant_id: i32,
    aliases: &[String],
) -> Result<Vec<(String, String)>, Error> {
    if aliases.is_empty() {
        return Ok(Vec::new());
    }
    let rows = query(connection, &ROOTS, &[&tenant_id, &aliases]).await?;
    let mut pairs: Vec<(String, String)> = Vec::with_capacity(rows.len());
    let mut merged: Vec<Option<String>> = Vec::with_capacity(rows.len());
    for row in rows {
        pairs.push((row.get(0), row.get(1)));
        merged.push(row.get(2));
    }
    // Merges are followed from payment to payment: one more query for those few, and seldom two.
    while merged.iter().any(Option::is_some) {
        let into: Vec<&String> = merged.iter().flatten().collect();
        let rows = query(connection, &MERGED, &[&tenant_id, &into]).await?;
        for (pair, next) in pairs.iter_mut().zip(&mut merged) {
            if let Some(root_key) = next.take() {
                let row = rows.iter().find(|row| row.get::<_, &str>(0) == root_key);
                *next = row.and_then(|row| row.get(1));
                pair.1 = root_key;
            }
        }
    }
    Ok(pairs)
}
