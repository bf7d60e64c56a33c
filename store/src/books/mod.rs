//! The books: the one door through which credits move.
//!
//! [`post_in_tx`] takes movements that were decided, locks their accounts in one order, folds the movements into them in
//! the order given ([`ledger`] does the arithmetic and the hash chain), and writes what came out. Nobody else writes to
//! these tables. Its place in the lock order is told in [`crate::projection`].
//!
//! writers of owner, account, posting, `credit_grant`, `grant_move`: whoever calls this (projector)

mod statements;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ledger::account::{Account, Cause, Grant, LedgerError, Posting, Source, Terms};
use ledger::chain::{GENESIS, Hash};
use ledger::ids::{AccountId, Owner};
use ledger::movement::{Change, Movement, NewTerms};
use uuid::Uuid;

use crate::error::Error;
use crate::projection::column;
use crate::statement::{Connection, execute, query};
pub(crate) use statements::STATEMENTS;
use statements::{
    ACCOUNT_INSERT, ACCOUNT_LOCK, ACCOUNT_UPDATE, GRANT_INSERT, GRANT_UPDATE, GRANTS_OF_LINES,
    MOVE_INSERT, OWNER_INSERT, POSTING_INSERT,
};

/// Why movements could not be posted. Nothing of them was written: the transaction must be rolled back.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The database.
    #[error(transparent)]
    Store(#[from] Error),
    /// The ledger refused: the movements do not fit what stands in the books.
    #[error("posting to {owner:?} in {unit}: {source}")]
    Ledger {
        /// Whose account.
        owner: Owner,
        /// Unit.
        unit: String,
        /// Why.
        source: LedgerError,
    },
}

/// An account's place in the books.
type AccountKey = (Uuid, String);

/// Posts movements in the order given, then puts what is left under new terms; what was posted, in the same order. `idle`
/// are owners to be known as well, though nothing moves for them: a payment whose credits all went back may be found to
/// be somebody's who never had any.
pub async fn post_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
    (movements, new_terms): (&[Movement], &[NewTerms]),
    idle: &BTreeSet<Owner>,
) -> Result<Vec<Posting>, PostError> {
    // All at once and sorted, because whoever inserts what another inserts waits.
    let terms_of = new_terms.iter().map(|new| &new.owner);
    let moved = movements.iter().map(|movement| &movement.owner);
    insert_owners(tx, tenant_id, moved.chain(terms_of).chain(idle)).await?;
    if movements.is_empty() && new_terms.is_empty() {
        return Ok(Vec::new());
    }
    let mut accounts = lock_accounts(tx, tenant_id, movements, new_terms).await?;
    load_grants(tx, tenant_id, lines_of(movements, new_terms), &mut accounts).await?;
    let loaded: BTreeSet<(AccountKey, i64)> = accounts
        .iter()
        .flat_map(|(key, account)| account.grants.iter().map(|grant| (key.clone(), grant.grant_id)))
        .collect();
    let mut postings = Vec::with_capacity(movements.len());
    for movement in movements {
        let key = (movement.owner.account_id().0, movement.unit.clone());
        let Some(account) = accounts.get_mut(&key) else {
            return Err(Error::inconsistent("account", "account_id", key.0).into());
        };
        let posted = movement.post(account, tenant_id, now);
        postings.push(posted.map_err(|source| PostError::Ledger {
            owner: movement.owner.clone(),
            unit: movement.unit.clone(),
            source,
        })?);
    }
    for new in new_terms {
        let key = (new.owner.account_id().0, new.unit.clone());
        if let Some(account) = accounts.get_mut(&key) {
            account.set_terms(&new.source, new.terms);
        }
    }
    write_postings(tx, tenant_id, &postings).await?;
    write_grants(tx, tenant_id, &accounts, &loaded).await?;
    write_accounts(tx, tenant_id, &accounts).await?;
    Ok(postings)
}

async fn insert_owners<'a>(
    tx: &impl Connection,
    tenant_id: i32,
    owners: impl Iterator<Item = &'a Owner>,
) -> Result<(), Error> {
    let owners: BTreeMap<Uuid, &Owner> =
        owners.map(|owner| (owner.account_id().0, owner)).collect();
    if owners.is_empty() {
        return Ok(());
    }
    let owners: Vec<(Uuid, i16, &str)> =
        owners.into_iter().map(|(id, owner)| (id, owner.kind(), owner.key())).collect();
    execute(
        tx,
        &OWNER_INSERT,
        &[&tenant_id, &column!(owners, 0), &column!(owners, 1), &column!(owners, 2)],
    )
    .await?;
    Ok(())
}

async fn lock_accounts(
    tx: &impl Connection,
    tenant_id: i32,
    movements: &[Movement],
    new_terms: &[NewTerms],
) -> Result<BTreeMap<AccountKey, Account>, Error> {
    let moved = movements.iter().map(|movement| (&movement.owner, &movement.unit));
    let keys: BTreeSet<AccountKey> = moved
        .chain(new_terms.iter().map(|new| (&new.owner, &new.unit)))
        .map(|(owner, unit)| (owner.account_id().0, unit.clone()))
        .collect();
    let keys: Vec<AccountKey> = keys.into_iter().collect();
    let (ids, units) = (column!(keys, 0), column!(keys, 1));
    execute(tx, &ACCOUNT_INSERT, &[&tenant_id, &ids, &units]).await?;
    let rows = query(tx, &ACCOUNT_LOCK, &[&tenant_id, &ids, &units]).await?;
    let mut accounts = BTreeMap::new();
    for row in rows {
        let (id, unit): (Uuid, String) = (row.get(0), row.get(1));
        let last_hash: Option<Vec<u8>> = row.get(5);
        let account = Account {
            version: row.get(2),
            posted: row.get(3),
            held: row.get(4),
            last_hash: hash_of(last_hash.as_deref(), id)?,
            last_at: row.get(6),
            ..Account::new(AccountId(id), unit.clone())
        };
        accounts.insert((id, unit), account);
    }
    Ok(accounts)
}

fn hash_of(bytes: Option<&[u8]>, account: Uuid) -> Result<Hash, Error> {
    bytes.map_or(Ok(GENESIS), |bytes| {
        bytes.try_into().map_err(|_| Error::inconsistent("account", "last_hash", account))
    })
}

/// A payment's line on an account: account, unit, payment, line.
type LineKey<'a> = (Uuid, &'a str, &'a str, &'a str);

/// The lines that are drawn from, or get other terms.
fn lines_of<'a>(movements: &'a [Movement], new_terms: &'a [NewTerms]) -> Vec<LineKey<'a>> {
    let drawn = movements.iter().filter(|movement| matches!(movement.change, Change::Take(_)));
    let drawn = drawn.map(|movement| (&movement.owner, &movement.unit, &movement.source));
    let lines: BTreeSet<LineKey<'_>> = drawn
        .chain(new_terms.iter().map(|new| (&new.owner, &new.unit, &new.source)))
        .map(|(owner, unit, source)| {
            (owner.account_id().0, unit.as_str(), source.root_key.as_str(), source.line.as_str())
        })
        .collect();
    lines.into_iter().collect()
}

/// Loads the open grants of these lines. Grants of others are not touched and not read.
async fn load_grants(
    tx: &impl Connection,
    tenant_id: i32,
    lines: Vec<LineKey<'_>>,
    accounts: &mut BTreeMap<AccountKey, Account>,
) -> Result<(), Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let (ids, units, roots, names) =
        (column!(lines, 0), column!(lines, 1), column!(lines, 2), column!(lines, 3));
    for row in query(tx, &GRANTS_OF_LINES, &[&tenant_id, &ids, &units, &roots, &names]).await? {
        let key: AccountKey = (row.get(0), row.get(1));
        let grant = Grant {
            grant_id: row.get(2),
            terms: Terms { priority: row.get(3), expires_at: row.get(4) },
            source: Some(Source { root_key: row.get(5), line: row.get(6) }),
            granted: row.get(7),
            remaining: row.get(8),
            held: row.get(9),
        };
        if let Some(account) = accounts.get_mut(&key) {
            account.grants.push(grant);
        }
    }
    Ok(())
}

/// A posting's cause as the columns keep it.
struct CauseColumns {
    kind: i16,
    pos: Option<i64>,
    rev: Option<i32>,
    effect_no: Option<i32>,
    command_id: Option<Uuid>,
}

impl From<&Cause> for CauseColumns {
    fn from(cause: &Cause) -> Self {
        match cause {
            Cause::Decision { pos, rev, effect_no } => Self {
                kind: 1,
                pos: Some(*pos),
                rev: Some(*rev),
                effect_no: Some(*effect_no),
                command_id: None,
            },
            Cause::Command(id) => {
                Self { kind: 2, pos: None, rev: None, effect_no: None, command_id: Some(*id) }
            }
        }
    }
}

async fn write_postings(
    tx: &impl Connection,
    tenant_id: i32,
    postings: &[Posting],
) -> Result<(), Error> {
    let causes: Vec<CauseColumns> =
        postings.iter().map(|posting| CauseColumns::from(&posting.cause)).collect();
    let contras: Vec<i16> = postings.iter().map(|posting| posting.contra.code()).collect();
    let source =
        |posting: &Posting| posting.source.clone().map(|source| (source.root_key, source.line));
    let (roots, lines): (Vec<Option<String>>, Vec<Option<String>>) = postings
        .iter()
        .map(|posting| {
            source(posting).map_or((None, None), |(root, line)| (Some(root), Some(line)))
        })
        .unzip();
    let hashes: Vec<&[u8]> = postings.iter().map(|posting| posting.hash.as_slice()).collect();
    execute(
        tx,
        &POSTING_INSERT,
        &[
            &tenant_id,
            &column!(postings, account.0),
            &column!(postings, unit),
            &column!(postings, seq),
            &contras,
            &column!(postings, amount),
            &column!(postings, balance_after),
            &column!(causes, kind),
            &column!(causes, pos),
            &column!(causes, rev),
            &column!(causes, effect_no),
            &column!(causes, command_id),
            &roots,
            &lines,
            &column!(postings, effective_at),
            &column!(postings, recorded_at),
            &hashes,
        ],
    )
    .await?;
    let moves: Vec<(Uuid, &String, i64, i64, i16, i64)> = postings
        .iter()
        .flat_map(|posting| {
            posting.moves.iter().map(move |drawn| {
                (
                    posting.account.0,
                    &posting.unit,
                    posting.seq,
                    drawn.grant_id,
                    drawn.kind.code(),
                    drawn.amount,
                )
            })
        })
        .collect();
    if moves.is_empty() {
        return Ok(());
    }
    let (ids, units, seqs) = (column!(moves, 0), column!(moves, 1), column!(moves, 2));
    let (grants, kinds, amounts) = (column!(moves, 3), column!(moves, 4), column!(moves, 5));
    execute(tx, &MOVE_INSERT, &[&tenant_id, &ids, &units, &seqs, &grants, &kinds, &amounts])
        .await
        .map(drop)
}

async fn write_grants(
    tx: &impl Connection,
    tenant_id: i32,
    accounts: &BTreeMap<AccountKey, Account>,
    loaded: &BTreeSet<(AccountKey, i64)>,
) -> Result<(), Error> {
    let all = accounts
        .iter()
        .flat_map(|(key, account)| account.grants.iter().map(move |grant| (key, grant)));
    let (old, new): (Vec<_>, Vec<_>) =
        all.partition(|(key, grant)| loaded.contains(&((*key).clone(), grant.grant_id)));
    if !new.is_empty() {
        let (ids, units, grants) = (column!(new, 0.0), column!(new, 0.1), column!(new, 1.grant_id));
        let (priorities, expiries) =
            (column!(new, 1.terms.priority), column!(new, 1.terms.expires_at));
        let source = |grant: &&Grant| {
            grant.source.clone().map_or((None, None), |s| (Some(s.root_key), Some(s.line)))
        };
        let (roots, lines): (Vec<_>, Vec<_>) = new.iter().map(|(_, grant)| source(grant)).unzip();
        let (granted, remaining) = (column!(new, 1.granted), column!(new, 1.remaining));
        let open: Vec<bool> = new.iter().map(|(_, grant)| grant.is_open()).collect();
        execute(
            tx,
            &GRANT_INSERT,
            &[
                &tenant_id,
                &ids,
                &units,
                &grants,
                &priorities,
                &expiries,
                &roots,
                &lines,
                &granted,
                &remaining,
                &open,
            ],
        )
        .await?;
    }
    if !old.is_empty() {
        let (ids, units, grants) = (column!(old, 0.0), column!(old, 0.1), column!(old, 1.grant_id));
        let remaining = column!(old, 1.remaining);
        let open: Vec<bool> = old.iter().map(|(_, grant)| grant.is_open()).collect();
        let (priorities, expiries) =
            (column!(old, 1.terms.priority), column!(old, 1.terms.expires_at));
        execute(
            tx,
            &GRANT_UPDATE,
            &[&tenant_id, &ids, &units, &grants, &remaining, &open, &priorities, &expiries],
        )
        .await?;
    }
    Ok(())
}

async fn write_accounts(
    tx: &impl Connection,
    tenant_id: i32,
    accounts: &BTreeMap<AccountKey, Account>,
) -> Result<(), Error> {
    let rows: Vec<(&AccountKey, &Account)> = accounts.iter().collect();
    let hashes: Vec<&[u8]> = rows.iter().map(|(_, account)| account.last_hash.as_slice()).collect();
    execute(
        tx,
        &ACCOUNT_UPDATE,
        &[
            &tenant_id,
            &column!(rows, 0.0),
            &column!(rows, 0.1),
            &column!(rows, 1.version),
            &column!(rows, 1.posted),
            &hashes,
            &column!(rows, 1.last_at),
        ],
    )
    .await
    .map(drop)
}
