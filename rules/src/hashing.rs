//! Keyed hashes of e-mails and names: what evidence is compared with, so that neither stands in any decision.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A tenant's key for its evidence (`tenant.evidence_key`). Its `Debug` does not show it.
#[derive(Clone)]
pub struct EvidenceKey(Hmac<Sha256>);

impl EvidenceKey {
    /// From the 32 bytes that the tenant was made with.
    pub fn new(key: &[u8; 32]) -> Self {
        // HMAC fills a key up with zeros to the block of its hash: 64 bytes for SHA-256 (RFC 2104).
        let mut block = [0; 64];
        block[..32].copy_from_slice(key);
        Self(Hmac::new(&block.into()))
    }

    /// Hash of an e-mail or name: HMAC-SHA256 over the text, trimmed and in lower case. `None` for a blank one.
    pub fn hash(&self, text: &str) -> Option<[u8; 32]> {
        let normal = text.trim().to_lowercase();
        if normal.is_empty() {
            return None;
        }
        let mut mac = self.0.clone();
        mac.update(normal.as_bytes());
        Some(mac.finalize().into_bytes().into())
    }

    /// The same as lower-case hexadecimal text, as evidence shows it.
    pub fn hash_text(&self, text: &str) -> Option<String> {
        self.hash(text).map(hex::encode)
    }
}

impl std::fmt::Debug for EvidenceKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("EvidenceKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_the_normal_form_and_the_key() {
        let key = EvidenceKey::new(&[7; 32]);
        assert_eq!(key.hash(" Ada@Example.com "), key.hash("ada@example.com"));
        assert_ne!(key.hash("ada@example.com"), key.hash("bob@example.com"));
        assert_ne!(key.hash("ada@example.com"), EvidenceKey::new(&[8; 32]).hash("ada@example.com"));
        assert_eq!(key.hash("  "), None);
        assert!(!format!("{key:?}").contains('7'));
    }
}
