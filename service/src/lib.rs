//! What each process needs: clock, shutdown, telemetry, an HTTP server with limits, health and metrics.
//!
//! Nothing here knows what a credit or a webhook is. A process is built from it in this order: [`telemetry`]
//! first, a [`shutdown::Shutdown`] that listens for signals, its own tasks and [`http::serve`] under that, and an
//! [`admin`] listener that outlives them, so that `/readyz` can say "draining" until the end.

pub mod admin;
pub mod clock;
pub mod http;
pub mod ids;
pub mod problem;
pub mod shutdown;
pub mod telemetry;
