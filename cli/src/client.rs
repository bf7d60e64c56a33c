//! The API as a command sees it: a base URL, a key, JSON in and out.

use std::fmt;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::{Method, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;

/// Longest wait for an answer: longer than any operation waits for a decision.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// On the answer to whoever asks for what was done before.
const REPLAYED: &str = "idempotent-replayed";

/// The API, asked with one key.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    key: SecretString,
}

/// What the API refused, and why.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Status of the answer.
    pub(crate) status: StatusCode,
    problem: Problem,
}

/// The members of a problem that a person wants to read; a proxy's answer has none of them.
#[derive(Debug, Default, Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    request_id: Option<String>,
}

impl Client {
    /// Whoever asks the service at `base` with this key.
    pub(crate) fn new(base: &str, key: SecretString) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(ANSWER_TIMEOUT).build();
        let http = http.context("setting up HTTP")?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), key })
    }

    /// The object at `path`, which begins with `/v1/`.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::GET, path, None, None).await
    }

    /// Puts an object; what stands there then.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(Method::PUT, path, Some(body), None).await
    }

    /// Has something done; what came of it.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(Method::POST, path, Some(body), None).await
    }

    /// Has something done once, however often it is asked for under this key; what came of it.
    pub(crate) async fn post_once(
        &self,
        path: &str,
        body: &Value,
        idempotency_key: &str,
    ) -> anyhow::Result<Value> {
        self.ask(Method::POST, path, Some(body), Some(idempotency_key)).await
    }

    /// Has something made that is made once; whether it was there already.
    pub(crate) async fn make(
        &self,
        path: &str,
        body: &Value,
        idempotency_key: Option<&str>,
    ) -> anyhow::Result<bool> {
        let answer = self.send(Method::POST, path, Some(body), idempotency_key).await?;
        Ok(answer.headers().contains_key(REPLAYED))
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        idempotency_key: Option<&str>,
    ) -> anyhow::Result<Value> {
        let doing = || format!("{method} {}{path}", self.base);
        let answer = self.send(method.clone(), path, body, idempotency_key).await?;
        answer.json().await.with_context(doing)
    }

    /// Sends a request; the answer, if it is no refusal.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        idempotency_key: Option<&str>,
    ) -> anyhow::Result<Response> {
        let doing = || format!("{method} {}{path}", self.base);
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
        request = request.bearer_auth(self.key.expose_secret());
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await.with_context(doing)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let problem = response.json().await.unwrap_or_default();
        Err(anyhow::Error::from(Refused { status, problem }).context(doing()))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { title, detail, request_id } = &self.problem;
        let what = detail.as_ref().or(title.as_ref()).map_or("no reason was given", String::as_str);
        write!(f, "{what} (HTTP {}", self.status.as_u16())?;
        if let Some(request_id) = request_id {
            write!(f, ", {request_id}")?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for Refused {}
