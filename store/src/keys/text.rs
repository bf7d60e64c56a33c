//! The text of a key: `tally_<live|test>_<id>_<secret>`. Its id is public; its secret is 43 random letters and digits, 256
//! bits.

use std::fmt;

use rand::RngExt as _;
use sha2::{Digest as _, Sha256};

/// What every key begins with, so that a leaked one is recognised in a log or a repository.
const PREFIX: &str = "tally_";

/// Letters of the public id: 71 bits, so that no two keys ever share one.
const ID_LEN: usize = 12;

/// Letters of the secret: 43 of 62 are 256 bits.
const SECRET_LEN: usize = 43;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The text of a key: what a client sends. It does not show itself in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText(String);

impl KeyText {
    /// A text that has the form of a key; `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        let this = Self(text.to_owned());
        let (_, id, secret) = this.parts()?;
        let is_base62 = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let fits = id.len() == ID_LEN && secret.len() == SECRET_LEN;
        (fits && is_base62(id) && is_base62(secret)).then_some(this)
    }

    /// The text itself, for the one time that it is shown.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it says that it belongs to a live tenant.
    pub fn livemode(&self) -> bool {
        self.parts().is_some_and(|(mode, _, _)| mode == "live")
    }

    /// Public id of the key, `key_…`.
    pub fn key_id(&self) -> String {
        let id = self.parts().map_or("", |(_, id, _)| id);
        format!("key_{id}")
    }

    /// SHA-256 of the text: what is kept of it, and what a cache may be keyed by.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    pub(super) fn random(livemode: bool) -> Self {
        let mode = if livemode { "live" } else { "test" };
        Self(format!("{PREFIX}{mode}_{}_{}", random_base62(ID_LEN), random_base62(SECRET_LEN)))
    }

    fn parts(&self) -> Option<(&str, &str, &str)> {
        let mut parts = self.0.strip_prefix(PREFIX)?.splitn(3, '_');
        let mode = parts.next().filter(|mode| ["live", "test"].contains(mode))?;
        Some((mode, parts.next()?, parts.next()?))
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyText({})", self.key_id())
    }
}

fn random_base62(len: usize) -> String {
    let mut rng = rand::rng();
    let letter = || BASE62.get(rng.random_range(0..BASE62.len())).copied().map_or('0', char::from);
    std::iter::repeat_with(letter).take(len).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_text_is_one_and_hides_its_secret() {
        let text = KeyText::random(true);
        assert_eq!(KeyText::parse(text.expose()), Some(text.clone()));
        assert!(text.livemode());
        assert!(text.expose().starts_with("tally_live_"), "{}", text.expose());
        assert_eq!(text.expose().len(), "tally_live_".len() + ID_LEN + 1 + SECRET_LEN);
        assert_eq!(format!("{text:?}"), format!("KeyText({})", text.key_id()));
        assert_ne!(KeyText::random(true), text);
    }

    #[test]
    fn other_texts_are_no_keys() {
        let good = KeyText::random(false).expose().to_owned();
        let without_prefix = &good[PREFIX.len()..];
        let longer = format!("{good}0");
        let accented = good.replace("_test_", "_tést_");
        for text in ["", "tally_", "tally_live__", without_prefix, &longer, &accented, &good[1..]] {
            assert_eq!(KeyText::parse(text), None, "{text}");
        }
    }
}
