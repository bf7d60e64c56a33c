//! What a handler can fail with: a refusal that the caller may read, or a fault that only the log may.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use service::problem::{Code, Problem};

/// Seconds after which to come again when the database cannot serve.
const RETRY_AFTER_SECONDS: u32 = 2;

/// Why a handler gives no answer of its own.
#[derive(Debug)]
pub(crate) enum RouteError {
    /// The request is refused; the problem says why.
    Refused(Problem),
    /// The database failed; the text stays inside. Of a look-up that several wait for, it is told to each.
    Store(Arc<store::Error>),
}

impl From<Problem> for RouteError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<store::Error> for RouteError {
    fn from(error: store::Error) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<Arc<store::Error>> for RouteError {
    fn from(error: Arc<store::Error>) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for RouteError {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(problem) => problem.into_response(),
            Self::Store(error) if error.is_transient() => {
                tracing::warn!(%error, "answered 503: the database cannot serve");
                Problem::new(Code::Unavailable).retry_after(RETRY_AFTER_SECONDS).into_response()
            }
            Self::Store(error) => {
                tracing::error!(%error, "answered 500: the database refused what it should not");
                Problem::new(Code::Internal).into_response()
            }
        }
    }
}

/// A parameter has a value that it cannot have.
pub(crate) fn invalid(param: impl Into<String>, detail: impl Into<String>) -> Problem {
    Problem::new(Code::ParameterInvalid).param(param).detail(detail)
}

/// A parameter is missing.
pub(crate) fn missing(param: impl Into<String>) -> Problem {
    let param = param.into();
    let detail = format!("{param} is required.");
    Problem::new(Code::ParameterMissing).param(param).detail(detail)
}

/// A parameter that this operation does not know.
pub(crate) fn unknown(param: impl Into<String>) -> Problem {
    let param = param.into();
    let detail = format!("{param} is not a parameter of this operation.");
    Problem::new(Code::ParameterUnknown).param(param).detail(detail)
}
