//! Opening one connection: TLS, login, and the settings of its role, all within the pool's time limit.

use std::pin::Pin;

use deadpool_postgres::Connect;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Opens the connections of a pool.
pub(super) struct Opener {
    pub(super) tls: MakeRustlsConnect,
    /// Statements that make each new session act as its role; empty behind a pooler in transaction mode.
    pub(super) settings: String,
}

type Opening<'a> =
    Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + 'a>>;

impl Connect for Opener {
    fn connect(&self, config: &Config) -> Opening<'_> {
        let config = config.clone();
        Box::pin(async move {
            let (client, connection) = config.connect(self.tls.clone()).await?;
            let task = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    // Whoever used it has the error as well; this tells of connections that nobody used.
                    tracing::debug!(%error, "a connection to Postgres ended");
                }
            });
            client.batch_execute(&self.settings).await?;
            Ok((client, task))
        })
    }
}
