//! The app's servers: they ask any of the processes that serve the API.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::Value;

use super::operation::{Answer, Ask};
use crate::cluster::{Cluster, RETRY_PAUSE};

/// Longest wait for an answer; a process that is killed gives none.
const ANSWER_MAX: Duration = Duration::from_secs(12);

/// The problem that says that the same key is under way elsewhere.
const IN_FLIGHT: &str = "idempotency_key_in_flight";

/// Connections of its own to all processes.
#[derive(Clone)]
pub(super) struct App {
    http: Client,
    key: String,
    addresses: Vec<SocketAddr>,
}

impl App {
    /// Over HTTP/1.1, as most do.
    pub(super) async fn new(cluster: &Cluster) -> Self {
        Self::over(Client::builder(), cluster).await
    }

    /// Over HTTP/2: one connection for many requests at once.
    pub(super) async fn multiplexed(cluster: &Cluster) -> Self {
        Self::over(Client::builder().http2_prior_knowledge(), cluster).await
    }

    async fn over(builder: reqwest::ClientBuilder, cluster: &Cluster) -> Self {
        let http = builder.timeout(ANSWER_MAX).build().unwrap();
        Self { http, key: cluster.key().await, addresses: cluster.addresses_of("api") }
    }

    /// Asks once, one of the processes; none if the answer does not say what became of it.
    pub(super) async fn try_ask(
        &self,
        process: usize,
        (user, ask): (&str, &Ask),
        key: &str,
    ) -> Option<Answer> {
        let body = ask.body();
        let answer = self.send(process, &ask.path(user), key, body.as_ref()).await?;
        assert!(answer.status != 500 && answer.status != 401, "{answer:?} to {ask:?}");
        let is_in_flight = || answer.body.contains(IN_FLIGHT);
        let says_nothing = answer.status == 503 || (answer.status == 409 && is_in_flight());
        (!says_nothing).then_some(answer)
    }

    /// Asks until the answer says what became of it.
    pub(super) async fn ask(&self, process: usize, asked: (&str, &Ask), key: &str) -> Answer {
        let mut process = process;
        loop {
            if let Some(answer) = self.try_ask(process, asked, key).await {
                return answer;
            }
            process += 1;
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    async fn send(
        &self,
        process: usize,
        path: &str,
        key: &str,
        body: Option<&Value>,
    ) -> Option<Answer> {
        let address = self.addresses[process % self.addresses.len()];
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let request = self.http.request(method, format!("http://{address}{path}"));
        let mut request = request.bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.header("idempotency-key", key).json(body);
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let is_repeated = response.headers().contains_key("idempotent-replayed");
        // It may be cut off, which is no answer either.
        let body = response.text().await.ok()?;
        Some(Answer { status, is_repeated, body })
    }
}
