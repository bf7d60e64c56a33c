#![doc = include_str!("../README.md")]

mod error;

use std::collections::BTreeSet;

use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection};

pub use error::Error;

/// The files of `sql/`, embedded, oldest first.
pub static MIGRATOR: Migrator = sqlx::migrate!("./sql");

/// Version of the newest migration: the one schema that this program runs on.
pub const SCHEMA_VERSION: i64 = 20_261_121_000_018;

/// How long a second `tally migrate` waits for the first one to end.
const OTHER_MIGRATION_WAIT: &str = "SET lock_timeout = '120s'";

/// How long a migration waits for a lock on a table. A migration that waits makes everyone behind
/// it wait too, so it gives up early and is run again rather than stop the service.
const TABLE_LOCK_WAIT: &str = "SET lock_timeout = '3s'";

/// What [`run`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Applied {
    /// Versions that were missing and are there now, oldest first; empty if the schema was up to
    /// date.
    pub versions: Vec<i64>,
}

/// Brings the database to [`SCHEMA_VERSION`]. It may be run at any time, also twice at once.
///
/// The login needs CREATE on the database (unless the schema `tally` exists already) and CREATEROLE
/// (unless the roles do). A connection through a transaction pooler will not do, because the lock
/// belongs to the session.
pub async fn run(database_url: &str) -> Result<Applied, Error> {
    let mut connection = connect(database_url).await?;
    // sqlx takes a lock of its own as well, but only after the time limit for tables would have
    // been set.
    execute(&mut connection, OTHER_MIGRATION_WAIT).await?;
    lock(&mut connection).await?;
    execute(&mut connection, TABLE_LOCK_WAIT).await?;

    create_schema(&mut connection).await?;
    let before = versions(&mut connection).await?;
    // Not `run`: a future with it cannot be spawned ("`Acquire` is not general enough").
    MIGRATOR.run_direct(None, &mut connection, false).await?;
    let versions = MIGRATOR.iter().map(|file| file.version).filter(|v| !before.contains(v));
    let applied = Applied { versions: versions.collect() };
    connection.close().await.map_err(Error::Statement)?;
    Ok(applied)
}

/// Version of the newest migration that this database has; `None` if it has none.
pub async fn version(database_url: &str) -> Result<Option<i64>, Error> {
    let mut connection = connect(database_url).await?;
    let newest = versions(&mut connection).await?.last().copied();
    connection.close().await.map_err(Error::Statement)?;
    Ok(newest)
}

/// Connects with `tally` as the one schema that unqualified names mean.
async fn connect(database_url: &str) -> Result<PgConnection, Error> {
    let mut connection = PgConnection::connect(database_url).await.map_err(Error::Connect)?;
    execute(&mut connection, "SET search_path = tally").await?;
    Ok(connection)
}

/// Waits until no other migration of this database runs. The lock ends with the connection.
async fn lock(connection: &mut PgConnection) -> Result<(), Error> {
    let locking = sqlx::raw_sql("SELECT pg_advisory_lock(hashtext('tally.migrate'))");
    locking.execute(connection).await.map_err(Error::OtherMigration)?;
    Ok(())
}

/// Makes the schema, unless it is there: then the login needs no right to make one.
async fn create_schema(connection: &mut PgConnection) -> Result<(), Error> {
    let missing: bool = sqlx::query_scalar("SELECT to_regnamespace('tally') IS NULL")
        .fetch_one(&mut *connection)
        .await
        .map_err(Error::Statement)?;
    if missing {
        execute(connection, "CREATE SCHEMA tally").await?;
        execute(connection, "COMMENT ON SCHEMA tally IS 'Prepaid credits, see Tallystick.'")
            .await?;
    }
    Ok(())
}

/// Versions of the migrations that this database has.
async fn versions(connection: &mut PgConnection) -> Result<BTreeSet<i64>, Error> {
    let table_missing: bool =
        sqlx::query_scalar("SELECT to_regclass('tally._sqlx_migrations') IS NULL")
            .fetch_one(&mut *connection)
            .await
            .map_err(Error::Statement)?;
    if table_missing {
        return Ok(BTreeSet::new());
    }
    let versions: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM tally._sqlx_migrations WHERE success")
            .fetch_all(connection)
            .await
            .map_err(Error::Statement)?;
    Ok(versions.into_iter().collect())
}

async fn execute(connection: &mut PgConnection, sql: &'static str) -> Result<(), Error> {
    sqlx::raw_sql(sql).execute(connection).await.map_err(Error::Statement)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{MIGRATOR, SCHEMA_VERSION};

    #[test]
    fn schema_version_is_the_newest_migration() {
        assert_eq!(MIGRATOR.iter().map(|file| file.version).max(), Some(SCHEMA_VERSION));
    }
}
