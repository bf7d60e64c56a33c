//! The keys that sign references, refused when they are weak, because an empty or guessable key vouches for anything.

use std::{fmt, iter};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use stripe::signature::{Secret, WeakSecret};

use super::MAC_BYTES;
use super::terms::push_field;

/// Shortest key, in bytes: as many as HMAC-SHA256 gives, and 32 random hexadecimal digits are still 128 bits.
pub const MIN_KEY_BYTES: usize = 32;

/// Most keys at once: the one that signs, and those whose references are still about.
pub const MAX_KEYS: usize = 8;

/// Id of a key that stands in the list without one.
pub const DEFAULT_KEY_ID: &str = "1";

/// Longest id of a key: it takes room in each reference.
const MAX_ID_CHARS: usize = 8;

/// First field of all that is signed, so that no signature made for another purpose fits here, or the other way round.
const DOMAIN: &str = "tally.checkout_reference.v1";

/// How Stripe's own secrets and keys begin. Those have another purpose, and `pk_` are public.
const STRIPES: [&str; 4] = ["whsec_", "sk_", "rk_", "pk_"];

/// The keys in force: the first one signs, all of them verify.
#[derive(Clone, Debug)]
pub struct SigningKeys {
    first: Key,
    rest: Vec<Key>,
}

/// A key: its HMAC state after domain and id, so that each reference starts from there. It cannot be read back.
#[derive(Clone)]
pub(super) struct Key {
    id: String,
    keyed: Hmac<Sha256>,
}

/// Which key of a list cannot be used, and why. Says nothing of the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signing key number {position} {problem}")]
pub struct KeyError {
    /// Its place in the list, from 1.
    pub position: usize,
    /// What is wrong with it.
    pub problem: KeyProblem,
}

/// Why a text is no signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// Nothing, or blanks.
    #[error("is empty; make one of 32 random bytes, such as by `openssl rand -hex 32`")]
    Empty,
    /// Its id is not 1 to 8 of `a-z0-9`, or there is a second `:`, as in a list with another separator than commas.
    #[error(
        "is not `id:key` with an id of 1 to {MAX_ID_CHARS} lower-case letters and digits, and no other `:`"
    )]
    Id,
    /// Another key has the same id.
    #[error("has the id of another one; give each key an id that none had before")]
    SameId,
    /// Quotation marks that a shell or a file left around it.
    #[error("has quotation marks in it; write it without them")]
    Quoted,
    /// White space or control characters.
    #[error("has white space or control characters in it; write it without them")]
    WhiteSpace,
    /// A text that stands for a key.
    #[error("is a placeholder; make one of 32 random bytes, such as by `openssl rand -hex 32`")]
    Placeholder,
    /// Fewer than [`MIN_KEY_BYTES`].
    #[error("is shorter than {MIN_KEY_BYTES} bytes; is it cut off?")]
    TooShort,
    /// One of Stripe's secrets or keys.
    #[error("is one of Stripe's; make one that serves nothing else")]
    Stripes,
    /// It comes after [`MAX_KEYS`] others.
    #[error("is one too many: at most {MAX_KEYS} can be in force")]
    TooMany,
}

impl SigningKeys {
    /// Reads a list, separated by commas, of `id:key`, or of a key alone, whose id is [`DEFAULT_KEY_ID`].
    ///
    /// A key is the bytes of its text as they stand, hexadecimal and base64 included. To decode what looks like one of
    /// them would be to guess: many a random text of letters and digits is also base64 of something else.
    pub fn parse(list: &str) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for (position, text) in (1..).zip(list.split(',')) {
            let key = if position > MAX_KEYS {
                Err(KeyProblem::TooMany)
            } else {
                Key::parse(text.trim_matches(' '))
            };
            match key {
                Ok(key) if keys.iter().all(|other: &Key| other.id != key.id) => keys.push(key),
                Ok(_) => return Err(KeyError { position, problem: KeyProblem::SameId }),
                Err(problem) => return Err(KeyError { position, problem }),
            }
        }
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or(KeyError { position: 1, problem: KeyProblem::Empty })?;
        Ok(Self { first, rest: keys.collect() })
    }

    /// Ids of all keys, that of the one which signs first. They stand in each reference and are no secret.
    pub fn ids(&self) -> Vec<&str> {
        iter::once(&self.first).chain(&self.rest).map(Key::id).collect()
    }

    /// The key that signs.
    pub(super) fn signing(&self) -> &Key {
        &self.first
    }

    /// The key with this id.
    pub(super) fn find(&self, id: &str) -> Option<&Key> {
        iter::once(&self.first).chain(&self.rest).find(|key| key.id == id)
    }
}

impl Key {
    fn parse(text: &str) -> Result<Self, KeyProblem> {
        let (id, key) = text.split_once(':').unwrap_or((DEFAULT_KEY_ID, text));
        let is_plain = id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if id.is_empty() || id.len() > MAX_ID_CHARS || !is_plain || key.contains(':') {
            return Err(KeyProblem::Id);
        }
        weakness(key).map_or_else(|| Ok(Self::keyed(id, key)), Err)
    }

    fn keyed(id: &str, key: &str) -> Self {
        let mut beginning = Vec::new();
        push_field(&mut beginning, DOMAIN.as_bytes());
        push_field(&mut beginning, id.as_bytes());
        let mut keyed =
            Hmac::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
        keyed.update(&beginning);
        Self { id: id.to_owned(), keyed }
    }

    /// Its id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// HMAC-SHA256 over domain, id and these terms.
    pub(super) fn mac(&self, terms: &[u8]) -> [u8; MAC_BYTES] {
        let mut mac = self.keyed.clone();
        mac.update(terms);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({}, …)", self.id)
    }
}

/// The first thing that is wrong with it. What makes a text no secret is the same here as for Stripe's secrets.
fn weakness(key: &str) -> Option<KeyProblem> {
    match Secret::parse(key) {
        Err(WeakSecret::Empty | WeakSecret::Blank) => Some(KeyProblem::Empty),
        Err(WeakSecret::Quoted) => Some(KeyProblem::Quoted),
        Err(WeakSecret::WhiteSpace) => Some(KeyProblem::WhiteSpace),
        Err(WeakSecret::Placeholder) => Some(KeyProblem::Placeholder),
        _ if STRIPES.iter().any(|prefix| key.starts_with(prefix)) => Some(KeyProblem::Stripes),
        Err(WeakSecret::TooShort) => Some(KeyProblem::TooShort),
        Ok(_) => (key.len() < MIN_KEY_BYTES).then_some(KeyProblem::TooShort),
    }
}
