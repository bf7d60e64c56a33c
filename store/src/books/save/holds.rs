//! Holds, written.

use ledger::account::{Hold, Row};
use tokio_postgres::types::Type;

use super::super::open::{Accounts, Place};
use crate::error::Error;
use crate::projection::column;
use crate::statement::{Connection, Statement, execute};

/// Every statement of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&HOLD_INSERT, &HOLD_UPDATE];

const HOLD_INSERT: Statement = Statement {
    sql: "-- books.hold_insert
INSERT INTO hold AS o (tenant_id, hold_id, account_id, unit, amount, captured, state, expires_at, reserved)
SELECT h.tenant_id, k.hold_id, k.account_id, k.unit, k.amount, k.captured, k.state, k.expires_at, k.reserved::jsonb
FROM log_head h,
     unnest($2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::smallint[], $8::timestamptz[], $9::text[])
     AS k (hold_id, account_id, unit, amount, captured, state, expires_at, reserved)
WHERE h.tenant_id = $1",
    params: &[
        Type::INT4,
        Type::UUID_ARRAY,
        Type::UUID_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT2_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::TEXT_ARRAY,
    ],
    columns: &[],
};

const HOLD_UPDATE: Statement = Statement {
    sql: "-- books.hold_update
UPDATE hold o SET captured = k.captured, state = k.state, reserved = k.reserved::jsonb
FROM unnest($2::uuid[], $3::bigint[], $4::smallint[], $5::text[]) AS k (hold_id, captured, state, reserved)
WHERE o.tenant_id = $1 AND o.hold_id = k.hold_id",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::INT8_ARRAY, Type::INT2_ARRAY, Type::TEXT_ARRAY],
    columns: &[],
};

pub(super) async fn write(
    tx: &impl Connection,
    tenant_id: i32,
    accounts: &Accounts,
) -> Result<(), Error> {
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for (place, opened) in accounts {
        for row in opened.effects.holds.values() {
            match row {
                Row::New(hold) => new.push((place, hold)),
                Row::Changed(hold) => changed.push((place, hold)),
            }
        }
    }
    futures_util::try_join!(
        insert_holds(tx, tenant_id, &new),
        update_holds(tx, tenant_id, &changed)
    )?;
    Ok(())
}

async fn insert_holds(
    tx: &impl Connection,
    tenant_id: i32,
    rows: &[(&Place, &Hold)],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let (ids, units) = (column!(rows, 0.0), column!(rows, 0.1));
    let (holds, amounts) = (column!(rows, 1.hold_id.0), column!(rows, 1.amount));
    let (captured, expiries) = (column!(rows, 1.captured), column!(rows, 1.expires_at));
    let (states, reserved) = (states(rows), reserved(rows));
    execute(
        tx,
        &HOLD_INSERT,
        &[&tenant_id, &holds, &ids, &units, &amounts, &captured, &states, &expiries, &reserved],
    )
    .await
    .map(drop)
}

async fn update_holds(
    tx: &impl Connection,
    tenant_id: i32,
    rows: &[(&Place, &Hold)],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let (holds, captured) = (column!(rows, 1.hold_id.0), column!(rows, 1.captured));
    let (states, reserved) = (states(rows), reserved(rows));
    execute(tx, &HOLD_UPDATE, &[&tenant_id, &holds, &captured, &states, &reserved]).await.map(drop)
}

fn states(rows: &[(&Place, &Hold)]) -> Vec<i16> {
    rows.iter().map(|(_, hold)| hold.state.code()).collect()
}

/// JSON text of what each hold reserves. Numbers by numbers: writing them cannot fail.
fn reserved(rows: &[(&Place, &Hold)]) -> Vec<String> {
    let text = |hold: &Hold| serde_json::to_string(&hold.reserved).unwrap_or_default();
    rows.iter().map(|(_, hold)| text(hold)).collect()
}
