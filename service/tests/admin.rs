//! The admin listener's answers.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use http::Request;
use service::admin::{self, Readiness};
use service::shutdown::Shutdown;
use service::telemetry::Metrics;
use tower::ServiceExt as _;

async fn get(router: &Router, path: &str) -> (u16, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn readiness_follows_its_checks_and_the_drain_but_liveness_neither() {
    let (shutdown, works) = (Shutdown::new(), Arc::new(AtomicBool::new(false)));
    let seen = Arc::clone(&works);
    let readiness = Readiness::new(&shutdown).check("database", move || {
        let works = seen.load(Ordering::SeqCst);
        async move { if works { Ok(()) } else { Err("not reachable".to_owned()) } }
    });
    let router = admin::router(readiness, Metrics::install().unwrap());

    let failed = "[-] database failed: not reachable\nnot ready\n".to_owned();
    assert_eq!(get(&router, "/readyz").await, (503, failed.clone()));
    assert_eq!(get(&router, "/healthz").await, (503, failed));
    assert_eq!(get(&router, "/livez").await, (200, "ok\n".to_owned()));

    works.store(true, Ordering::SeqCst);
    assert_eq!(get(&router, "/readyz").await, (200, "ok\n".to_owned()));
    let all = "[+] process ok\n[+] database ok\nok\n".to_owned();
    assert_eq!(get(&router, "/readyz?verbose").await, (200, all));

    shutdown.begin();
    assert_eq!(get(&router, "/readyz").await.0, 503);
    assert_eq!(get(&router, "/livez").await.0, 200);
}

#[tokio::test]
async fn metrics_are_rendered_with_buckets() {
    let metrics = Metrics::install().unwrap();
    metrics::counter!("tally_test_total", "outcome" => "fine").increment(2);
    metrics::histogram!("tally_test_seconds").record(0.003);
    let router = admin::router(Readiness::new(&Shutdown::new()), metrics);
    let (status, text) = get(&router, "/metrics").await;
    assert_eq!(status, 200);
    assert!(text.contains("tally_test_total{outcome=\"fine\"} 2"), "{text}");
    assert!(text.contains("tally_test_seconds_bucket{le=\"0.005\"} 1"), "{text}");
}
