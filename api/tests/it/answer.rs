//! An answer, and what a test says of it.

use futures_util::future::{LocalBoxFuture, join, select_all};
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.bytes)))
    }

    /// The body of a success.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()
    }

    /// Checks that it is this refusal, and returns it.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str, param: Option<&str>) -> Value {
        let body = self.json();
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json", "{body}");
        let seen = (self.status.as_u16(), body["code"].as_str(), body["param"].as_str());
        assert_eq!(seen, (status, Some(code), param), "{body}");
        assert_eq!(body["status"], status);
        body
    }

    /// The body of a success with this status.
    #[track_caller]
    pub(crate) fn is(&self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()
    }

    /// Whether it says that it was given before.
    pub(crate) fn is_replayed(&self) -> bool {
        self.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
    }

    /// The ids of a list's rows.
    #[track_caller]
    pub(crate) fn ids(&self) -> Vec<String> {
        let rows = self.ok()["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// The answers to two acts on the same thing, sent at once: the winner's and the loser's.
///
/// Nothing is decided before one of them is answered. That one lost: it does not wait for a decision.
pub(crate) async fn contended(
    acts: [LocalBoxFuture<'_, Answer>; 2],
    decide: impl Future<Output = ()>,
) -> (Answer, Answer) {
    let (lost, _, mut waiting) = select_all(acts).await;
    let (won, ()) = join(waiting.remove(0), decide).await;
    (won, lost)
}
