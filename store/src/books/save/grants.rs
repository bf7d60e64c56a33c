//! Grants, written.

use ledger::account::{Grant, Row};
use tokio_postgres::types::Type;

use super::super::open::{Accounts, Place};
use crate::error::Error;
use crate::projection::column;
use crate::statement::{Connection, Statement, execute};

/// Every statement of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&GRANT_INSERT, &GRANT_UPDATE];

const GRANT_INSERT: Statement = Statement {
    sql: "-- books.grant_insert
INSERT INTO credit_grant AS g
    (tenant_id, account_id, unit, grant_id, priority, expires_at, root_key, line, granted, remaining, held, is_open)
SELECT h.tenant_id, k.account_id, k.unit, k.grant_id, k.priority, coalesce(k.expires_at, 'infinity'), k.root_key, k.line,
       k.granted, k.remaining, k.held, k.remaining > 0
FROM log_head h,
     unnest($2::uuid[], $3::text[], $4::bigint[], $5::smallint[], $6::timestamptz[], $7::text[], $8::text[], $9::bigint[],
            $10::bigint[], $11::bigint[])
     AS k (account_id, unit, grant_id, priority, expires_at, root_key, line, granted, remaining, held)
WHERE h.tenant_id = $1",
    params: &[
        Type::INT4,
        Type::UUID_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::INT2_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
    ],
    columns: &[],
};

const GRANT_UPDATE: Statement = Statement {
    sql: "-- books.grant_update
UPDATE credit_grant g
SET remaining = k.remaining, held = k.held, is_open = k.remaining > 0, priority = k.priority,
    expires_at = coalesce(k.expires_at, 'infinity')
FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::smallint[], $8::timestamptz[])
    AS k (account_id, unit, grant_id, remaining, held, priority, expires_at)
WHERE g.tenant_id = $1 AND g.account_id = k.account_id AND g.unit = k.unit AND g.grant_id = k.grant_id",
    params: &[
        Type::INT4,
        Type::UUID_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT2_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
    ],
    columns: &[],
};

pub(super) async fn write(
    tx: &impl Connection,
    tenant_id: i32,
    accounts: &Accounts,
) -> Result<(), Error> {
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for (place, opened) in accounts {
        for row in opened.effects.grants.values() {
            match row {
                Row::New(grant) => new.push((place, grant)),
                Row::Changed(grant) => changed.push((place, grant)),
            }
        }
    }
    futures_util::try_join!(
        insert_grants(tx, tenant_id, &new),
        update_grants(tx, tenant_id, &changed)
    )?;
    Ok(())
}

async fn insert_grants(
    tx: &impl Connection,
    tenant_id: i32,
    rows: &[(&Place, &Grant)],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sources = rows.iter().map(|(_, grant)| grant.source.as_ref());
    let (roots, lines): (Vec<Option<&str>>, Vec<Option<&str>>) = sources
        .map(|source| source.map(|it| (it.root_key.as_str(), it.line.as_str())).unzip())
        .unzip();
    execute(
        tx,
        &GRANT_INSERT,
        &[
            &tenant_id,
            &column!(rows, 0.0),
            &column!(rows, 0.1),
            &column!(rows, 1.grant_id),
            &column!(rows, 1.terms.priority),
            &column!(rows, 1.terms.expires_at),
            &roots,
            &lines,
            &column!(rows, 1.granted),
            &column!(rows, 1.remaining),
            &column!(rows, 1.held),
        ],
    )
    .await
    .map(drop)
}

async fn update_grants(
    tx: &impl Connection,
    tenant_id: i32,
    rows: &[(&Place, &Grant)],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let (ids, units) = (column!(rows, 0.0), column!(rows, 0.1));
    let (grants, remaining) = (column!(rows, 1.grant_id), column!(rows, 1.remaining));
    let (held, priorities) = (column!(rows, 1.held), column!(rows, 1.terms.priority));
    let expiries = column!(rows, 1.terms.expires_at);
    execute(
        tx,
        &GRANT_UPDATE,
        &[&tenant_id, &ids, &units, &grants, &remaining, &held, &priorities, &expiries],
    )
    .await
    .map(drop)
}
