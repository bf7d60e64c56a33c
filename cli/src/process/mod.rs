//! A running process: its listeners, the services of its roles behind them, and how it ends.
//!
//! The admin listener opens first and closes last, so that whoever watches the process sees it wait for its database, be
//! ready, and drain. Everything else ends when the drain begins, within [`DRAIN_MAX`].

mod plan;
mod role;
mod services;
pub(crate) mod tenants;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use service::admin::{self, Readiness};
use service::http::{Limits, serve};
use service::shutdown::{DRAIN_MAX, Shutdown};
use service::telemetry::Metrics;
use store::Store;
use store::notify::Listener;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) use plan::Plan;
pub(crate) use role::Role;
use services::Services;
use tenants::Served;

/// First pause while the database cannot be reached; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Longest such pause: a database that comes back is used within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A process that was started.
pub(crate) struct Running {
    /// Where it serves the public, if it does.
    pub(crate) public: Option<SocketAddr>,
    /// Where it serves its operator.
    pub(crate) admin: SocketAddr,
    admin_task: JoinHandle<()>,
    admin_stop: CancellationToken,
    /// Hints reach the projector as long as this lives.
    listener: Option<Listener>,
}

/// Starts what is planned. Returns when it serves, or when the shutdown began before it could.
pub(crate) async fn start(plan: &Plan, shutdown: &Shutdown) -> anyhow::Result<Running> {
    let public = if plan.is_public() { Some(bind(plan.listen).await?) } else { None };
    let admin = bind(plan.admin_listen).await?;
    let services = Services::connect(plan)?;
    let metrics = Metrics::install()?;
    metrics.keep(shutdown);

    let is_started = Arc::new(AtomicBool::new(false));
    let readiness = readiness(shutdown, services.any(), &is_started);
    let admin_stop = CancellationToken::new();
    let mut running = Running {
        public: public.as_ref().map(TcpListener::local_addr).transpose()?,
        admin: admin.local_addr()?,
        admin_task: tokio::spawn(serve(
            admin,
            admin::router(readiness, metrics),
            Limits::default(),
            admin_stop.clone(),
        )),
        admin_stop,
        listener: None,
    };
    let Some(served) = await_database(plan, &services, shutdown).await? else {
        return Ok(running);
    };
    let started = services.start(plan, &served, shutdown)?;
    running.listener = started.listener;
    if let Some(listener) = public {
        let router: Router = started.router;
        let stop = shutdown.token();
        shutdown.spawn("public listener", serve(listener, router, Limits::default(), stop));
    }
    is_started.store(true, Ordering::Relaxed);
    Ok(running)
}

impl Running {
    /// Waits for the shutdown to begin, then for everything to end.
    pub(crate) async fn end(self, shutdown: &Shutdown) -> anyhow::Result<()> {
        shutdown.token().cancelled().await;
        let drained = shutdown.drained(DRAIN_MAX).await;
        drop(self.listener);
        self.admin_stop.cancel();
        self.admin_task.await.context("the admin listener failed")?;
        Ok(drained?)
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("listening at {address} (is another process there? TALLY_LISTEN and TALLY_ADMIN_LISTEN say where)")
    })
}

fn readiness(shutdown: &Shutdown, store: &Store, is_started: &Arc<AtomicBool>) -> Readiness {
    let (store, is_started) = (store.clone(), Arc::clone(is_started));
    Readiness::new(shutdown)
        .check("start", move || {
            let verdict = if is_started.load(Ordering::Relaxed) {
                Ok(())
            } else {
                Err("starting".to_owned())
            };
            async move { verdict }
        })
        .check("database", move || {
            let store = store.clone();
            async move { store.check_running().await.map_err(|error| error.to_string()) }
        })
}

/// Waits until the database answers and has all that is to be there at the start, and refuses one that this program may not
/// work on. None if the shutdown began before. A database that goes away in the middle is waited for again.
async fn await_database(
    plan: &Plan,
    services: &Services,
    shutdown: &Shutdown,
) -> anyhow::Result<Option<Vec<Served>>> {
    let mut pause = FIRST_PAUSE;
    while !shutdown.has_begun() {
        match prepare(plan, services).await {
            Ok(served) => return Ok(Some(served)),
            Err(error) if is_transient(&error) => {
                tracing::warn!(%error, "waiting for the database: {error}");
                shutdown.token().run_until_cancelled(tokio::time::sleep(pause)).await;
                pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The tenants that are served, once the database has what the configuration says of them.
async fn prepare(plan: &Plan, services: &Services) -> anyhow::Result<Vec<Served>> {
    services.any().check().await?;
    let served = tenants::find(plan, services.any()).await?;
    services.prepare(plan, &served).await?;
    Ok(served)
}

fn is_transient(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<store::Error>());
    causes.any(store::Error::is_transient)
}
