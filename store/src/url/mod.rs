//! The address of a database, as libpq writes it, read once for every client that we use.
//!
//! The libraries read the same URL differently: `tokio-postgres` fails on keys that it does not know and on
//! `sslmode=verify-full`, `sqlx` takes `require` for "any certificate". Here the keys are given one meaning, libpq's,
//! with a stricter default: without `sslmode`, a server that is not on this host must prove who it is.

mod parse;
mod sqlx;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use tokio_postgres::Config;
use tokio_postgres::config::Host;

pub use parse::UrlError;

/// A parsed connection URL. Its text forms never show the password.
#[derive(Clone)]
pub struct PgUrl {
    config: Config,
    tls: Tls,
    root_certificates: Option<PathBuf>,
    pooled: bool,
    warnings: Vec<String>,
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Plain text: a Unix socket, a loopback address, or `sslmode=disable`.
    Off,
    /// `allow` and `prefer`: encrypted if the server can, and nobody checks who it is.
    IfOffered,
    /// `require` without `sslrootcert`: encrypted, and nobody checks who it is.
    Unverified,
    /// `verify-ca`, and `require` with `sslrootcert`: encrypted, the certificate's issuer is checked.
    Issuer,
    /// `verify-full`: encrypted, the certificate's issuer and its host name are checked.
    Full,
}

impl PgUrl {
    /// Reads `postgres://user:password@host:port/database?key=value` and libpq's variants of it.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        parse::parse(text)
    }

    /// How the connection is protected.
    pub fn tls(&self) -> Tls {
        self.tls
    }

    /// True if a pooler in transaction mode is in between: the URL says `pgbouncer=true`, or its host is one of the
    /// known hosted poolers. Nothing that belongs to a session outlives a transaction there.
    pub fn is_pooled(&self) -> bool {
        self.pooled
    }

    /// What deserves a line in the log at start: keys that were ignored, protection that is weaker than it looks.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Name of the database, if the URL has one.
    pub fn database(&self) -> Option<&str> {
        self.config.get_dbname()
    }

    /// The same address for `sqlx`, which reads URLs in its own way: the first host, the protection said in full. It holds
    /// the password; never log it.
    pub fn expose_for_sqlx(&self) -> String {
        sqlx::write(self)
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// File of the certificates that are trusted instead of the bundled ones.
    pub(crate) fn root_certificates(&self) -> Option<&Path> {
        self.root_certificates.as_deref()
    }
}

impl fmt::Display for PgUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        for (n, host) in self.config.get_hosts().iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}")?,
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
            if let Some(port) = self.config.get_ports().get(n) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for PgUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgUrl")
            .field("server", &self.to_string())
            .field("tls", &self.tls)
            .field("pooled", &self.pooled)
            .finish_non_exhaustive()
    }
}
