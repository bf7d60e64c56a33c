//! What was done to locked accounts, written: one statement for each table, all of them on their way at once.

mod grants;
mod holds;
mod postings;

use ledger::account::{Account, Posting};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::open::{Accounts, Place};
use crate::error::Error;
use crate::projection::column;
use crate::statement::{Connection, Statement, execute};

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

/// Writes all that was done to these accounts.
pub(crate) async fn save(
    tx: &impl Connection,
    tenant_id: i32,
    accounts: &Accounts,
) -> Result<(), Error> {
    let all = accounts.values().flat_map(|opened| &opened.effects.postings);
    let all: Vec<&Posting> = all.collect();
    futures_util::try_join!(
        write_accounts(tx, tenant_id, accounts),
        grants::write(tx, tenant_id, accounts),
        holds::write(tx, tenant_id, accounts),
        postings::write(tx, tenant_id, &all),
        postings::write_moves(tx, tenant_id, &all),
        write_reversals(tx, tenant_id, accounts),
    )?;
    Ok(())
}

async fn write_accounts(
    tx: &impl Connection,
    tenant_id: i32,
    accounts: &Accounts,
) -> Result<(), Error> {
    let changed = accounts.iter().filter(|(_, opened)| opened.is_changed);
    let rows: Vec<(&Place, &Account, i64)> =
        changed.map(|(place, opened)| (place, &opened.account, opened.steps)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let hashes: Vec<Option<&[u8]>> = rows.iter().map(|(_, account, _)| head(account)).collect();
    execute(
        tx,
        &ACCOUNT_WRITE,
        &[
            &tenant_id,
            &column!(rows, 0.0),
            &column!(rows, 0.1),
            &column!(rows, 1.version),
            &column!(rows, 1.posted),
            &column!(rows, 1.held),
            &column!(rows, 1.overdraft_limit),
            &column!(rows, 1.frozen),
            &hashes,
            &column!(rows, 1.last_at),
            &column!(rows, 2),
        ],
    )
    .await
    .map(drop)
}

/// The head of an account's chain; an account on which nothing was posted has none.
fn head(account: &Account) -> Option<&[u8]> {
    (account.version > 0).then_some(account.last_hash.as_slice())
}

async fn write_reversals(
    tx: &impl Connection,
    tenant_id: i32,
    accounts: &Accounts,
) -> Result<(), Error> {
    let reversed = accounts
        .iter()
        .flat_map(|(place, opened)| opened.effects.reversed.iter().map(move |it| (place, it)));
    let rows: Vec<_> = reversed.collect();
    if rows.is_empty() {
        return Ok(());
    }
    let spends: Vec<Uuid> = rows.iter().map(|(_, (spend_id, _))| spend_id.0).collect();
    let (ids, units) = (column!(rows, 0.0), column!(rows, 0.1));
    let seqs: Vec<i64> = rows.iter().map(|(_, (_, seq))| **seq).collect();
    execute(tx, &REVERSAL_INSERT, &[&tenant_id, &spends, &ids, &units, &seqs]).await.map(drop)
}
