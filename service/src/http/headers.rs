//! Headers that are read in more than one place.

use http::HeaderMap;

/// Length of a `traceparent` of version 00: `00-<32 hex>-<16 hex>-<2 hex>`.
const TRACEPARENT_LEN: usize = 55;

/// The W3C trace context that came with a request, if it has the form of one. It is handed on as text.
pub fn traceparent(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = text.split('-');
    let mut part = |len: usize| {
        parts.next().is_some_and(|part| part.len() == len && part.bytes().all(is_lower_hex))
    };
    let well_formed = text.len() == TRACEPARENT_LEN && part(2) && part(32) && part(16) && part(2);
    well_formed.then_some(text)
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, accepted: bool) {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", text.parse().unwrap());
        assert_eq!(traceparent(&headers), accepted.then_some(text));
    }

    #[test]
    fn only_the_form_of_a_trace_context_is_handed_on() {
        check("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true);
        check("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false);
        check("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", false);
        check("00-0af7651916cd43dd8448eb211c80319c0b7ad6b7169203331-011", false);
        check("", false);
    }
}
