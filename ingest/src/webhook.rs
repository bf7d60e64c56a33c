//! `POST /v1/webhooks/stripe[/{endpoint}]`: limits, signature, queue, answer.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use service::http::{Peer, request_id};
use store::log::Appended;
use stripe::signature::{SignatureError, Tolerance, verify};

use crate::Ingest;
use crate::answer::{Refusal, outcome, received};
use crate::body::{self, Held, is_announced_too_large};
use crate::config::Endpoint;
use crate::event::{Authentic, new_event};
use crate::rejections::Refused;

const SIGNATURE: HeaderName = HeaderName::from_static("stripe-signature");

/// The endpoint without a name.
pub(crate) async fn default_endpoint(
    State(ingest): State<Arc<Ingest>>,
    request: Request,
) -> Response {
    ingest.answer(ingest.endpoints.get(&None), request).await
}

/// An endpoint by its name.
pub(crate) async fn named_endpoint(
    State(ingest): State<Arc<Ingest>>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // A name that is no text is nobody's.
    let endpoint = name.ok().and_then(|Path(name)| ingest.endpoints.get(&Some(name)));
    ingest.answer(endpoint, request).await
}

/// Fallback of the endpoints' paths.
pub(crate) async fn other_method(request: Request) -> Response {
    refuse(Refusal::MethodNotAllowed, peer_of(&request))
}

/// Fallback of a listener that serves nothing else.
pub(crate) async fn other_path(request: Request) -> Response {
    refuse(Refusal::NotFound, peer_of(&request))
}

/// What a delivery gets whose handler panicked: it may not be stored, and is to come again.
pub(crate) fn panicked() -> Response {
    refuse(Refusal::NotStored, None)
}

/// A delivery while it is looked at.
struct Delivery<'a> {
    endpoint: &'a Endpoint,
    headers: HeaderMap,
    peer: Option<SocketAddr>,
    /// The bytes, once they are read.
    bytes: Option<Bytes>,
}

impl Ingest {
    async fn answer(&self, endpoint: Option<&Endpoint>, request: Request) -> Response {
        let peer = peer_of(&request);
        let Some(endpoint) = endpoint else { return refuse(Refusal::NotFound, peer) };
        let (head, body) = request.into_parts();
        let mut delivery = Delivery { endpoint, headers: head.headers, peer, bytes: None };
        match self.receive(&mut delivery, body).await {
            Ok(appended) => {
                count(outcome(appended));
                received(appended)
            }
            Err(refusal) => {
                self.trace(&delivery, refusal);
                refuse(refusal, peer)
            }
        }
    }

    /// Answers `Ok` if and only if the event is committed.
    async fn receive(&self, delivery: &mut Delivery<'_>, body: Body) -> Result<Appended, Refusal> {
        // What the headers alone decide, before anything is read.
        if is_encoded(&delivery.headers) {
            return Err(Refusal::BodyEncoded);
        }
        if is_announced_too_large(&body) {
            return Err(Refusal::BodyTooLarge);
        }
        let signature = signature(&delivery.headers).map_err(Refusal::Signature)?.clone();

        let reading = body::read(body, &self.budget);
        let Held { bytes, share } = tokio::time::timeout(self.limits.body_timeout, reading)
            .await
            .map_err(|_elapsed| Refusal::BodyTimeout)??;
        delivery.bytes = Some(bytes.clone());

        let received_at = self.clock.now();
        let (header, secrets) = (signature.as_bytes(), &delivery.endpoint.secrets);
        verify(header, &bytes, secrets, received_at.as_second(), Tolerance::STANDARD)
            .map_err(Refusal::Signature)?;

        let (tenant_id, event) = new_event(Authentic {
            endpoint: delivery.endpoint,
            headers: &delivery.headers,
            signature: &signature,
            peer: delivery.peer,
            received_at,
            body: bytes,
        });
        let queue = self.queues.get(&tenant_id).ok_or(Refusal::NotStored)?;
        let answered = queue.push(event, share)?;
        match tokio::time::timeout(self.limits.answer_timeout, answered).await {
            Ok(Ok(appended)) => Ok(appended),
            Ok(Err(_)) | Err(_) => Err(Refusal::NotStored),
        }
    }

    fn trace(&self, delivery: &Delivery<'_>, refusal: Refusal) {
        let Some(reason) = refusal.traced_as() else { return };
        self.rejections.note(&Refused {
            tenant_id: delivery.endpoint.tenants.tenant_of(None),
            reason,
            endpoint: delivery.endpoint.name.as_deref(),
            headers: &delivery.headers,
            peer: delivery.peer,
            body: delivery.bytes.as_deref(),
        });
    }
}

/// The one place where a refusal is counted, logged and answered.
fn refuse(refusal: Refusal, peer: Option<SocketAddr>) -> Response {
    count(refusal.as_str());
    let request_id = request_id().map(tracing::field::display);
    let peer = peer.map(|peer| tracing::field::display(peer.ip()));
    let status = refusal.status().as_u16();
    if refusal.status().is_server_error() {
        tracing::warn!(request_id, peer, status, "delivery not stored: {refusal}");
    } else {
        tracing::info!(request_id, peer, status, "delivery refused: {refusal}");
    }
    refusal.into_response()
}

fn count(outcome: &'static str) {
    metrics::counter!("tally_ingest_requests_total", "outcome" => outcome).increment(1);
}

fn peer_of(request: &Request) -> Option<SocketAddr> {
    request.extensions().get::<Peer>().map(|peer| peer.0)
}

/// Whether the body is not what was signed but a coding of it.
fn is_encoded(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::CONTENT_ENCODING).into_iter();
    codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// The one signature header. Of two, nobody could say which one counts.
fn signature(headers: &HeaderMap) -> Result<&HeaderValue, SignatureError> {
    let mut found = headers.get_all(SIGNATURE).into_iter();
    match (found.next(), found.next()) {
        (None, _) => Err(SignatureError::NoHeader),
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(SignatureError::MalformedHeader),
    }
}
