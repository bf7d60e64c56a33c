//! Layers that a router may want. Neither is on by itself: a router chooses what its requests cost.

use std::any::Any;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use crate::clock::Clock;

/// Answers a panicking request with `answer` instead of cutting its connection. The panic itself is logged by the
/// hook that `telemetry::init_logs` sets.
pub fn catch_panics<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    answer: fn() -> Response,
) -> Router<S> {
    router.layer(CatchPanicLayer::custom(move |_panic: Box<dyn Any + Send>| answer()))
}

/// Middleware that puts the request's id on every log line written while it is answered, and writes one line when it
/// is. The route is logged, not the path: paths hold what users are called.
pub async fn log_requests(request: Request, next: Next) -> Response {
    let clock = Clock::system();
    let begun = clock.mark();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("(no route)", MatchedPath::as_str);
    let id = super::request_id();
    let id = id.as_ref().map_or("", crate::ids::RequestId::as_str);
    let span = tracing::info_span!("http.request", request_id = id);
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    let elapsed = clock.mark().saturating_duration_since(begun);
    let _entered = span.enter();
    tracing::info!(%method, route, status, ?elapsed, "{method} {route} answered {status}");
    response
}
