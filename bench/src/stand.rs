//! What every benchmark stands on: a Postgres, a database with our schema, a tenant, and the users who will buy.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use private_postgres::{Options as ServerOptions, Server};
use service::clock::Clock;
use store::log::{MAX_BATCH_EVENTS, NewEvent, append};
use store::projection::slots;
use store::statement::{Statement, execute};
use store::tenant;
use store::{PgUrl, Role, Store};

use crate::purchases::Purchases;
use crate::service::{Service, run};
use crate::{Options, purchases};

/// Connections of the private server: 64 of pgbench beside ours. Everything else is Postgres's default.
const CONNECTIONS_MAX: &str = "200";

/// Connections of this process.
const POOL_SIZE: usize = 4;

/// Longest time that a backlog may take.
const DRAIN_MAX: Duration = Duration::from_mins(20);

/// How often is looked whether it is drained: each look takes some milliseconds from whoever drains.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Events of what was sold before anything is measured.
const SOLD_BEFORE: usize = 6_000;

const ANALYZE: Statement =
    Statement { sql: "-- bench.analyze\nANALYZE", params: &[], columns: &[] };

const CHECKPOINT: Statement =
    Statement { sql: "-- bench.checkpoint\nCHECKPOINT", params: &[], columns: &[] };

/// A database that is ready for events.
pub(crate) struct Stand {
    pub(crate) url: String,
    pub(crate) clock: Clock,
    store: Store,
    tenant_id: i32,
    program: PathBuf,
    // Last: what is connected to it ends before.
    server: Option<Server>,
}

impl Stand {
    /// Starts a private Postgres unless a database is given, and makes the schema and the tenant there.
    pub(crate) async fn make(options: &Options) -> anyhow::Result<Self> {
        let (server, url) = if let Some(url) = &options.database_url {
            (None, url.clone())
        } else {
            let settings = vec![("max_connections".to_owned(), CONNECTIONS_MAX.to_owned())];
            let server = ServerOptions { settings, ..ServerOptions::default() };
            let server = tokio::task::spawn_blocking(move || Server::start(&server)).await??;
            let url = server.url("postgres");
            (Some(server), url)
        };
        if migrations::version(&url).await?.is_some() {
            bail!("the database holds a schema `tally` already; name an empty database");
        }
        let program = options.program.clone();
        run(&program, &url, &["migrate"]).await?;
        let store = Store::connect(&PgUrl::parse(&url)?, Role::Login, POOL_SIZE)?;
        let tenants = tenant::list(&store.get().await?).await?;
        let tenant = tenants.iter().find(|tenant| !tenant.livemode);
        let tenant_id = tenant.context("`tally migrate` made no tenant in test mode")?.tenant_id;
        Ok(Self { url, clock: Clock::system(), store, tenant_id, program, server })
    }

    /// Makes a shop that has been open for a while: its price and users are known, some have bought, and the planner
    /// has its statistics, which autovacuum would bring within the first minute.
    pub(crate) async fn open_shop(&self, events: &mut Purchases) -> anyhow::Result<()> {
        let now = self.now();
        self.append_all(purchases::known_before(now).map(Ok)).await?;
        let sold = events.by_ref().take(SOLD_BEFORE);
        self.append_all(sold.map(|body| purchases::delivered(now, body))).await?;
        let projector = self.serve("projector").await?;
        self.drained().await?;
        projector.kill().await?;
        self.execute(&ANALYZE).await
    }

    /// Makes an app whose users are known and have nothing yet.
    pub(crate) async fn open_app(&self) -> anyhow::Result<()> {
        self.append_all(purchases::known_before(self.now()).map(Ok)).await?;
        let projector = self.serve("projector").await?;
        self.drained().await?;
        projector.kill().await?;
        self.execute(&ANALYZE).await
    }

    /// A key of the API for the app's server.
    pub(crate) async fn app_key(&self) -> anyhow::Result<String> {
        let arguments = ["keys", "create", "--role", "app", "--name", "benchmark"];
        Ok(run(&self.program, &self.url, &arguments).await?.trim().to_owned())
    }

    /// Starts a process of one role.
    pub(crate) async fn serve(&self, role: &str) -> anyhow::Result<Service> {
        Service::start(&self.program, &self.url, role).await
    }

    /// Appends events in batches, as ingest does under load.
    pub(crate) async fn append_all(
        &self,
        events: impl Iterator<Item = anyhow::Result<NewEvent>>,
    ) -> anyhow::Result<()> {
        let mut events = events.peekable();
        while events.peek().is_some() {
            let batch: Vec<NewEvent> =
                events.by_ref().take(MAX_BATCH_EVENTS).collect::<anyhow::Result<_>>()?;
            let _stored = append(&self.store, self.tenant_id, &batch).await?;
        }
        Ok(())
    }

    /// Waits until every event is decided.
    pub(crate) async fn drained(&self) -> anyhow::Result<()> {
        let looking = async {
            let client = self.store.get().await?;
            while !slots::pending(&client, self.tenant_id).await?.is_empty() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Ok(())
        };
        let drained = tokio::time::timeout(DRAIN_MAX, looking).await;
        drained.unwrap_or_else(|_elapsed| bail!("the backlog was not drained in {DRAIN_MAX:?}"))
    }

    /// Runs a statement for its effect.
    pub(crate) async fn execute(&self, statement: &Statement) -> anyhow::Result<()> {
        execute(&self.store.get().await?, statement, &[]).await?;
        Ok(())
    }

    /// Writes everything out, so that no turn pays for what the one before it left behind.
    pub(crate) async fn checkpoint(&self) -> anyhow::Result<()> {
        self.execute(&CHECKPOINT).await
    }

    /// The one tenant.
    pub(crate) fn tenant_id(&self) -> i32 {
        self.tenant_id
    }

    /// The server's first process, if the server is ours.
    pub(crate) fn server_pid(&self) -> Option<u32> {
        self.server.as_ref().and_then(Server::pid)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
