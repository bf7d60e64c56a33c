//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, Request, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tower::Service as _;

use super::{Limits, Peer, REQUEST_ID};
use crate::ids::RequestId;

const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("request-id");

/// How long a connection without a request may live on once its listener has stopped.
const LAST_CALL: Duration = Duration::from_secs(1);

/// What all connections of a listener share.
pub(super) struct Door {
    router: Router,
    builder: auto::Builder<TokioExecutor>,
    limits: Limits,
    stop: CancellationToken,
}

impl Door {
    pub(super) fn new(router: Router, limits: Limits, stop: CancellationToken) -> Self {
        Self { router, builder: limits.builder(), limits, stop }
    }

    /// Serves one connection until it ends, is too old, or the listener stops.
    pub(super) async fn attend(&self, stream: TcpStream, peer: SocketAddr) {
        // Answers are small and complete; waiting to fill a packet would only delay them. A socket that refuses the
        // option is about to fail anyway.
        let _unimportant = stream.set_nodelay(true);
        let asked = Arc::new(Notify::new());
        let service = service_fn(|request| {
            asked.notify_one();
            answer(self.router.clone(), request, peer)
        });
        let mut connection = pin!(self.builder.serve_connection(TokioIo::new(stream), service));

        // Until the first request is here there is nothing to finish, and hyper's own time-out does not cover the
        // bytes by which it tells HTTP/1 from HTTP/2, nor HTTP/2 at all.
        tokio::select! {
            _ended = connection.as_mut() => return,
            () = asked.notified() => {}
            () = tokio::time::sleep(self.limits.header_read_timeout) => return,
            () = self.last_call() => return,
        }
        tokio::select! {
            _ended = connection.as_mut() => return,
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(self.limits.connection_age_max) => {}
        }
        connection.as_mut().graceful_shutdown();
        // An error means that the client left or spoke no HTTP, an elapsed grace that it does not read its answer:
        // there is nobody to tell.
        let _ended = tokio::time::timeout(self.limits.grace, connection).await;
    }

    /// Ends some time after the listener stopped. A client that connected just before is about to ask; one that only
    /// keeps a connection in store would hold up the end of the process.
    async fn last_call(&self) {
        self.stop.cancelled().await;
        tokio::time::sleep(LAST_CALL).await;
    }
}

/// Gives the request its id and peer, and the answer its `Request-Id`.
async fn answer(
    mut router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Response, Infallible> {
    let id = RequestId::random();
    let is_last = may_be_smuggling(&request);
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(Peer(peer));
    let mut response = REQUEST_ID.scope(id, router.call(request)).await?;
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID_HEADER, value);
    }
    if is_last {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// Whether a proxy before us may have seen this request end elsewhere than we do. That takes a `Content-Length` beside a
/// `Transfer-Encoding`; hyper goes by the latter and hides the former, so every chunked request is suspected. Nothing
/// behind it on its connection is read as another request (RFC 9112, 6.3).
fn may_be_smuggling(request: &Request<Incoming>) -> bool {
    request.headers().contains_key(header::TRANSFER_ENCODING)
}
