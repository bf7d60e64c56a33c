//! The API's description of itself: an `OpenAPI` 3.1 document made from the code, and a page to read it on.
//!
//! ```text
//! auth::Operation   the table: method, path, role, scope        the router is built from it as well
//! describe          what each operation is, in words            a match without a gap
//! objects           what is read and answered                   schemas are derived where each object is defined
//! words, texts      lists of words, limits of texts             taken from the code that checks them
//! outside           what needs no key                           Stripe's deliveries, problems, this
//! ```
//!
//! `schemas/openapi.json` is the document as it is checked in; a test compares them, and another holds every answer that the
//! API's tests get, and every body that it accepts, against the document.

mod describe;
mod description;
mod document;
mod outside;
mod page;
mod problem;
pub(crate) mod shapes;
pub(crate) mod texts;
pub(crate) mod words;

use std::sync::LazyLock;

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::{HeaderValue, header};

use document::Document;

/// The document, as it is served and checked in.
static JSON: LazyLock<String> = LazyLock::new(|| {
    // Texts, integers and maps with text keys: there is nothing here that could fail to be written.
    let json = serde_json::to_string_pretty(&Document::new()).unwrap_or_default();
    format!("{json}\n")
});

/// The document in JSON.
pub fn openapi() -> &'static str {
    &JSON
}

/// Routes to the document and to its page. They need no key.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/openapi.json", get(json)).route("/docs", get(html))
}

async fn json() -> Response {
    let content_type = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, content_type)], openapi()).into_response()
}

async fn html() -> Response {
    let page = page::page();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, page.policy.clone()),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (headers, page.html.as_str()).into_response()
}
