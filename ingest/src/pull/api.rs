//! One GET of Stripe's API, within limits.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use secrecy::ExposeSecret as _;

use super::failure::{Failure, RetryAfter};
use super::{Access, Limits, PullError};

/// The version in which Stripe is to answer, whatever the account's own one is. What reads the answers reads the shapes of
/// every version; this one keeps them from changing by themselves.
pub(super) const STRIPE_VERSION: &str = "2026-10-28.endive";

/// Names this program to Stripe.
const USER_AGENT: &str = concat!("tally/", env!("CARGO_PKG_VERSION"));

const VERSION_HEADER: HeaderName = HeaderName::from_static("stripe-version");
const ACCOUNT_HEADER: HeaderName = HeaderName::from_static("stripe-account");

/// Longest wait for the connection, which is a part of the whole.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest time that the other side may ask to be left alone for: whatever it says, it is asked again the same hour.
const RETRY_AFTER_MAX: SignedDuration = SignedDuration::from_mins(10);

/// The way to Stripe's API with one key.
pub(super) struct Api {
    client: Client,
    base: String,
    limits: Limits,
}

impl Api {
    pub(super) fn new(access: &Access, limits: Limits) -> Result<Self, PullError> {
        let bearer = format!("Bearer {}", access.key.expose_secret());
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| PullError::Key)?;
        bearer.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, bearer),
            (VERSION_HEADER, HeaderValue::from_static(STRIPE_VERSION)),
        ]);
        let client = Client::builder()
            .default_headers(headers)
            .user_agent(USER_AGENT)
            // The key goes nowhere but to the base.
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(limits.timeout)
            .build()?;
        Ok(Self { client, base: access.base.trim_end_matches('/').to_owned(), limits })
    }

    /// Most bytes of one answer.
    pub(super) const fn body_bytes_max(&self) -> usize {
        self.limits.body_bytes_max
    }

    /// The bytes at this path, of this Connect account if one is named, and the time that Stripe says it is.
    pub(super) async fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
        account: Option<&str>,
    ) -> Result<(Bytes, Option<Timestamp>), Failure> {
        let mut request = self.client.get(format!("{}{path}", self.base)).query(query);
        if let Some(account) = account {
            request = request.header(ACCOUNT_HEADER, account);
        }
        let response = request.send().await.map_err(no_answer)?;
        if response.status() != StatusCode::OK {
            return Err(refusal(&response));
        }
        let said_at = date(&response);
        Ok((self.body(response).await?, said_at))
    }

    /// The exact bytes, no more of them than allowed.
    async fn body(&self, mut response: Response) -> Result<Bytes, Failure> {
        let mut body = BytesMut::new();
        while let Some(piece) = response.chunk().await.map_err(no_answer)? {
            if body.len().saturating_add(piece.len()) > self.limits.body_bytes_max {
                return Err(Failure::TooLarge);
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }
}

/// What an answer without an object means.
fn refusal(response: &Response) -> Failure {
    let status = response.status();
    let code = status.as_u16();
    match status {
        StatusCode::UNAUTHORIZED => Failure::Unauthorized,
        StatusCode::FORBIDDEN => Failure::Forbidden,
        StatusCode::NOT_FOUND => Failure::NotFound,
        StatusCode::TOO_MANY_REQUESTS => Failure::Throttled(retry_after(response)),
        // To Stripe 409 means that somebody else works on the object, 424 that a bank does not answer.
        StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::FAILED_DEPENDENCY => {
            Failure::Broken(code, retry_after(response))
        }
        _ if status.is_server_error() => Failure::Broken(code, retry_after(response)),
        _ if status.is_redirection() => Failure::Redirected(code),
        _ => Failure::Refused(code),
    }
}

/// `Retry-After` in seconds; a date is not understood, as Stripe sends none.
fn retry_after(response: &Response) -> RetryAfter {
    let seconds: u32 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(SignedDuration::from_secs(seconds.into()).min(RETRY_AFTER_MAX))
}

/// `Date`: Stripe's clock, which its events go by as well.
fn date(response: &Response) -> Option<Timestamp> {
    let date = response.headers().get(DATE)?.to_str().ok()?;
    rfc2822::DateTimeParser::new().parse_timestamp(date).ok()
}

fn no_answer(error: reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::TimedOut;
    }
    // The library's own text ends where it becomes interesting; without the address, which the key tells.
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    Failure::Unreachable(text)
}
