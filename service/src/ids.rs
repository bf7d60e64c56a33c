//! Ids that are made at the edge. What a rebuild must give again is derived instead (`ledger::ids`).

use std::fmt;

use jiff::Timestamp;
use rand::RngExt as _;
use uuid::Uuid;

/// What a request id begins with.
const REQUEST_PREFIX: &[u8; 4] = b"req_";

/// Letters after the prefix: 20 of 62 are 119 bits, so two requests never share one.
const REQUEST_RANDOM_LEN: usize = 20;

const REQUEST_ID_LEN: usize = REQUEST_PREFIX.len() + REQUEST_RANDOM_LEN;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A UUID of version 7: rows made later sort later, which keeps the indexes over them dense.
pub fn time_ordered(now: Timestamp) -> Uuid {
    // Time before 1970 does not occur outside of tests; it counts as 1970 there.
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid()
}

/// Id of one HTTP request (`req_…`), on its answer and in every log line about it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; REQUEST_ID_LEN]);

impl RequestId {
    /// A new one, random.
    pub fn random() -> Self {
        let mut text = [0; REQUEST_ID_LEN];
        let (prefix, random) = text.split_at_mut(REQUEST_PREFIX.len());
        prefix.copy_from_slice(REQUEST_PREFIX);
        let mut rng = rand::rng();
        random.fill_with(|| BASE62.get(rng.random_range(0..BASE62.len())).copied().unwrap_or(b'0'));
        Self(text)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("req_")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn later_ids_sort_later() {
        let early = Timestamp::from_second(1_700_000_000).unwrap();
        let late = early.checked_add(SignedDuration::from_millis(1)).unwrap();
        assert!(time_ordered(early) < time_ordered(late));
        assert_eq!(time_ordered(early).get_version_num(), 7);
    }

    #[test]
    fn request_ids_are_recognisable_and_differ() {
        let id = RequestId::random();
        assert!(id.as_str().starts_with("req_") && id.as_str().len() == 24, "{id}");
        assert!(id.as_str().chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{id}");
        assert_ne!(id, RequestId::random());
    }
}
