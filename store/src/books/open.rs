//! Accounts that are locked until the transaction ends, and what is done to them meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use crate::flight;
use jiff::Timestamp;
use ledger::account::{
    Account, Act, DrawPlace, Effects, Extent, Grant, Hold, Operation, Refusal, Source, Terms,
};
use ledger::chain::{GENESIS, Hash};
use ledger::ids::{AccountId, Owner};
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::error::Error;
use crate::projection::column;
use crate::statement::{Connection, Statement, execute, query};

/// Every statement of this module.
pub(super) const STATEMENTS: &[&Statement] =
    &[&OWNER_INSERT, &ACCOUNT_INSERT, &ACCOUNT_LOCK, &ACCOUNT_LOCK_FREE];

const OWNER_INSERT: Statement = Statement {
    sql: "-- books.owner_insert
INSERT INTO owner AS o (tenant_id, account_id, kind, key)
SELECT h.tenant_id, unnest($2::uuid[]), unnest($3::smallint[]), unnest($4::text[])
FROM log_head h
WHERE h.tenant_id = $1
ON CONFLICT DO NOTHING",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::INT2_ARRAY, Type::TEXT_ARRAY],
    columns: &[],
};

const ACCOUNT_INSERT: Statement = Statement {
    sql: "-- books.account_insert
INSERT INTO account AS a (tenant_id, account_id, unit)
SELECT h.tenant_id, unnest($2::uuid[]), unnest($3::text[])
FROM log_head h
WHERE h.tenant_id = $1
ON CONFLICT DO NOTHING",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::TEXT_ARRAY],
    columns: &[],
};

// They are looked up, and locked, one after the other in the order given.
const ACCOUNT_LOCK: Statement = Statement {
    sql: "-- books.account_lock
SELECT a.account_id, a.unit, a.version, a.posted, a.held, a.overdraft_limit, a.frozen, a.last_hash, a.last_at, a.steps
FROM unnest($2::uuid[], $3::text[]) AS k (account_id, unit)
CROSS JOIN LATERAL (
    SELECT * FROM account x WHERE x.tenant_id = $1 AND x.account_id = k.account_id AND x.unit = k.unit
    LIMIT 1 FOR UPDATE) a",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::TEXT_ARRAY],
    columns: ACCOUNT_COLUMNS,
};

const ACCOUNT_LOCK_FREE: Statement = Statement {
    sql: "-- books.account_lock_free
SELECT a.account_id, a.unit, a.version, a.posted, a.held, a.overdraft_limit, a.frozen, a.last_hash, a.last_at, a.steps
FROM unnest($2::uuid[], $3::text[]) AS k (account_id, unit)
CROSS JOIN LATERAL (
    SELECT * FROM account x WHERE x.tenant_id = $1 AND x.account_id = k.account_id AND x.unit = k.unit
    LIMIT 1 FOR UPDATE SKIP LOCKED) a",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::TEXT_ARRAY],
    columns: ACCOUNT_COLUMNS,
};

const ACCOUNT_COLUMNS: &[Type] = &[
    Type::UUID,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::BOOL,
    Type::BYTEA,
    Type::TIMESTAMPTZ,
    Type::INT8,
];

/// An account's place in the books: its id and unit. Locks are taken in the order of these.
pub(crate) type Place = (Uuid, String);

/// Whether to wait for accounts that other transactions hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locking {
    /// As long as the lock timeout lets.
    Wait,
    /// Not at all: those are left out.
    Skip,
}

/// An account that is locked, and what is to be written of it.
pub(crate) struct Opened {
    /// The account as it is after what was done so far. Of its rows, those that were loaded.
    pub(crate) account: Account,
    /// Number of commands that were carried out on it.
    pub(crate) steps: i64,
    /// What was done to its rows.
    pub(crate) effects: Effects,
    /// Whether the account's own row is to be written.
    pub(crate) is_changed: bool,
}

/// The accounts of a transaction.
pub(crate) type Accounts = BTreeMap<Place, Opened>;

/// Nothing in the order of drawing comes before this.
const NOTHING_LOADED: Extent =
    Extent::Until(DrawPlace { priority: i16::MIN, expires_at: Timestamp::MIN, grant_id: 0 });

impl Opened {
    /// The instant at which an operation that is done at `now` is judged: the account's clock never goes back.
    pub(crate) fn instant(&self, now: Timestamp) -> Timestamp {
        self.account.last_at.map_or(now, |last_at| last_at.max(now))
    }

    /// Evaluates an operation, and keeps what it did for the writing; what it did alone.
    pub(crate) fn evaluate(
        &mut self,
        act: &Act,
        operation: &Operation,
    ) -> Result<Effects, Refusal> {
        let effects = self.account.evaluate(act, operation)?;
        self.effects.append(effects.clone());
        self.is_changed = true;
        Ok(effects)
    }

    /// Puts what is open of a payment line's grants under other terms.
    pub(super) fn set_terms(&mut self, source: &Source, terms: Terms) {
        let effects = self.account.set_terms(source, terms);
        self.effects.append(effects);
    }

    /// Adds a grant that was read, unless it is in memory: then that is newer.
    pub(super) fn add_grant(&mut self, grant: Grant) {
        let grants = &mut self.account.grants;
        if let Err(place) = grants.binary_search_by_key(&grant.grant_id, |known| known.grant_id) {
            grants.insert(place, grant);
        }
    }

    /// Adds a hold that was read, unless it is in memory: then that is newer.
    pub(super) fn add_hold(&mut self, hold: Hold) {
        if self.account.hold_of(hold.hold_id).is_none() {
            self.account.holds.push(hold);
        }
    }
}

/// Evaluates an operation on one of the accounts.
pub(super) fn evaluate(
    accounts: &mut Accounts,
    place: &Place,
    act: &Act,
    operation: &Operation,
) -> Result<Result<Effects, Refusal>, Error> {
    let opened = accounts.get_mut(place);
    let opened = opened.ok_or_else(|| Error::inconsistent("account", "account_id", place.0))?;
    Ok(opened.evaluate(act, operation))
}

/// Adds the missing ones of these owners, sorted, because whoever inserts what another inserts waits.
pub(crate) async fn insert_owners<'a>(
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
    let (ids, kinds, keys) = (column!(owners, 0), column!(owners, 1), column!(owners, 2));
    execute(tx, &OWNER_INSERT, &[&tenant_id, &ids, &kinds, &keys]).await.map(drop)
}

/// Adds those of these owners and accounts that are missing, in one round trip.
pub(crate) async fn insert<'a>(
    tx: &impl Connection,
    tenant_id: i32,
    owners: impl Iterator<Item = &'a Owner>,
    places: &BTreeSet<Place>,
) -> Result<(), Error> {
    let owners = insert_owners(tx, tenant_id, owners);
    flight!(owners, insert_accounts(tx, tenant_id, places)).map(drop)
}

/// Adds the missing ones of these accounts.
pub(crate) async fn insert_accounts(
    tx: &impl Connection,
    tenant_id: i32,
    places: &BTreeSet<Place>,
) -> Result<(), Error> {
    if places.is_empty() {
        return Ok(());
    }
    let places: Vec<&Place> = places.iter().collect();
    let (ids, units) = (column!(places, 0), column!(places, 1));
    execute(tx, &ACCOUNT_INSERT, &[&tenant_id, &ids, &units]).await.map(drop)
}

/// Locks these accounts, and reads their rows as they are then. Nothing of their grants and holds is loaded.
pub(crate) async fn lock(
    tx: &impl Connection,
    tenant_id: i32,
    places: &BTreeSet<Place>,
    locking: Locking,
) -> Result<Accounts, Error> {
    let statement = match locking {
        Locking::Wait => &ACCOUNT_LOCK,
        Locking::Skip => &ACCOUNT_LOCK_FREE,
    };
    let mut accounts = Accounts::new();
    if places.is_empty() {
        return Ok(accounts);
    }
    let places: Vec<&Place> = places.iter().collect();
    let (ids, units) = (column!(places, 0), column!(places, 1));
    for row in query(tx, statement, &[&tenant_id, &ids, &units]).await? {
        let (id, unit): (Uuid, String) = (row.get(0), row.get(1));
        let last_hash: Option<&[u8]> = row.get(7);
        let account = Account {
            version: row.get(2),
            posted: row.get(3),
            held: row.get(4),
            overdraft_limit: row.get(5),
            frozen: row.get(6),
            last_hash: hash_of(last_hash, id)?,
            last_at: row.get(8),
            extent: NOTHING_LOADED,
            ..Account::new(AccountId(id), unit.clone())
        };
        let (steps, effects) = (row.get(9), Effects::default());
        accounts.insert((id, unit), Opened { account, steps, effects, is_changed: false });
    }
    Ok(accounts)
}

fn hash_of(bytes: Option<&[u8]>, account: Uuid) -> Result<Hash, Error> {
    bytes.map_or(Ok(GENESIS), |bytes| {
        bytes.try_into().map_err(|_| Error::inconsistent("account", "last_hash", account))
    })
}
