//! An HTTP server that a stranger cannot exhaust.
//!
//! `axum::serve` has no time-out for headers, no bound on connections and no age at which one ends, so the accept loop
//! is our own. It gives every request an id and the address of the other side, and drains without cutting an answer
//! short. What hyper answers by itself, before any router (400 for what is no HTTP, 431 for headers that are too many
//! or too long), has no body.

mod connection;
mod headers;
mod layers;
mod limits;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::FutureExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::ids::RequestId;

pub use headers::traceparent;
pub use layers::{catch_panics, log_requests};
pub use limits::Limits;

/// Pause after an accept that failed for want of file descriptors or memory, so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

tokio::task_local! {
    static REQUEST_ID: RequestId;
}

/// Address of the other side, as an extension of every request. Recorded, never trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Id of the request that the current task answers, if it answers one. Tasks that a handler spawns have none.
pub fn request_id() -> Option<RequestId> {
    REQUEST_ID.try_with(|id| *id).ok()
}

/// Serves `router` until `stop` is cancelled, then accepts no more, lets what is under way finish, and returns. The
/// drain is bounded by `limits`.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let connections = TaskTracker::new();
    let door = Arc::new(connection::Door::new(router, limits, stop.clone()));
    let admit = |stream: TcpStream, peer: SocketAddr, place| {
        let door = Arc::clone(&door);
        connections.spawn(async move {
            door.attend(stream, peer).await;
            drop(place);
        });
    };
    while let Some(Ok(place)) = stop.run_until_cancelled(Arc::clone(&places).acquire_owned()).await
    {
        match stop.run_until_cancelled(listener.accept()).await {
            Some(Ok((stream, peer))) => admit(stream, peer, place),
            Some(Err(error)) => recover(&error, &stop).await,
            None => break,
        }
    }
    // Whoever is in the backlog believes to be connected; closing the listener would reset them.
    while let (Ok(place), Some(Ok((stream, peer)))) =
        (Arc::clone(&places).try_acquire_owned(), listener.accept().now_or_never())
    {
        admit(stream, peer, place);
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// An accept fails because the other side left, which is its affair, or because this machine lacks something.
async fn recover(error: &io::Error, stop: &CancellationToken) {
    let left =
        matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset);
    if !left {
        tracing::warn!(%error, "cannot accept connections (is the limit of open files too low?)");
        stop.run_until_cancelled(tokio::time::sleep(ACCEPT_PAUSE)).await;
    }
}
