//! The page behind `type` and `doc_url`: what each code means, served by the same program that answers with it.

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::{Code, Problem};

const BASE: &str = "/v1/problems";

/// Where a code is explained, relative to the API.
pub(super) fn url(code: Code) -> String {
    format!("{BASE}/{}", code.as_str())
}

/// Routes that explain the codes, for whoever follows a `doc_url`. They need no key.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route(BASE, get(list)).route(&format!("{BASE}/{{code}}"), get(show))
}

async fn list() -> String {
    Code::ALL.iter().map(|code| line(*code)).collect()
}

async fn show(Path(code): Path<String>) -> Response {
    match Code::ALL.iter().find(|known| known.as_str() == code) {
        Some(code) => line(*code).into_response(),
        None => Problem::new(Code::NotFound).detail("There is no such code.").into_response(),
    }
}

fn line(code: Code) -> String {
    format!("{} {}: {}\n", code.status().as_u16(), code.as_str(), code.title())
}
