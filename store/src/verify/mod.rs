//! Whether all that a tenant has fits together: the log, what was decided of it, and the books (DESIGN, section 9).
//!
//! Every check reads the same REPEATABLE READ snapshot, so that it may run beside everyone who writes, and holds no more
//! than a page of rows. A check names what it looked at, how much of it, and each difference it found.

mod bodies;
mod books;
mod log;
mod owners;

use tokio_postgres::types::Type;

use crate::connect::Store;
use crate::error::{Error, Kind};
use crate::proof::{chains_in_tx, snapshot_in_tx};
use crate::statement::{Connection, Statement, query, query_one};
use crate::status;
use crate::tx::Tx;

/// Differences that one check tells of; where there are more, these suffice to begin with.
const DIFFERENCES_MAX: i64 = 100;

/// Newest events whose bytes are read unless all are asked for: some seconds' work, however long the log is.
pub const NEWEST_BODIES: i64 = 10_000;

/// Parameters of a check that the server makes alone: the tenant, and how many differences to name.
const CHECK_PARAMS: &[Type] = &[Type::INT4, Type::INT8];

/// What such a check answers: how much was looked at, and the differences.
const CHECK_COLUMNS: &[Type] = &[Type::INT8, Type::TEXT_ARRAY];

const TENANTS: Statement = Statement {
    sql: "-- verify.tenants
SELECT tenant_id, name, livemode FROM tenant ORDER BY tenant_id",
    params: &[],
    columns: &[Type::INT4, Type::TEXT, Type::BOOL],
};

/// Every statement of this module.
pub(crate) fn statements() -> Vec<&'static Statement> {
    [&[&TENANTS], log::CHECKS, books::CHECKS, bodies::STATEMENTS, owners::STATEMENTS].concat()
}

/// A tenant, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Small number that leads every key.
    pub tenant_id: i32,
    /// Name of the business.
    pub name: String,
    /// Live or test.
    pub livemode: bool,
}

/// What one check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// How much was looked at: events, postings, grants, whatever the check is about.
    pub checked: u64,
    /// How much could not be judged, because what is needed for it is not here any more.
    pub not_checkable: u64,
    /// What is not as it should be, at most 100 of it, each naming its place; empty if all is well.
    pub differences: Vec<String>,
}

/// How many of the stored bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Those of the newest [`NEWEST_BODIES`] events.
    Newest,
    /// All.
    Full,
}

/// What a signature says of the bytes that are stored with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vouched {
    /// One of the configured secrets signed these bytes.
    Fits,
    /// None of them did.
    NoSecretFits,
    /// It is no signature at all.
    Unreadable,
}

/// Judges a signature header over a body.
pub type Vouch<'a> = &'a (dyn Fn(&str, &[u8]) -> Vouched + Sync);

/// All tenants, oldest first.
pub async fn tenants(connection: &impl Connection) -> Result<Vec<Tenant>, Error> {
    let rows = query(connection, &TENANTS, &[]).await?;
    let read = |row: &tokio_postgres::Row| Tenant {
        tenant_id: row.get(0),
        name: row.get(1),
        livemode: row.get(2),
    };
    Ok(rows.iter().map(read).collect())
}

/// Makes every check of a tenant, always in the same order. Needs a role that may read everything.
pub async fn verify(
    store: &Store,
    tenant_id: i32,
    extent: Extent,
    vouch: Vouch<'_>,
) -> Result<Vec<Check>, Error> {
    let verify = |tx| async move {
        snapshot_in_tx(&tx).await?;
        let checks = verify_in_tx(&tx, tenant_id, extent, vouch).await?;
        Ok((tx, checks))
    };
    store.run_tx("verify", verify).await
}

async fn verify_in_tx(
    tx: &Tx,
    tenant_id: i32,
    extent: Extent,
    vouch: Vouch<'_>,
) -> Result<Vec<Check>, Error> {
    let mut checks = Vec::new();
    for statement in log::CHECKS {
        checks.push(made_by_the_server(tx, tenant_id, statement).await?);
    }
    checks.extend(bodies::check(tx, tenant_id, extent, vouch).await?);
    checks.push(owners::check(tx, tenant_id).await?);
    checks.push(chains(tx, tenant_id).await?);
    for statement in books::CHECKS {
        checks.push(made_by_the_server(tx, tenant_id, statement).await?);
    }
    checks.push(sums(tx, tenant_id).await?);
    Ok(checks)
}

/// A check that is one statement; it is called what the statement is called.
async fn made_by_the_server(
    tx: &Tx,
    tenant_id: i32,
    statement: &'static Statement,
) -> Result<Check, Error> {
    let row = query_one(tx, statement, &[&tenant_id, &DIFFERENCES_MAX]).await?;
    let name = statement.name();
    let checked: i64 = row.get(0);
    Ok(Check {
        name: name.split_once('.').map_or(name, |(_, check)| check),
        checked: checked.unsigned_abs(),
        differences: row.get(1),
        ..Check::default()
    })
}

/// The hash chain of every account, computed again, and where it ends.
async fn chains(tx: &Tx, tenant_id: i32) -> Result<Check, Error> {
    let (checked, differences) = match chains_in_tx(tx, tenant_id).await {
        Ok(chains) => (chains.postings, chains.faults),
        // A posting that nobody of us could have written: the chain cannot be followed past it.
        Err(error) if error.kind() == Kind::Inconsistent => (0, vec![error.to_string()]),
        Err(error) => return Err(error),
    };
    Ok(Check { name: "chains", checked, differences, ..Check::default() })
}

/// What the payments' facts say is due against what the postings moved, in each unit.
async fn sums(tx: &Tx, tenant_id: i32) -> Result<Check, Error> {
    let mut check = Check { name: "sums", ..Check::default() };
    for books in status::books(tx, tenant_id).await? {
        check.saw(1);
        if !books.adds_up() {
            check.differs(format!(
                "{} {} were bought, but {} are granted, {} unclaimed and {} written off",
                books.bought, books.unit, books.granted, books.unclaimed, books.written_off
            ));
        }
    }
    Ok(check)
}

impl Check {
    fn saw(&mut self, count: u64) {
        self.checked = self.checked.saturating_add(count);
    }

    fn differs(&mut self, difference: String) {
        let told = i64::try_from(self.differences.len()).unwrap_or(i64::MAX);
        if told < DIFFERENCES_MAX {
            self.differences.push(difference);
        }
    }
}
