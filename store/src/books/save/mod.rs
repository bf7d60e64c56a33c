//! What was done to locked accounts, as it is to be written: one statement for each table.

mod grants;
mod holds;
mod postings;

use ledger::account::{Account, Posting};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::open::{Accounts, Place};
use crate::projection::column;
use crate::statement::{Statement, Write, params};

pub(super) fn statements() -> Vec<&'static Statement> {
    [
        &[&ACCOUNT_WRITE, &REVERSAL_INSERT],
        grants::STATEMENTS,
        holds::STATEMENTS,
        postings::STATEMENTS,
    ]
    .concat()
}

// The row is there, and is locked. It is written by its key and not by a join, which a planner that knows nothing of the
// table yet would make of all that the tenant has.
const ACCOUNT_WRITE: Statement = Statement {
    sql: "-- books.account_write
INSERT INTO account AS a (tenant_id, account_id, unit, version, posted, held, overdraft_limit, frozen, last_hash, last_at, steps)
SELECT h.tenant_id, unnest($2::uuid[]), unnest($3::text[]), unnest($4::bigint[]), unnest($5::bigint[]), unnest($6::bigint[]),
       unnest($7::bigint[]), unnest($8::boolean[]), unnest($9::bytea[]), unnest($10::timestamptz[]), unnest($11::bigint[])
FROM log_head h
WHERE h.tenant_id = $1
ON CONFLICT (tenant_id, account_id, unit) DO UPDATE
SET version = excluded.version, posted = excluded.posted, held = excluded.held,
    overdraft_limit = excluded.overdraft_limit, frozen = excluded.frozen, last_hash = excluded.last_hash,
    last_at = excluded.last_at, steps = excluded.steps",
    params: &[
        Type::INT4,
        Type::UUID_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::BOOL_ARRAY,
        Type::BYTEA_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::INT8_ARRAY,
    ],
    columns: &[],
};

const REVERSAL_INSERT: Statement = Statement {
    sql: "-- books.reversal_insert
INSERT INTO reversal AS r (tenant_id, spend_id, account_id, unit, seq)
SELECT h.tenant_id, unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::text[]), unnest($5::bigint[])
FROM log_head h
WHERE h.tenant_id = $1",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::UUID_ARRAY, Type::TEXT_ARRAY, Type::INT8_ARRAY],
    columns: &[],
};

/// All that was done to these accounts.
pub(crate) fn writes(tenant_id: i32, accounts: &Accounts) -> Vec<Write<'_>> {
    let all = accounts.values().flat_map(|opened| &opened.effects.postings);
    let all: Vec<&Posting> = all.collect();
    let writes = [
        write_accounts(tenant_id, accounts),
        grants::write(tenant_id, accounts),
        holds::write(tenant_id, accounts),
        postings::write(tenant_id, &all),
        postings::write_moves(tenant_id, &all),
        write_reversals(tenant_id, accounts),
    ];
    writes.into_iter().flatten().collect()
}

fn write_accounts(tenant_id: i32, accounts: &Accounts) -> Option<Write<'_>> {
    let changed = accounts.iter().filter(|(_, opened)| opened.is_changed);
    let rows: Vec<(&Place, &Account, i64)> =
        changed.map(|(place, opened)| (place, &opened.account, opened.steps)).collect();
    let hashes: Vec<Option<&[u8]>> = rows.iter().map(|(_, account, _)| head(account)).collect();
    let steps: Vec<i64> = rows.iter().map(|(_, _, steps)| *steps).collect();
    let params = params![
        tenant_id,
        column!(rows, 0.0),
        column!(rows, 0.1),
        column!(rows, 1.version),
        column!(rows, 1.posted),
        column!(rows, 1.held),
        column!(rows, 1.overdraft_limit),
        column!(rows, 1.frozen),
        hashes,
        column!(rows, 1.last_at),
        steps,
    ];
    Write::of(rows.len(), &ACCOUNT_WRITE, params)
}

/// The head of an account's chain; an account on which nothing was posted has none.
fn head(account: &Account) -> Option<&[u8]> {
    (account.version > 0).then_some(account.last_hash.as_slice())
}

fn write_reversals(tenant_id: i32, accounts: &Accounts) -> Option<Write<'_>> {
    let reversed = accounts
        .iter()
        .flat_map(|(place, opened)| opened.effects.reversed.iter().map(move |it| (place, it)));
    let rows: Vec<_> = reversed.collect();
    let spends: Vec<Uuid> = rows.iter().map(|(_, (spend_id, _))| spend_id.0).collect();
    let (ids, units) = (column!(rows, 0.0), column!(rows, 0.1));
    let seqs: Vec<i64> = rows.iter().map(|(_, (_, seq))| **seq).collect();
    Write::of(rows.len(), &REVERSAL_INSERT, params![tenant_id, spends, ids, units, seqs])
}
