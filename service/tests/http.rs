//! The server against real sockets: what a stranger may do to it, and how it drains.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use axum::routing::get;
use service::http::{Limits, Peer, catch_panics, log_requests, serve};
use service::problem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n";
const SHORT: Duration = Duration::from_millis(50);

/// A listener at work, and what ends it.
struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(router: Router, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve(listener, router, limits, stop.clone()));
        Self { address, stop, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Everything that comes back for `bytes` until the server closes.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        read_to_close(&mut stream).await
    }
}

async fn read_to_close(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // The server may still have unread bytes of ours when it closes, which shows as a reset.
    match stream.read_to_end(&mut text).await {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn hello() -> Router {
    let router = Router::new()
        .route("/", get(async |Extension(Peer(peer)): Extension<Peer>| peer.ip().to_string()))
        .route("/panic", get(async || -> &'static str { panic!("on purpose") }))
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(axum::middleware::from_fn(log_requests));
    catch_panics(router, problem::panicked)
}

fn hasty() -> Limits {
    Limits { header_read_timeout: SHORT, ..Limits::default() }
}

#[tokio::test]
async fn every_reply_has_a_request_id_and_problems_name_it() {
    let server = Running::start(hello(), Limits::default()).await;
    let url = |path| format!("http://{}{path}", server.address);
    let client = reqwest::Client::new();

    let reply = client.get(url("/")).send().await.unwrap();
    assert!(reply.headers()["request-id"].to_str().unwrap().starts_with("req_"));
    assert_eq!(reply.text().await.unwrap(), "127.0.0.1");

    for (reply, status, code) in [
        (client.get(url("/nowhere")).send().await.unwrap(), 404, "not_found"),
        (client.post(url("/")).send().await.unwrap(), 405, "method_not_allowed"),
        (client.get(url("/panic")).send().await.unwrap(), 500, "internal"),
    ] {
        assert_eq!(reply.status().as_u16(), status);
        let id = reply.headers()["request-id"].to_str().unwrap().to_owned();
        let body: serde_json::Value = reply.json().await.unwrap();
        assert_eq!((body["code"].as_str(), body["request_id"].as_str()), (Some(code), Some(&*id)));
    }
}

#[tokio::test]
async fn http_2_is_spoken_without_being_asked_over_tls() {
    let server = Running::start(hello(), Limits::default()).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let reply = client.get(format!("http://{}/", server.address)).send().await.unwrap();
    assert_eq!(reply.version(), http::Version::HTTP_2);
    assert_eq!(reply.status(), 200);
}

#[tokio::test]
async fn whoever_does_not_finish_its_headers_is_closed() {
    let server = Running::start(hello(), hasty()).await;
    for beginning in [
        &b""[..],
        b"G",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"PRI * HT",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let text = server.exchange(beginning).await;
        assert!(!text.contains("200 OK"), "{text}");
    }
    // An idle connection is closed as well, after its answer.
    assert!(server.exchange(REQUEST).await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn headers_are_bounded_in_size_and_number() {
    let server = Running::start(hello(), hasty()).await;
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(33 * 1024));
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: a\r\n".repeat(101));
    for request in [long, many] {
        let text = server.exchange(request.as_bytes()).await;
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 431"), "{text}");
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let limits = Limits { connections_max: 1, header_read_timeout: SHORT, ..Limits::default() };
    let server = Running::start(hello(), limits).await;
    let idle = server.connect().await;
    // Answered all the same, when the idle one has had its time.
    assert!(server.exchange(REQUEST).await.starts_with("HTTP/1.1 200 OK"));
    drop(idle);
}

#[tokio::test]
async fn an_old_connection_is_closed_after_its_answer() {
    let limits = Limits { connection_age_max: Duration::ZERO, ..Limits::default() };
    let server = Running::start(hello(), limits).await;
    let text = server.exchange(REQUEST).await;
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
}

#[tokio::test]
async fn a_drain_finishes_what_is_under_way_and_accepts_no_more() {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inside, go) = (Arc::clone(&entered), Arc::clone(&leave));
    let slow = async move || {
        inside.notify_one();
        go.notified().await;
        "finished"
    };
    let server = Running::start(Router::new().route("/", get(slow)), Limits::default()).await;
    let mut busy = server.connect().await;
    busy.write_all(REQUEST).await.unwrap();
    entered.notified().await;
    // Connected, but silent until the drain has begun: it may still ask once.
    let mut late = server.connect().await;

    server.stop.cancel();
    late.write_all(REQUEST).await.unwrap();
    entered.notified().await;
    leave.notify_waiters();
    for stream in [&mut busy, &mut late] {
        assert!(read_to_close(stream).await.ends_with("finished"));
    }
    server.task.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_drain_does_not_wait_for_ever() {
    let limits = Limits { grace: SHORT, ..Limits::default() };
    let entered = Arc::new(Notify::new());
    let inside = Arc::clone(&entered);
    let stuck = async move || -> &'static str {
        inside.notify_one();
        std::future::pending().await
    };
    let server = Running::start(Router::new().route("/", get(stuck)), limits).await;
    let mut stream = server.connect().await;
    stream.write_all(REQUEST).await.unwrap();
    entered.notified().await;
    server.stop.cancel();
    server.task.await.unwrap();
}
