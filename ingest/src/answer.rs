//! What a sender is told: the whole list. Never a redirect, 410, 429 or 500: to Stripe these mean other things than to us.

use std::fmt;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use store::log::Appended;
use store::rejected::Reason;
use stripe::signature::SignatureError;

/// When to come again after 503, in seconds. Spread, so that those who were refused together do not return together.
const RETRY_AFTER_SECONDS: std::ops::RangeInclusive<u16> = 5..=30;

/// Why a delivery is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The signature does not vouch for it. The sender is not told why.
    Signature(SignatureError),
    /// No endpoint has that name, or no route that path.
    NotFound,
    /// Deliveries come by POST.
    MethodNotAllowed,
    /// The body did not come in time.
    BodyTimeout,
    /// The body ended before its end, or its framing is broken.
    BodyIncomplete,
    /// The body is larger than [`crate::body::BYTES_MAX`].
    BodyTooLarge,
    /// The body is compressed; what Stripe signs is what it sends, and it sends it plain.
    BodyEncoded,
    /// Too much is waiting already.
    Overloaded,
    /// It may be stored or not. Sent again, it is stored once.
    NotStored,
}

impl Refusal {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Signature(_) | Self::BodyIncomplete => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyEncoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Overloaded | Self::NotStored => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// `error` in the answer, and `outcome` in the metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Signature(_) => "invalid_signature",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::BodyTimeout => "body_timeout",
            Self::BodyIncomplete => "body_incomplete",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyEncoded => "body_encoded",
            Self::Overloaded => "overloaded",
            Self::NotStored => "not_stored",
        }
    }

    /// How the trace of rejected deliveries calls it, if it is one that leaves a trace.
    pub(crate) fn traced_as(self) -> Option<Reason> {
        match self {
            Self::Signature(error) => Some(match error {
                SignatureError::NoHeader => Reason::NoHeader,
                SignatureError::MalformedHeader => Reason::MalformedHeader,
                SignatureError::BadTime => Reason::BadTime,
                SignatureError::OutsideTolerance => Reason::OutsideTolerance,
                SignatureError::NoMatchingSignature => Reason::NoMatch,
                SignatureError::TooManySignatures => Reason::TooManySignatures,
            }),
            Self::BodyTooLarge => Some(Reason::TooLarge),
            Self::BodyEncoded => Some(Reason::EncodedBody),
            Self::NotFound
            | Self::MethodNotAllowed
            | Self::BodyTimeout
            | Self::BodyIncomplete
            | Self::Overloaded
            | Self::NotStored => None,
        }
    }
}

/// For the log, where the reason behind an invalid signature is told.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Signature(error) = self { error.fmt(f) } else { f.write_str(self.as_str()) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = json(self.status(), format!(r#"{{"error":"{}"}}"#, self.as_str()));
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = rand::random_range(RETRY_AFTER_SECONDS);
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// `status` in the answer, and `outcome` in the metrics.
pub(crate) fn outcome(appended: Appended) -> &'static str {
    match appended {
        Appended::Stored(_) => "stored",
        Appended::Duplicate(_) => "duplicate",
    }
}

/// The promise: these bytes, or an earlier delivery of the same event, are committed.
pub(crate) fn received(appended: Appended) -> Response {
    let (status, pos) = (outcome(appended), appended.pos());
    json(StatusCode::OK, format!(r#"{{"received":true,"status":"{status}","position":{pos}}}"#))
}

fn json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body)
        .into_response()
}
