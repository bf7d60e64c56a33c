//! One API call, and what it is answered.

use serde_json::Value;

use super::params::Params;
use super::refusal::Refusal;

/// What a kind of object answers: an object, or a list of them, in the newest shape.
pub(super) type Answer = Result<Value, Refusal>;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Delete,
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Of the path, such as `/v1/refunds/re_1`.
    pub(super) path: String,
    /// The form of a POST or the query of a GET, as a tree.
    pub(super) params: Value,
}

impl Call {
    /// Parts of the path below `/v1`, such as `refunds`, `re_1`.
    pub(super) fn parts(&self) -> Vec<&str> {
        self.path.trim_start_matches("/v1").split('/').filter(|part| !part.is_empty()).collect()
    }

    /// What was asked for, by name.
    pub(super) fn params(&self) -> Params<'_> {
        Params::of(&self.params)
    }

    /// There is no such URL.
    pub(super) fn unknown(&self) -> Refusal {
        Refusal::unknown_url(self.method, &self.path)
    }
}
