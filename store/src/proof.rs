//! Proofs over a tenant's books: the hash chain of every account, computed again from what stands there.
//!
//! Everything is read in one snapshot, so that it may run beside everyone who writes.

use jiff::Timestamp;
use ledger::account::{Cause, GrantMove, MoveKind, Posting, Source, SystemAccount};
use ledger::chain::{GENESIS, Hash, hash};
use ledger::ids::AccountId;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::connect::Store;
use crate::error::Error;
use crate::statement::{Connection, Statement, batch_execute, query, query_one};
use crate::tx::Tx;

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&POSTINGS, &BARE_ACCOUNTS];

/// Postings that are read at a time.
const PAGE: i64 = 5_000;

/// Faults that are told of; where there are more, these suffice to begin with.
const FAULTS_MAX: usize = 100;

const POSTINGS: Statement = Statement {
    sql: "-- proof.postings
SELECT p.account_id, p.unit, p.seq, p.contra, p.amount, p.balance_after, p.cause_pos, p.cause_rev, p.effect_no, p.command_id,
       p.root_key, p.line, p.effective_at, p.recorded_at, p.hash, a.version, a.posted, a.last_hash,
       m.grant_ids, m.kinds, m.amounts
FROM posting p
LEFT JOIN account a ON a.tenant_id = $1 AND a.account_id = p.account_id AND a.unit = p.unit
CROSS JOIN LATERAL (
    SELECT array_agg(g.grant_id ORDER BY g.grant_id) AS grant_ids, array_agg(g.kind ORDER BY g.grant_id) AS kinds,
           array_agg(g.amount ORDER BY g.grant_id) AS amounts
    FROM grant_move g
    WHERE g.tenant_id = $1 AND g.account_id = p.account_id AND g.unit = p.unit AND g.seq = p.seq
) m
WHERE p.tenant_id = $1 AND (p.account_id, p.unit, p.seq) > ($2, $3, $4)
ORDER BY p.account_id, p.unit, p.seq LIMIT $5",
    params: &[Type::INT4, Type::UUID, Type::TEXT, Type::INT8, Type::INT8],
    columns: &[
        Type::UUID,
        Type::TEXT,
        Type::INT8,
        Type::INT2,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT4,
        Type::INT4,
        Type::UUID,
        Type::TEXT,
        Type::TEXT,
        Type::TIMESTAMPTZ,
        Type::TIMESTAMPTZ,
        Type::BYTEA,
        Type::INT8,
        Type::INT8,
        Type::BYTEA,
        Type::INT8_ARRAY,
        Type::INT2_ARRAY,
        Type::INT8_ARRAY,
    ],
};

const BARE_ACCOUNTS: Statement = Statement {
    sql: "-- proof.bare_accounts
SELECT count(*) FROM account a
WHERE a.tenant_id = $1 AND (a.version, a.posted) <> (0, 0)
  AND NOT EXISTS (SELECT FROM posting p WHERE p.tenant_id = $1 AND p.account_id = a.account_id AND p.unit = a.unit)",
    params: &[Type::INT4],
    columns: &[Type::INT8],
};

/// What the chains of a tenant's accounts showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chains {
    /// Accounts that have postings.
    pub accounts: u64,
    /// Postings that were read.
    pub postings: u64,
    /// What is wrong, at most [`FAULTS_MAX`] of it, each naming its place; empty if all is as it was written.
    pub faults: Vec<String>,
}

/// How far an account's chain was followed.
struct Head {
    account: Uuid,
    unit: String,
    seq: i64,
    posted: i64,
    hash: Hash,
    recorded_at: Timestamp,
    /// What the account's row says, to be compared at the chain's end: version, posted, hash.
    told: (Option<i64>, Option<i64>, Option<Vec<u8>>),
}

/// Makes a transaction that has just begun see one state of the whole database until it ends, and change nothing.
pub async fn snapshot_in_tx(tx: &Tx) -> Result<(), Error> {
    let sql = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";
    batch_execute(tx, "proof.snapshot", sql).await
}

/// [`chains_in_tx`] in a snapshot of its own.
pub async fn chains(store: &Store, tenant_id: i32) -> Result<Chains, Error> {
    let follow = |tx| async move {
        snapshot_in_tx(&tx).await?;
        let chains = chains_in_tx(&tx, tenant_id).await?;
        Ok((tx, chains))
    };
    store.run_tx("proof_chains", follow).await
}

/// Follows the chain of every account of a tenant: numbers without holes, running balances, times that never decrease,
/// hashes, and the account's own row at the end. In a transaction of [`snapshot_in_tx`] it may run beside everyone who
/// writes.
pub async fn chains_in_tx(connection: &impl Connection, tenant_id: i32) -> Result<Chains, Error> {
    let mut chains = Chains::default();
    let bare: i64 = query_one(connection, &BARE_ACCOUNTS, &[&tenant_id]).await?.get(0);
    if bare != 0 {
        chains.faults.push(format!("{bare} accounts have a balance and no postings"));
    }
    let mut head: Option<Head> = None;
    loop {
        let (account, unit, seq) = match &head {
            Some(head) => (head.account, head.unit.clone(), head.seq),
            None => (Uuid::nil(), String::new(), 0),
        };
        let rows =
            query(connection, &POSTINGS, &[&tenant_id, &account, &unit, &seq, &PAGE]).await?;
        for row in &rows {
            head = Some(chains.follow(tenant_id, head.take(), row)?);
        }
        if rows.is_empty() {
            chains.end(head.as_ref());
            return Ok(chains);
        }
    }
}

impl Chains {
    /// One posting further.
    fn follow(&mut self, tenant_id: i32, before: Option<Head>, row: &Row) -> Result<Head, Error> {
        let posting = read(row)?;
        let same = |head: &Head| head.account == posting.account.0 && head.unit == posting.unit;
        let before = match before {
            Some(head) if same(&head) => head,
            ended => {
                self.end(ended.as_ref());
                self.accounts = self.accounts.saturating_add(1);
                Head::begin(&posting)
            }
        };
        self.postings = self.postings.saturating_add(1);
        let place =
            format!("posting {} of account {} in {}", posting.seq, posting.account.0, posting.unit);
        self.check(Some(posting.seq) == before.seq.checked_add(1), || {
            format!("{place} follows number {}", before.seq)
        });
        self.check(
            Some(posting.balance_after) == before.posted.checked_add(posting.amount),
            || format!("{place} does not add up to its balance"),
        );
        self.check(posting.recorded_at >= before.recorded_at, || {
            format!("{place} was recorded before the one before it")
        });
        self.check(hash(tenant_id, &before.hash, &posting) == posting.hash, || {
            format!("{place} does not have the hash of what it says")
        });
        Ok(Head {
            account: posting.account.0,
            unit: posting.unit,
            seq: posting.seq,
            posted: posting.balance_after,
            hash: posting.hash,
            recorded_at: posting.recorded_at,
            told: (row.get(15), row.get(16), row.get(17)),
        })
    }

    /// Compares an account's row with where its chain ends.
    fn end(&mut self, head: Option<&Head>) {
        let Some(head) = head else { return };
        let found = (Some(head.seq), Some(head.posted), Some(head.hash.to_vec()));
        self.check(head.told == found, || {
            format!("account {} in {} does not say where its postings end", head.account, head.unit)
        });
    }

    fn check(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds && self.faults.len() < FAULTS_MAX {
            self.faults.push(fault());
        }
    }
}

impl Head {
    /// Before an account's first posting.
    fn begin(first: &Posting) -> Self {
        Self {
            account: first.account.0,
            unit: first.unit.clone(),
            seq: 0,
            posted: 0,
            hash: GENESIS,
            recorded_at: first.recorded_at,
            told: (None, None, None),
        }
    }
}

fn read(row: &Row) -> Result<Posting, Error> {
    let (account, unit, seq): (Uuid, String, i64) = (row.get(0), row.get(1), row.get(2));
    let wrong =
        |column| Error::inconsistent("posting", column, format!("account {account}, number {seq}"));
    let command: Option<Uuid> = row.get(9);
    let decision: (Option<i64>, Option<i32>, Option<i32>) = (row.get(6), row.get(7), row.get(8));
    let cause = match (decision, command) {
        ((Some(pos), Some(rev), Some(effect_no)), None) => Cause::Decision { pos, rev, effect_no },
        (_, Some(command)) => Cause::Command(command),
        _ => return Err(wrong("cause_kind")),
    };
    let stored: &[u8] = row.get(14);
    let source: Option<(String, String)> = row.get::<_, Option<String>>(10).zip(row.get(11));
    Ok(Posting {
        account: AccountId(account),
        unit,
        seq,
        contra: SystemAccount::from_code(row.get(3)).ok_or_else(|| wrong("contra"))?,
        amount: row.get(4),
        balance_after: row.get(5),
        cause,
        source: source.map(|(root_key, line)| Source { root_key, line }),
        effective_at: row.get(12),
        recorded_at: row.get(13),
        moves: moves(row).ok_or_else(|| wrong("seq"))?,
        hash: stored.try_into().map_err(|_| wrong("hash"))?,
    })
}

/// The grants that a posting drew from, the oldest first, which is the order in which they were hashed.
fn moves(row: &Row) -> Option<Vec<GrantMove>> {
    let Some(grants): Option<Vec<i64>> = row.get(18) else { return Some(Vec::new()) };
    let (kinds, amounts): (Vec<i16>, Vec<i64>) = (row.get(19), row.get(20));
    let drawn = grants.into_iter().zip(kinds).zip(amounts).map(|((grant_id, kind), amount)| {
        Some(GrantMove { grant_id, kind: MoveKind::from_code(kind)?, amount })
    });
    drawn.collect()
}
