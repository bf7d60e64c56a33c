//! Delivering events as Stripe does: signed, over HTTP, following no redirect.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use serde::Deserialize;
use service::clock::Clock;
use stripe::signature::{Secret, sign};

/// Longest wait for an answer. Stripe's own is of this order.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How Stripe calls itself. Recorded with the event, never trusted.
const STRIPE_USER_AGENT: &str = "Stripe/1.0 (+https://stripe.com/docs/webhooks)";

/// Path of the webhook without a name.
const WEBHOOK_PATH: &str = "/v1/webhooks/stripe";

/// Whoever sends deliveries to one endpoint.
#[derive(Clone)]
pub(crate) struct Sender {
    http: reqwest::Client,
    url: String,
    secret: Secret,
    clock: Clock,
}

/// What an endpoint answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It stands at this position now.
    Stored(i64),
    /// It was there already, at this position.
    Duplicate(i64),
    /// Anything but 200 with such a body.
    Other(StatusCode),
}

/// The body of a 200.
#[derive(Deserialize)]
struct Received {
    status: String,
    position: i64,
}

impl Sender {
    /// A sender to `to`: an endpoint's URL, or that of the service, whose webhook without a name is meant then.
    pub(crate) fn new(to: &str, secret: Secret) -> anyhow::Result<Self> {
        let url = webhook_url(to)?;
        let http = http_client().context("setting up HTTP")?;
        Ok(Self { http, url, secret, clock: Clock::system() })
    }

    /// The endpoint's URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Delivers a body, signed now.
    pub(crate) async fn deliver(&self, body: Vec<u8>) -> Result<Answer, reqwest::Error> {
        let header = sign(&self.secret, self.clock.now().as_second(), &body);
        let response = self.post(body).header("stripe-signature", header).send().await?;
        let status = response.status();
        if status != StatusCode::OK {
            return Ok(Answer::Other(status));
        }
        Ok(match response.json().await {
            Ok(Received { status, position }) if status == "stored" => Answer::Stored(position),
            Ok(Received { status, position }) if status == "duplicate" => {
                Answer::Duplicate(position)
            }
            Ok(_) | Err(_) => Answer::Other(status),
        })
    }

    /// Delivers a body that nobody signed; how that is answered, and whether it leads elsewhere.
    pub(crate) async fn deliver_unsigned(&self) -> Result<StatusCode, reqwest::Error> {
        Ok(self.post(b"{}".to_vec()).send().await?.status())
    }

    fn post(&self, body: Vec<u8>) -> reqwest::RequestBuilder {
        let request = self.http.post(&self.url).header(USER_AGENT, STRIPE_USER_AGENT);
        request.header(CONTENT_TYPE, "application/json; charset=utf-8").body(body)
    }
}

/// A client that waits for a limited time and goes where it was sent, nowhere else.
pub(crate) fn http_client() -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().timeout(ANSWER_TIMEOUT);
    builder.redirect(reqwest::redirect::Policy::none()).build()
}

/// The endpoint that `to` means: itself, or the webhook without a name of the service there.
pub(crate) fn webhook_url(to: &str) -> anyhow::Result<String> {
    let url = reqwest::Url::parse(to).with_context(|| format!("reading the URL {to}"))?;
    let base = to.trim_end_matches('/');
    Ok(if url.path() == "/" { format!("{base}{WEBHOOK_PATH}") } else { to.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::webhook_url;

    #[test]
    fn the_url_of_the_service_means_its_webhook() {
        for (to, url) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1/webhooks/stripe"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1/webhooks/stripe"),
            ("https://example.com/hooks/eu", "https://example.com/hooks/eu"),
        ] {
            assert_eq!(webhook_url(to).unwrap(), url);
        }
        assert!(webhook_url("localhost").is_err());
    }
}
