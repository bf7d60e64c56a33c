//! The admin listener: is the process alive, is it ready, what does it count. Never on the public address.
//!
//! `/livez` never touches the database: a database that is down is no reason to kill the process. `/readyz` asks
//! everything that a request would need. `/healthz` is its alias for platforms that know only one path.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::future::join_all;
use http::{StatusCode, header};

use crate::problem;
use crate::shutdown::Shutdown;
use crate::telemetry::Metrics;

/// How long a check may take; a slower one counts as failed.
const CHECK_MAX: Duration = Duration::from_secs(2);

type Verdict = Result<(), String>;
type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Verdict> + Send>> + Send + Sync>;

/// What has to be right before this process should get requests.
#[derive(Clone)]
pub struct Readiness {
    shutdown: Shutdown,
    checks: Vec<(&'static str, Check)>,
}

#[derive(Clone)]
struct Admin {
    readiness: Readiness,
    metrics: Metrics,
}

impl Readiness {
    /// Ready as long as the process is not draining.
    pub fn new(shutdown: &Shutdown) -> Self {
        Self { shutdown: shutdown.clone(), checks: Vec::new() }
    }

    /// Adds a check. Its error is shown to whoever asks the admin listener, so it holds no secret.
    #[must_use]
    pub fn check<F, R>(mut self, name: &'static str, check: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.checks.push((name, Arc::new(move || Box::pin(check()))));
        self
    }

    /// Every check with its verdict, all asked at once.
    async fn verdicts(&self) -> Vec<(&'static str, Verdict)> {
        let draining = if self.shutdown.has_begun() { Err("draining".to_owned()) } else { Ok(()) };
        let asked = self.checks.iter().map(|(name, check)| async move {
            let verdict = tokio::time::timeout(CHECK_MAX, check())
                .await
                .unwrap_or_else(|_elapsed| Err(format!("no answer within {CHECK_MAX:?}")));
            (*name, verdict)
        });
        let mut verdicts = vec![("process", draining)];
        verdicts.extend(join_all(asked).await);
        verdicts
    }
}

/// The routes of the admin listener.
pub fn router(readiness: Readiness, metrics: Metrics) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/healthz", get(ready))
        .route("/metrics", get(render_metrics))
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .with_state(Admin { readiness, metrics })
}

/// 200 `ok`, or 503 and what is wrong; `?verbose` lists what is right as well.
async fn ready(State(admin): State<Admin>, RawQuery(query): RawQuery) -> Response {
    let verdicts = admin.readiness.verdicts().await;
    let is_ready = verdicts.iter().all(|(_, verdict)| verdict.is_ok());
    let is_verbose = query.is_some_and(|query| query.split('&').any(is_verbose));
    let lines = verdicts.iter().filter_map(|(name, verdict)| match verdict {
        Ok(()) if is_verbose => Some(format!("[+] {name} ok\n")),
        Ok(()) => None,
        Err(reason) => Some(format!("[-] {name} failed: {reason}\n")),
    });
    let mut text: String = lines.collect();
    text.push_str(if is_ready { "ok\n" } else { "not ready\n" });
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, text).into_response()
}

fn is_verbose(parameter: &str) -> bool {
    parameter == "verbose" || parameter.starts_with("verbose=")
}

async fn render_metrics(State(admin): State<Admin>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], admin.metrics.render())
}
