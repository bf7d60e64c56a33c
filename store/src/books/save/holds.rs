//! Holds, written.

use ledger::account::{Hold, Row};
use tokio_postgres::types::Type;

use super::super::open::{Accounts, Place};
use crate::projection::column;
use crate::statement::{Statement, Write, params};

/// Every statement of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&WRITE];

// New ones and changed ones alike. That a new one does not replace another is seen to by the command of the same id, which
// cannot be there twice.
const WRITE: Statement = Statement {
    sql: "-- books.hold_write
INSERT INTO hold AS o (tenant_id, hold_id, account_id, unit, amount, captured, state, expires_at, reserved)
SELECT h.tenant_id, unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::text[]), unnest($5::bigint[]), unnest($6::bigint[]),
       unnest($7::smallint[]), unnest($8::timestamptz[]), unnest($9::text[])::jsonb
FROM log_head h
WHERE h.tenant_id = $1
ON CONFLICT (tenant_id, hold_id) DO UPDATE
SET captured = excluded.captured, state = excluded.state, reserved = excluded.reserved",
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

pub(super) fn write(tenant_id: i32, accounts: &Accounts) -> Option<Write<'_>> {
    let all = accounts
        .iter()
        .flat_map(|(place, opened)| opened.effects.holds.values().map(move |row| (place, row)));
    let rows: Vec<(&Place, &Hold)> = all.map(|(place, row)| (place, Row::get(row))).collect();
    let states: Vec<i16> = rows.iter().map(|(_, hold)| hold.state.code()).collect();
    let reserved: Vec<String> = rows.iter().map(|(_, hold)| reserved(hold)).collect();
    let (ids, units) = (column!(rows, 0.0), column!(rows, 0.1));
    let (holds, amounts) = (column!(rows, 1.hold_id.0), column!(rows, 1.amount));
    let (captured, expiries) = (column!(rows, 1.captured), column!(rows, 1.expires_at));
    let params =
        params![tenant_id, holds, ids, units, amounts, captured, states, expiries, reserved];
    Write::of(rows.len(), &WRITE, params)
}

/// JSON text of what a hold reserves. Numbers by numbers: writing them cannot fail.
fn reserved(hold: &Hold) -> String {
    serde_json::to_string(&hold.reserved).unwrap_or_default()
}
