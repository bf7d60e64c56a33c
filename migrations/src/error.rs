//! Why a migration did not happen, and what to do about it.

use sqlx::migrate::MigrateError;

/// Why the schema could not be read or brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection: wrong URL, no server, or refused.
    #[error("connecting to the database to migrate it")]
    Connect(#[source] sqlx::Error),

    /// Another migration did not end in time.
    #[error("waiting for another migration of this database to end")]
    OtherMigration(#[source] sqlx::Error),

    /// One of our own statements around the migrations failed.
    #[error(
        "preparing the schema `tally` (the login needs CREATE on the database, or a schema made for it)"
    )]
    Statement(#[source] sqlx::Error),

    /// A migration failed. Its transaction was rolled back: nothing of it is there, and it can be
    /// run again.
    #[error("applying migration {version}; nothing of it was kept")]
    Migration {
        /// Its version.
        version: i64,
        /// What Postgres said.
        #[source]
        source: sqlx::Error,
    },

    /// The database has a migration that this program does not know.
    #[error(
        "the database has migration {0}, which this program does not know: run a newer `tally`"
    )]
    Newer(i64),

    /// The text of an applied migration is not the text of this program's.
    #[error(
        "migration {0} was applied with another text than this program has: migrations are never edited"
    )]
    Edited(i64),

    /// Anything else that sqlx found wrong.
    #[error("migrating the database")]
    Other(#[source] MigrateError),
}

impl From<MigrateError> for Error {
    fn from(error: MigrateError) -> Self {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the enum is non-exhaustive and the rest is alike to us"
        )]
        match error {
            MigrateError::ExecuteMigration(source, version) => Self::Migration { version, source },
            MigrateError::Execute(source) => Self::Statement(source),
            MigrateError::VersionMissing(version) => Self::Newer(version),
            MigrateError::VersionMismatch(version) => Self::Edited(version),
            other => Self::Other(other),
        }
    }
}
