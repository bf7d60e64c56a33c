//! What can go wrong with the database, sorted by what a caller can do about it.
//!
//! Sorted by SQLSTATE only, never by the wording of a message. A Postgres DETAIL may quote a row, so it is kept out of
//! every text that this type makes: logs must not show payloads or e-mails.

use std::fmt;

use tokio_postgres::error::{DbError, SqlState};

use deadpool_postgres::{PoolError, TimeoutType};

/// A failure of something that this crate was doing.
#[derive(Debug)]
pub struct Error {
    doing: &'static str,
    cause: Cause,
}

/// What a caller can do about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The database cannot serve now: not reachable, restarting, full, read-only, too slow, out of connections. The
    /// outcome of a COMMIT that ends so is unknown. Wait, then do the whole piece of work again.
    Unavailable,
    /// The transaction lost against another one and was rolled back. Begin it again at once.
    Retry,
    /// The database does not allow it: an append-only table, a missing privilege, a wrong password.
    Refused,
    /// A stored row does not say what this program wrote. It goes to review, it is never guessed at.
    Inconsistent,
    /// Anything else: a mistake in this program or in its configuration.
    Other,
}

#[derive(Debug)]
enum Cause {
    /// The server answered with an error.
    Server(Box<Server>),
    /// The connection could not be made or did not last.
    Connection(String),
    /// The client library refused: a parameter or a column of another type, an unexpected number of rows.
    Client(String),
    /// A stored row does not say what this program wrote.
    Inconsistent { table: &'static str, column: &'static str, row: String },
    /// A setting or an argument that cannot work; the text says what to do.
    Setting(String),
}

#[derive(Debug)]
struct Server {
    code: SqlState,
    message: String,
    hint: Option<String>,
    constraint: Option<String>,
}

impl Error {
    /// A stored row (named so that a person finds it) does not say what this program wrote into `table.column`.
    pub fn inconsistent(table: &'static str, column: &'static str, row: impl fmt::Display) -> Self {
        let cause = Cause::Inconsistent { table, column, row: row.to_string() };
        Self { doing: "reading a stored row", cause }
    }

    pub(crate) fn setting(doing: &'static str, what_to_do: impl Into<String>) -> Self {
        Self { doing, cause: Cause::Setting(what_to_do.into()) }
    }

    pub(crate) fn unavailable(doing: &'static str, why: impl Into<String>) -> Self {
        Self { doing, cause: Cause::Connection(why.into()) }
    }

    /// Names what was being done when the client library reported `error`.
    pub(crate) fn postgres(doing: &'static str, error: &tokio_postgres::Error) -> Self {
        let cause = match error.as_db_error() {
            Some(db) => Cause::Server(Box::new(Server::from(db))),
            None if is_broken(error) => Cause::Connection(chain(error)),
            None => Cause::Client(chain(error)),
        };
        Self { doing, cause }
    }

    /// A connection could not be made: whatever the server did not say itself is a matter of reaching it.
    pub(crate) fn connecting(error: &tokio_postgres::Error) -> Self {
        let cause = match error.as_db_error() {
            Some(db) => Cause::Server(Box::new(Server::from(db))),
            None => Cause::Connection(chain(error)),
        };
        Self { doing: "connecting to Postgres", cause }
    }

    pub(crate) fn pool(error: &PoolError) -> Self {
        let doing = "connecting to Postgres";
        match error {
            PoolError::Backend(error) => Self::connecting(error),
            PoolError::Timeout(TimeoutType::Wait) => {
                Self::unavailable("waiting for a free connection", "all of the pool are in use")
            }
            PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle) => {
                Self::unavailable(doing, "no answer in time")
            }
            PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                Self::unavailable(doing, error.to_string())
            }
        }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> Kind {
        match &self.cause {
            Cause::Server(server) => kind_of(&server.code),
            Cause::Connection(_) => Kind::Unavailable,
            Cause::Inconsistent { .. } => Kind::Inconsistent,
            Cause::Client(_) | Cause::Setting(_) => Kind::Other,
        }
    }

    /// True if the same work may succeed later without anybody's help.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind(), Kind::Unavailable | Kind::Retry)
    }

    /// SQLSTATE, if the server answered with an error.
    pub fn code(&self) -> Option<&str> {
        match &self.cause {
            Cause::Server(server) => Some(server.code.code()),
            Cause::Connection(_)
            | Cause::Client(_)
            | Cause::Inconsistent { .. }
            | Cause::Setting(_) => None,
        }
    }

    /// Name of the constraint that was violated, if that is what happened.
    pub fn constraint(&self) -> Option<&str> {
        match &self.cause {
            Cause::Server(server) => server.constraint.as_deref(),
            Cause::Connection(_)
            | Cause::Client(_)
            | Cause::Inconsistent { .. }
            | Cause::Setting(_) => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.doing)?;
        match &self.cause {
            Cause::Server(server) => server.fmt(f),
            Cause::Inconsistent { table, column, row } => {
                write!(f, "{table}.{column} of {row} does not say what was written there")
            }
            Cause::Connection(text) | Cause::Client(text) | Cause::Setting(text) => {
                f.write_str(text)
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<&DbError> for Server {
    fn from(db: &DbError) -> Self {
        Self {
            code: db.code().clone(),
            message: db.message().to_owned(),
            hint: db.hint().map(str::to_owned),
            constraint: db.constraint().map(str::to_owned),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {})", self.message, self.code.code())?;
        if let Some(hint) = advice(&self.code).or(self.hint.as_deref()) {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

/// Sorts an SQLSTATE. The classes are listed in Postgres's manual, appendix A.
fn kind_of(code: &SqlState) -> Kind {
    match code.code() {
        // serialization_failure, deadlock_detected, lock_not_available
        "40001" | "40P01" | "55P03" => Kind::Retry,
        // query_canceled (statement_timeout), statement_completion_unknown, idle_in_transaction_session_timeout,
        // read_only_sql_transaction (we talk to a standby, or the disk is being saved)
        "57014" | "40003" | "25P03" | "25006" => Kind::Unavailable,
        // restrict_violation (the append-only triggers), insufficient_privilege
        "23001" | "42501" => Kind::Refused,
        code if code.starts_with("28") => Kind::Refused, // wrong user or password
        // connection exception · insufficient resources · operator intervention · system error
        code if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => {
            Kind::Unavailable
        }
        _ => Kind::Other,
    }
}

/// What to do about errors whose own text does not say it.
fn advice(code: &SqlState) -> Option<&'static str> {
    match code.code() {
        "22023" | "42P01" | "3F000" => {
            Some("is the schema there? `tally migrate` makes it, and the roles")
        }
        "26000" | "42P05" => Some(
            "a connection pooler in transaction mode? Add pgbouncer=true to the connection URL",
        ),
        _ => None,
    }
}

/// True if the connection broke, as opposed to a parameter or a row of another shape than the program expects.
fn is_broken(error: &tokio_postgres::Error) -> bool {
    let cause = std::error::Error::source(error);
    error.is_closed() || cause.is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

/// The messages of an error and of its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, kind: Kind) {
        assert_eq!(kind_of(&SqlState::from_code(code)), kind, "{code}");
    }

    #[test]
    fn sqlstates_are_sorted_by_what_to_do() {
        for code in ["40001", "40P01", "55P03"] {
            check(code, Kind::Retry);
        }
        for code in
            ["08006", "53100", "53300", "57P01", "57P03", "57014", "58030", "25006", "25P03"]
        {
            check(code, Kind::Unavailable);
        }
        for code in ["23001", "42501", "28P01"] {
            check(code, Kind::Refused);
        }
        for code in ["23505", "42P01", "22P02", "XX000", "25P02"] {
            check(code, Kind::Other);
        }
    }

    #[test]
    fn an_inconsistent_row_is_named() {
        let error = Error::inconsistent("decision", "outcome", "tenant 1 position 7");
        assert_eq!(error.kind(), Kind::Inconsistent);
        assert!(error.to_string().contains("decision.outcome of tenant 1 position 7"), "{error}");
    }
}
