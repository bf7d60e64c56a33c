//! Which pages of other origins may read what users may (CORS). Without a list there is none.

use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, ETAG, IF_NONE_MATCH, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method};
use reqwest::Url;
use tower_http::cors::{AllowOrigin, CorsLayer};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// How long a browser may remember what it was allowed. Browsers cut it to two hours or less.
const REMEMBERED: Duration = Duration::from_hours(1);

/// Origins whose pages may read.
#[derive(Clone, Debug, Default)]
pub struct Origins(Arc<[HeaderValue]>);

impl Origins {
    /// Reads a list, comma separated. Each is an origin exactly as a browser sends it; no patterns.
    pub fn parse(list: &str) -> Result<Self, String> {
        list.split(',').map(str::trim).map(origin).collect::<Result<_, _>>().map(Self)
    }

    /// The origins, as they were said.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|origin| origin.to_str().ok())
    }

    /// What answers preflights and marks answers that these origins may read; `None` if there are none. It lets nothing be
    /// written, and no cookie along.
    pub(crate) fn layer(&self) -> Option<CorsLayer> {
        if self.0.is_empty() {
            return None;
        }
        let origins = Arc::clone(&self.0);
        let is_read =
            |method: &Method| [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
        let allowed = AllowOrigin::predicate(move |origin, request| {
            is_read(&request.method) && origins.contains(origin)
        });
        Some(
            CorsLayer::new()
                .allow_origin(allowed)
                .allow_methods([Method::GET])
                .allow_headers([AUTHORIZATION, IF_NONE_MATCH, LAST_EVENT_ID])
                .expose_headers([ETAG, REQUEST_ID, RETRY_AFTER])
                .max_age(REMEMBERED),
        )
    }
}

fn origin(text: &str) -> Result<HeaderValue, String> {
    let url = Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    let exact = url.map(|url| url.origin().ascii_serialization());
    // A star is a letter of host names to some, and a pattern to whoever writes it here.
    let exact = exact.filter(|exact| exact == text && !exact.contains('*'));
    exact.and_then(|exact| HeaderValue::from_str(&exact).ok()).ok_or_else(|| {
        format!("{text} is no origin as browsers send it, such as https://app.example.com")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_said_exactly() {
        let list = "https://app.example.com, http://localhost:5173";
        let origins = Origins::parse(list).unwrap();
        assert_eq!(origins.names().collect::<Vec<_>>().join(", "), list);
        for text in [
            "",
            "*",
            "null",
            "app.example.com",
            "https://*.example.com",
            "https://app.example.com/",
            "https://app.example.com:443",
            "HTTPS://app.example.com",
            "https://App.example.com",
            "file:///",
            "https://a.example,",
        ] {
            assert!(Origins::parse(text).is_err(), "{text}");
        }
        assert!(Origins::default().layer().is_none());
    }
}
