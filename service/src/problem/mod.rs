//! Refusals of the API in one shape: RFC 9457, `application/problem+json`.
//!
//! A handler answers `Err(Problem::new(Code::UserNotFound).detail("…"))`. What happened inside goes to the log; only
//! `detail` reaches the client.

mod code;
mod reference;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};

pub use code::Code;
pub use reference::routes;

/// A refusal, with what helps the client to do better.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Problem {
    /// Which refusal.
    pub code: Code,
    /// What exactly is wrong with this request, in a sentence for the caller.
    pub detail: Option<String>,
    /// The parameter that it is about.
    pub param: Option<String>,
    /// When to come again, in seconds.
    pub retry_after_seconds: Option<u32>,
    /// Further members that this code has, such as `available`.
    pub members: Map<String, Value>,
}

/// The JSON object, in the order in which it is read best.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'a str>,
    doc_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(flatten)]
    members: &'a Map<String, Value>,
}

impl Problem {
    /// A refusal without particulars.
    pub fn new(code: Code) -> Self {
        Self { code, detail: None, param: None, retry_after_seconds: None, members: Map::new() }
    }

    /// Says what exactly is wrong.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Names the parameter that it is about.
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Says when to come again.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// Adds a member of its own, such as `available` to `insufficient_credits`.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let doc_url = reference::url(self.code);
        let request_id = crate::http::request_id();
        let body = Body {
            r#type: &doc_url,
            title: self.code.title(),
            status: status.as_u16(),
            code: self.code.as_str(),
            detail: self.detail.as_deref(),
            param: self.param.as_deref(),
            doc_url: &doc_url,
            request_id: request_id.as_ref().map(crate::ids::RequestId::as_str),
            members: &self.members,
        };
        // Strings, integers and a map with text keys: there is nothing here that could fail to be written.
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let content_type = HeaderValue::from_static("application/problem+json");
        let mut response = (status, [(header::CONTENT_TYPE, content_type)], json).into_response();
        for (name, value) in self.headers() {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl Problem {
    fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let retry = self.retry_after_seconds.map(|seconds| (header::RETRY_AFTER, seconds.into()));
        let challenge = (self.code.status() == StatusCode::UNAUTHORIZED)
            .then(|| (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        retry.into_iter().chain(challenge)
    }
}

/// Fallback of a router: nothing is served at this path.
pub async fn no_such_route() -> Problem {
    Problem::new(Code::NotFound).detail("Nothing is served at this path.")
}

/// Fallback of a router: the path is served, by another method.
pub async fn no_such_method() -> Problem {
    Problem::new(Code::MethodNotAllowed)
}

/// What a request gets whose handler panicked; the panic itself is in the log.
pub fn panicked() -> Response {
    Problem::new(Code::Internal).into_response()
}

#[cfg(test)]
mod tests;
