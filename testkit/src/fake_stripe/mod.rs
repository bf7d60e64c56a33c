//! A fake Stripe: an HTTP server that answers API calls, keeps state, and delivers signed webhooks with Stripe's habits.
//!
//! It answers what the trigger fixtures of Stripe's own CLI ask for, and what follows from it; a URL that it does not
//! know is answered with 404 as Stripe does. Objects are kept in the newest shape and are taken back, change by change,
//! to the shape of the API version that they are told in. Payment methods decide how a payment ends: `pm_card_visa`
//! pays, `pm_card_createDispute` is disputed, `pm_card_refundFail` fails to be refunded, and so on.
//!
//! | module | what |
//! |---|---|
//! | `settings` | where it listens, to whom it delivers, with which habits |
//! | `server` | HTTP: who asks, in which version, and whether it was asked before |
//! | `call`, `form`, `params`, `refusal` | a call, its bracketed form, and why it is refused |
//! | `idempotency`, `lists`, `expand` | what all calls have in common |
//! | `world`, `told` | everything that is known, and the events that tell of it |
//! | `objects` | one file for each kind of object |
//! | `versions` | the shapes of older API versions |
//! | `delivery`, `wire` | webhooks: signed, tried again, told twice, out of order |

mod call;
mod delivery;
mod expand;
mod form;
mod idempotency;
mod lists;
mod objects;
mod params;
mod refusal;
mod server;
mod settings;
mod told;
mod versions;
mod wire;
mod world;

use std::sync::Arc;

use reqwest::Url;
use serde_json::Value;
use tokio::task::AbortHandle;

pub use delivery::Attempt;
pub use settings::{Endpoint, Habits, LIVE_PAUSES_SECONDS, Settings, TEST_PAUSES_SECONDS};

use delivery::Postman;
use server::Shared;

/// The secret key with which [`FakeStripe::get`] and [`FakeStripe::post`] ask. Any other one will do as well.
pub const API_KEY: &str = "sk_test_fake_stripe_accepts_any_key";

/// How the API is asked.
const FORM: &str = "application/x-www-form-urlencoded";

/// A fake Stripe that serves until it is dropped.
#[derive(Debug)]
pub struct FakeStripe {
    url: String,
    shared: Arc<Shared>,
    client: reqwest::Client,
    serving: AbortHandle,
}

impl FakeStripe {
    /// Starts to serve.
    ///
    /// # Panics
    /// If the address is taken.
    pub async fn start(settings: Settings) -> Self {
        Self::try_start(settings).await.expect("the fake Stripe's address is free")
    }

    /// Starts to serve, unless the address is taken.
    pub async fn try_start(settings: Settings) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(&settings.listen).await?;
        let address = listener.local_addr()?;
        let client = delivery::client();
        let postman = Postman::new(&settings, client.clone());
        let shared = Arc::new(Shared::new(&settings, postman));
        let router = server::router(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        let url = format!("http://{address}");
        Ok(Self { url, shared, client, serving: serving.abort_handle() })
    }

    /// Where it listens, such as `http://127.0.0.1:49152`: the value for `STRIPE_API_BASE`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What a POST with this form answers, such as `post("/v1/refunds", &[("charge", "ch_1")])`.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let url: Url = format!("{}{path}", self.url).parse().expect("the path is part of a URL");
        let mut spelled = url.clone();
        spelled.query_pairs_mut().extend_pairs(form);
        let body = spelled.query().unwrap_or_default().to_owned();
        let request = self.client.post(url).header("content-type", FORM).body(body);
        self.answer(request).await
    }

    /// What a GET answers, such as `get("/v1/events?type=charge.refunded")`.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn get(&self, path: &str) -> Value {
        self.answer(self.client.get(format!("{}{path}", self.url))).await
    }

    /// Waits until every event that was told so far was accepted by every endpoint or given up.
    pub async fn settled(&self) {
        self.shared.postman.settled().await;
    }

    /// Every try to deliver so far, in the order in which they ended.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.shared.postman.attempts()
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Value {
        let answer = request.bearer_auth(API_KEY).send().await.expect("the fake Stripe answers");
        let status = answer.status();
        let body: Value = answer.json().await.expect("it answers with JSON");
        assert!(status.is_success(), "the fake Stripe refused with {status}: {body:#}");
        body
    }
}

impl Drop for FakeStripe {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
