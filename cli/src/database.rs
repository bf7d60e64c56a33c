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
    /// The same as text, if it is private: there is no password in it, the server knows who connects.
    pub(crate) private_url: Option<String>,
    /// Whether its data lasts.
    is_kept: bool,
    /// Stops when this is dropped, however this process ends.
    server: Option<Server>,
}

impl Database {
    /// One that somebody else sees to.
    pub(crate) fn given(url: &PgUrl) -> Self {
        Self { url: url.clone(), private_url: None, is_kept: true, server: None }
    }

    /// A private one, with its data in this folder; `None`: nowhere that lasts.
    pub(crate) async fn private(data_dir: Option<PathBuf>) -> anyhow::Result<Self> {
        let is_kept = data_dir.is_some();
        let options = Options { data_dir, ..Options::default() };
        let server = spawn_blocking(move || Server::start(&options)).await??;
        let text = server.url(DATABASE);
        let url = PgUrl::parse(&text).context("reading our own URL")?;
        Ok(Self { url, private_url: Some(text), is_kept, server: Some(server) })
    }

    /// Stops it, if it is private. Data that is thrown away is not written to disk first.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let Some(mut server) = self.server else { return Ok(()) };
        let is_kept = self.is_kept;
        spawn_blocking(move || if is_kept { server.stop() } else { server.kill() }).await??;
        Ok(())
    }
}
