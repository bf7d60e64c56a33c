//! Every way in: the webhook, and what is pulled from Stripe's API ([`pull`]). Appends; decides nothing, so it cannot
//! lose anything by deciding wrongly.
//!
//! The way of a delivery:
//!
//! ```text
//! webhook   limits, raw bytes, signature             refused: 400 404 405 408 413 415
//! event     what the bytes say of themselves         bytes that are no event are events without a type
//! batcher   one per tenant: queue, append, answer    200 after commit; 503 when that is not sure
//! ```
//!
//! 2xx is a promise: Stripe never sends again what it was answered so. Therefore it is only said after the exact
//! bytes are committed, whatever is in them. Whether the client still waits does not matter: the handler may be dropped at
//! any instant, the append goes on in the batcher's own task.

mod answer;
mod batcher;
mod body;
mod config;
mod event;
pub mod pull;
mod rejections;
mod webhook;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use service::clock::Clock;
use service::http::{catch_panics, serve};
use service::shutdown::Shutdown;
use store::Store;
use store::notify::Notifier;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::batcher::Queue;
use crate::rejections::Rejections;

pub use config::{Config, ConfigError, Endpoint, Limits, Tenants};

/// What the rest of the process lends.
#[derive(Clone)]
pub struct Outside {
    /// The database, acting as `tally_ingest`. Each tenant uses one connection at a time, what pulls for it another, the
    /// trace of rejections one more.
    pub store: Store,
    /// Tells projectors that there is something to read.
    pub notifier: Notifier,
    /// The time.
    pub clock: Clock,
}

/// What all deliveries share.
struct Ingest {
    endpoints: HashMap<Option<String>, Endpoint>,
    queues: HashMap<i32, Queue>,
    rejections: Rejections,
    /// Bytes of bodies that may yet be held in memory.
    budget: Arc<Semaphore>,
    limits: Limits,
    clock: Clock,
}

/// The webhook's routes, without a fallback, so that they can share a listener with other routers. Starts the tasks
/// behind them; those end, with nothing left to do, once the last clone of the router is dropped.
pub fn router(
    config: Config,
    outside: &Outside,
    shutdown: &Shutdown,
) -> Result<Router, ConfigError> {
    config.check()?;
    let tenants = config.endpoints.iter().flat_map(|endpoint| endpoint.tenants.all());
    let mut queues = HashMap::new();
    for tenant_id in tenants {
        queues.entry(tenant_id).or_insert_with(|| {
            batcher::start(tenant_id, config.limits.queue_events_max, outside, shutdown)
        });
    }
    let webhook = post(webhook::default_endpoint).fallback(webhook::other_method);
    let mut routes = Router::new().route("/v1/webhooks/stripe", webhook.clone()).route(
        "/v1/webhooks/stripe/{endpoint}",
        post(webhook::named_endpoint).fallback(webhook::other_method),
    );
    if config.alias_root {
        routes = routes.route("/", webhook);
    }
    let ingest = Ingest {
        queues,
        rejections: rejections::start(outside, shutdown),
        budget: Arc::new(Semaphore::new(config.limits.body_bytes_in_memory_max)),
        limits: config.limits,
        clock: outside.clock.clone(),
        endpoints: config.endpoints.into_iter().map(|one| (one.name.clone(), one)).collect(),
    };
    Ok(catch_panics(routes.with_state(Arc::new(ingest)), webhook::panicked))
}

/// Serves the webhook alone on `listener` until the drain begins, and ends when all is answered.
pub async fn run(
    listener: TcpListener,
    config: Config,
    outside: &Outside,
    limits: service::http::Limits,
    shutdown: &Shutdown,
) -> Result<(), ConfigError> {
    let router = router(config, outside, shutdown)?.fallback(webhook::other_path);
    serve(listener, router, limits, shutdown.token()).await;
    Ok(())
}
