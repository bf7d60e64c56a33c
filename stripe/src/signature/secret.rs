//! A signing secret, refused when it is weak, because an empty or guessable key vouches for anything.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::header::MAC_BYTES;

/// Shortest secret that is accepted, in bytes, `whsec_` included. Stripe's own have 38 or more.
pub const MIN_SECRET_BYTES: usize = 24;

/// How Stripe's secrets begin. The prefix is part of the key.
const PREFIX: &str = "whsec_";

/// Fewest different characters after the prefix: `xxxxxxxx…` and `1212…` are placeholders. A random secret has 20.
const MIN_DIFFERENT_CHARS: usize = 6;

/// Marks of a text that somebody should have replaced. Words have 7 letters or more, so that a random secret holds one
/// of them less often than once in a thousand million; the other marks cannot occur in one of Stripe's.
const PLACEHOLDER_MARKS: [&str; 16] = [
    "changeme",
    "change_me",
    "change-me",
    "replaceme",
    "replace_me",
    "replace-me",
    "placeholder",
    "example",
    "webhook_secret",
    "signing_secret",
    "your_",
    "your-",
    "...",
    "…",
    "<",
    "${",
];

/// A signing secret that is fit for use: its keyed HMAC state, so that each delivery starts from there.
/// It cannot be read back or printed.
#[derive(Clone)]
pub struct Secret {
    keyed: Hmac<Sha256>,
}

/// Why a text is no signing secret. Says the reason, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakSecret {
    /// Nothing at all.
    #[error("the signing secret is empty; copy it from the endpoint's page in Stripe's dashboard")]
    Empty,
    /// Only white space.
    #[error("the signing secret is blank; copy it from the endpoint's page in Stripe's dashboard")]
    Blank,
    /// Quotation marks that a shell or a file left around it.
    #[error("the signing secret has quotation marks in it; write it without them")]
    Quoted,
    /// White space or control characters, also at its ends.
    #[error(
        "the signing secret has white space or control characters in it; write it without them"
    )]
    WhiteSpace,
    /// A text that stands for a secret.
    #[error("the signing secret is a placeholder; replace it by the one from Stripe's dashboard")]
    Placeholder,
    /// Fewer than [`MIN_SECRET_BYTES`].
    #[error("the signing secret is shorter than {MIN_SECRET_BYTES} bytes; is it cut off?")]
    TooShort,
}

impl Secret {
    /// Takes a secret as Stripe shows it, `whsec_` included.
    pub fn parse(text: &str) -> Result<Self, WeakSecret> {
        if let Some(weakness) = weakness(text) {
            return Err(weakness);
        }
        Ok(Self::keyed(text.as_bytes()))
    }

    /// Any key, however weak: [`Secret::parse`] is the only way in from outside.
    pub(super) fn keyed(key: &[u8]) -> Self {
        Self { keyed: Hmac::new_from_slice(key).expect("HMAC takes a key of any length") }
    }

    /// HMAC-SHA256 over the time's text, a dot and the body.
    pub(super) fn mac(&self, time_text: &[u8], body: &[u8]) -> [u8; MAC_BYTES] {
        let mut mac = self.keyed.clone();
        mac.update(time_text);
        mac.update(b".");
        mac.update(body);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// The first thing that is wrong with it, the most telling first.
fn weakness(text: &str) -> Option<WeakSecret> {
    if text.is_empty() {
        Some(WeakSecret::Empty)
    } else if text.chars().all(char::is_whitespace) {
        Some(WeakSecret::Blank)
    } else if text.contains(['"', '\'', '`', '“', '”']) {
        Some(WeakSecret::Quoted)
    } else if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        Some(WeakSecret::WhiteSpace)
    } else if is_placeholder(text) {
        Some(WeakSecret::Placeholder)
    } else if text.len() < MIN_SECRET_BYTES {
        Some(WeakSecret::TooShort)
    } else {
        None
    }
}

fn is_placeholder(text: &str) -> bool {
    let random_part = text.strip_prefix(PREFIX).unwrap_or(text).to_lowercase();
    let mut different: Vec<char> = random_part.chars().collect();
    different.sort_unstable();
    different.dedup();
    different.len() < MIN_DIFFERENT_CHARS
        || PLACEHOLDER_MARKS.iter().any(|mark| random_part.contains(mark))
}
