//! `Idempotency-Key`, and what it stands for: the same key with the same request is the same command.

use http::{HeaderMap, Method};
use serde::Serialize;
use service::problem::{Code, Problem};
use sha2::{Digest as _, Sha256};
use store::commands::IdempotencyKey;

/// The header.
const NAME: &str = "idempotency-key";

/// Longest key, in characters, as at Stripe. All of them are ASCII.
pub(crate) const MAX_CHARS: usize = 255;

/// A request, as far as its key stands for it.
pub(super) struct Keyed<'a, T> {
    pub(super) method: &'a Method,
    /// With the ids in it.
    pub(super) path: &'a str,
    pub(super) body: &'a T,
}

/// The key that a request came with.
pub(super) fn read(headers: &HeaderMap) -> Result<String, Problem> {
    let mut values = headers.get_all(NAME).iter();
    let text = values.next().map(|value| value.as_bytes().trim_ascii());
    let is_key = |text: &&[u8]| {
        (1..=MAX_CHARS).contains(&text.len())
            && text.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
    };
    let key = text.filter(is_key).filter(|_| values.next().is_none());
    let key = key.and_then(|text| std::str::from_utf8(text).ok());
    key.map(str::to_owned).ok_or_else(|| {
        let detail = format!(
            "Send one header Idempotency-Key with 1 to {MAX_CHARS} printable ASCII characters, such as a new UUID; and the \
             same one again whenever you repeat the request."
        );
        Problem::new(Code::IdempotencyKeyInvalid).detail(detail)
    })
}

impl<T: Serialize> Keyed<'_, T> {
    /// The key, with the SHA-256 of what it stands for.
    ///
    /// The body counts as it was understood, so that white space and the order of members make no difference. What was left
    /// out is left out of it as well: a member that a later version learns does not change what an old request hashes to.
    pub(super) fn under(&self, key: String) -> IdempotencyKey {
        // Texts, integers and a map with text keys: there is nothing here that could fail to be written.
        let body = serde_json::to_vec(self.body).unwrap_or_default();
        let mut hash = Sha256::new();
        for part in [self.method.as_str().as_bytes(), self.path.as_bytes(), &body] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        IdempotencyKey { key, request_hash: hash.finalize().into() }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        let value =
            |bytes: &&[u8]| (NAME.parse().unwrap(), HeaderValue::from_bytes(bytes).unwrap());
        values.iter().map(value).collect()
    }

    #[test]
    fn a_key_is_1_to_255_printable_characters_once() {
        let longest = "k".repeat(255);
        for key in ["k", "a b", "~!\"", "3f0c5d1e-0000-7000-8000-000000000000", &longest] {
            assert_eq!(read(&headers(&[key.as_bytes()])).unwrap(), key);
        }
        let too_long = "k".repeat(256);
        let refused: [&[&[u8]]; 8] = [
            &[],
            &[b""],
            &[b"  "],
            &[too_long.as_bytes()],
            &[b"a\tb"],
            &["k\u{e9}".as_bytes()],
            &[b"\xff"],
            &[b"k", b"k"],
        ];
        for values in refused {
            let problem = read(&headers(values)).unwrap_err();
            assert_eq!(problem.code, Code::IdempotencyKeyInvalid, "{values:?}");
        }
    }

    /// Keys are kept for ever, so the hash of a request never changes. The expected one was computed with Python.
    #[test]
    fn what_a_key_stands_for_is_pinned() {
        #[derive(Serialize)]
        struct Body {
            amount: i64,
            #[serde(skip_serializing_if = "Option::is_none")]
            unit: Option<&'static str>,
        }
        let hash = |path, body: &Body| {
            let keyed = Keyed { method: &Method::POST, path, body };
            hex::encode(keyed.under("k".into()).request_hash)
        };
        let body = Body { amount: 5, unit: None };
        let path = "/v1/users/u_1/spends";
        assert_eq!(hash(path, &body), PINNED);
        assert_ne!(hash("/v1/users/u_2/spends", &body), PINNED);
        assert_ne!(hash(path, &Body { amount: 6, unit: None }), PINNED);
        assert_ne!(hash(path, &Body { amount: 5, unit: Some("seats") }), PINNED);
    }

    const PINNED: &str = "a5bc13ac39d52c95499da2636b3fc93d4eb50de9f21543da04ace0ad2877bfeb";
}
