//! Versions of a balance: the tags by which clients ask whether theirs is the newest.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// Bytes of the hash that make a tag: so many that no two versions of a balance ever share one.
const TAG_BYTES: usize = 12;

/// A version of a balance: the same as long as every part of it is the same. When it was read, and how far others' events
/// were decided then, is no part of it; hence it is a weak validator where HTTP compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version(String);

impl Version {
    /// The version that has these parts.
    pub(super) fn of(parts: &impl Serialize) -> Self {
        // Texts and integers: there is nothing here that could fail to be written.
        let hash = Sha256::digest(serde_json::to_vec(parts).unwrap_or_default());
        let mut tag = String::with_capacity(TAG_BYTES.saturating_mul(2));
        for byte in hash.iter().take(TAG_BYTES) {
            let _into_a_string = write!(tag, "{byte:02x}");
        }
        Self(tag)
    }

    /// Its tag.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Its `ETag`.
    pub(super) fn etag(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("W/\"{}\"", self.0)).ok()
    }

    /// Whether the client says in `If-None-Match` that it has it.
    pub(super) fn is_known_to(&self, headers: &HeaderMap) -> bool {
        let lines = headers.get_all(header::IF_NONE_MATCH).iter();
        let tags = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
        tags.map(str::trim).any(|tag| {
            let quoted = tag.strip_prefix("W/").unwrap_or(tag);
            tag == "*"
                || quoted.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) == Some(&self.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_names_the_versions_that_it_has() {
        let version = Version::of(&7);
        let tag = version.as_str().to_owned();
        let known = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::IF_NONE_MATCH, HeaderValue::try_from(*line).unwrap());
            }
            version.is_known_to(&headers)
        };
        assert_eq!(version.etag().unwrap().to_str().unwrap(), format!("W/\"{tag}\""));
        for line in [format!("\"{tag}\""), format!("\"x\", W/\"{tag}\""), "*".to_owned()] {
            assert!(known(&[&line]), "{line}");
        }
        assert!(known(&["\"x\"", &format!("\"{tag}\"")]));
        for line in [String::new(), tag.clone(), "\"x\"".to_owned(), format!("\"{tag}x\"")] {
            assert!(!known(&[&line]), "{line}");
        }
        assert!(!known(&[]));
        assert_ne!(Version::of(&8), version);
    }
}
