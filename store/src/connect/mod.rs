//! Connections: a pool per process, each connection acting as the process's role.
//!
//! A connection never carries state from one borrower to the next. Settings are made once, when it is opened; whatever a
//! transaction sets, it sets with `SET LOCAL`; and a transaction that is dropped in the middle sends its ROLLBACK before
//! the connection goes back ([`crate::tx::Tx`]). So connections are reused without a reset. Behind a pooler in
//! transaction mode a session outlives nothing at all: there each transaction makes the settings anew, and no statement
//! is prepared.

mod check;
mod open;
mod role;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::Config;

use crate::error::Error;
use crate::statement::{Connection, Link};
use crate::url::PgUrl;

pub(crate) use check::STATEMENTS;
use open::Opener;
use role::Plans;
pub use role::Role;
pub(crate) use tls::connector;

/// Longest wait for a new connection, unless the URL's `connect_timeout` says otherwise. A caller of ours has an answer
/// after two seconds even if nothing listens there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Longest wait for a connection of the pool that is in use.
const POOL_WAIT_TIMEOUT: Duration = Duration::from_secs(2);

/// Silence after which the other side is asked whether it is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);

/// Time between two such questions.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// Unanswered questions after which the connection is given up.
const KEEPALIVE_RETRIES: u32 = 3;

/// How long sent bytes may stay unacknowledged: a cut cable shows after this time, not after a quarter of an hour.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);

/// The database as one process sees it. Cheap to clone; all clones share the pool.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    session: Arc<Session>,
    allow_unsafe_settings: bool,
}

/// What the connections of a pool have in common.
struct Session {
    role: Role,
    /// Behind a pooler in transaction mode: the settings that each transaction makes anew.
    each_transaction: Option<String>,
}

/// A connection, borrowed from the pool until it is dropped.
pub struct Client {
    inner: deadpool_postgres::Client,
    session: Arc<Session>,
}

impl Store {
    /// Makes a pool of at most `pool_size` connections that act as `role`. Nothing is opened yet, so a process can start
    /// while the database is down; it heals by itself.
    pub fn connect(url: &PgUrl, role: Role, pool_size: usize) -> Result<Self, Error> {
        Self::connect_with(url, role, Plans::Fresh, pool_size)
    }

    /// The same, for the reads that are asked for most: their plans are kept, which otherwise would take most of their
    /// time. Only for statements that say that they can be planned once for all.
    pub fn connect_for_reads(url: &PgUrl, role: Role, pool_size: usize) -> Result<Self, Error> {
        Self::connect_with(url, role, Plans::Kept, pool_size)
    }

    fn connect_with(
        url: &PgUrl,
        role: Role,
        plans: Plans,
        pool_size: usize,
    ) -> Result<Self, Error> {
        let config = client_config(url, role.application_name());
        let opening = config.get_connect_timeout().copied();
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let (settings, each_transaction) = if url.is_pooled() {
            (String::new(), Some(role.settings(plans, "SET LOCAL")))
        } else {
            (role.settings(plans, "SET"), None)
        };
        let opener = Opener { tls: connector(url)?, settings };
        let pool = Pool::builder(Manager::from_connect(config, opener, recycling))
            .max_size(pool_size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(POOL_WAIT_TIMEOUT))
            .create_timeout(opening)
            .build();
        let pool = pool.map_err(|error| Error::setting("making the pool", error.to_string()))?;
        let session = Arc::new(Session { role, each_transaction });
        Ok(Self { pool, session, allow_unsafe_settings: false })
    }

    /// Lets [`Store::check`] pass a server that may lose what it acknowledged: for tests, which throw it away anyway.
    #[must_use]
    pub fn allow_unsafe_settings(self) -> Self {
        Self { allow_unsafe_settings: true, ..self }
    }

    /// Whom this store acts as.
    pub fn role(&self) -> Role {
        self.session.role
    }

    /// A connection; opens one if none is free and the pool is not full, else waits for a limited time.
    pub async fn get(&self) -> Result<Client, Error> {
        let inner = self.pool.get().await.map_err(|error| Error::pool(&error))?;
        Ok(Client { inner, session: Arc::clone(&self.session) })
    }
}

impl Client {
    /// Whether the server, or the way to it, is gone. Only what was noticed so far.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// The text that begins a transaction, with the settings that it needs.
    pub(crate) fn begin(&self) -> String {
        let settings = self.session.each_transaction.as_deref().unwrap_or_default();
        format!("BEGIN ISOLATION LEVEL READ COMMITTED; {settings}")
    }
}

impl Connection for Client {
    fn link(&self) -> Link<'_> {
        let each_transaction = self.session.each_transaction.is_some();
        Link {
            client: &self.inner,
            cache: (!each_transaction).then_some(&self.inner.statement_cache),
            begin: each_transaction.then(|| self.begin()),
            order: None,
        }
    }
}

/// The library's settings for `url`, with our limits.
pub(crate) fn client_config(url: &PgUrl, application_name: &str) -> Config {
    let mut config = url.config().clone();
    let connect_timeout = config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT);
    config
        .application_name(application_name)
        .connect_timeout(connect_timeout)
        .keepalives_idle(KEEPALIVE_IDLE)
        .keepalives_interval(KEEPALIVE_INTERVAL)
        .keepalives_retries(KEEPALIVE_RETRIES)
        .tcp_user_timeout(TCP_USER_TIMEOUT);
    config
}
