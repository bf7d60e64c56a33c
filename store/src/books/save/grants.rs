//! Grants, written.

use ledger::account::{Grant, Row};
use tokio_postgres::types::Type;

use super::super::open::{Accounts, Place};
use crate::projection::column;
use crate::statement::{Statement, Write, params};

/// Every statement of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&WRITE];

// New ones and changed ones alike. That a new one does not replace another is seen to by the posting of the same number,
// which cannot be there twice.
const WRITE: Statement = Statement {
    sql: "-- books.grant_write
INSERT INTO credit_grant AS g
    (tenant_id, account_id, unit, grant_id, priority, expires_at, root_key, line, granted, remaining, held, is_open)
SELECT h.tenant_id, k.account_id, k.unit, k.grant_id, k.priority, coalesce(k.expires_at, 'infinity'), k.root_key, k.line,
       k.granted, k.remaining, k.held, k.remaining > 0
FROM log_head h,
     (SELECT unnest($2::uuid[]) AS account_id, unnest($3::text[]) AS unit, unnest($4::bigint[]) AS grant_id,
             unnest($5::smallint[]) AS priority, unnest($6::timestamptz[]) AS expires_at, unnest($7::text[]) AS root_key,
             unnest($8::text[]) AS line, unnest($9::bigint[]) AS granted, unnest($10::bigint[]) AS remaining,
             unnest($11::bigint[]) AS held) k
WHERE h.tenant_id = $1
ON CONFLICT (tenant_id, account_id, unit, grant_id) DO UPDATE
SET priority = excluded.priority, expires_at = excluded.expires_at, remaining = excluded.remaining, held = excluded.held,
    is_open = excluded.is_open",
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

pub(super) fn write(tenant_id: i32, accounts: &Accounts) -> Option<Write<'_>> {
    let all = accounts
        .iter()
        .flat_map(|(place, opened)| opened.effects.grants.values().map(move |row| (place, row)));
    let rows: Vec<(&Place, &Grant)> = all.map(|(place, row)| (place, Row::get(row))).collect();
    let sources = rows.iter().map(|(_, grant)| grant.source.as_ref());
    let (roots, lines): (Vec<Option<&str>>, Vec<Option<&str>>) = sources
        .map(|source| source.map(|it| (it.root_key.as_str(), it.line.as_str())).unzip())
        .unzip();
    let params = params![
        tenant_id,
        column!(rows, 0.0),
        column!(rows, 0.1),
        column!(rows, 1.grant_id),
        column!(rows, 1.terms.priority),
        column!(rows, 1.terms.expires_at),
        roots,
        lines,
        column!(rows, 1.granted),
        column!(rows, 1.remaining),
        column!(rows, 1.held),
    ];
    Write::of(rows.len(), &WRITE, params)
}
