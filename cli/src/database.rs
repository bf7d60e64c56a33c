//! The database of `up` and `demo`: the one that is given, or a private Postgres that lives as long as this process.

use std::path::PathBuf;

use anyhow::Context as _;
use private_postgres::{Options, Server};
use store::PgUrl;
use tokio::task::spawn_blocking;

/// The database that a private server has from the beginning.
const DATABASE: &str = "postgres";

/// A database to work on.
pub(crate) struct Database {
    /// Where it is.
    pub(crate) url: PgUrl,
    /// Stops when this is dropped, however this process ends.
    server: Option<Server>,
}

impl Database {
    /// One that somebody else sees to.
    pub(crate) fn given(url: &PgUrl) -> Self {
        Self { url: url.clone(), server: None }
    }

    /// A private one, with its data in this folder; `None`: nowhere that lasts.
    pub(crate) async fn private(data_dir: Option<PathBuf>) -> anyhow::Result<Self> {
        let options = Options { data_dir, ..Options::default() };
        let server = spawn_blocking(move || Server::start(&options)).await??;
        let url = PgUrl::parse(&server.url(DATABASE)).context("reading our own URL")?;
        Ok(Self { url, server: Some(server) })
    }

    /// Whether it is private.
    pub(crate) const fn is_private(&self) -> bool {
        self.server.is_some()
    }

    /// Stops it, if it is private.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        if let Some(server) = self.server {
            spawn_blocking(move || server.stop()).await??;
        }
        Ok(())
    }
}
