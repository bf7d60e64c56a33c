//! Signed checkout references: what our own server says of a purchase when it sends a user to Stripe's checkout, so that
//! nobody on the way can change whose it is and what was bought (DESIGN, section 6, rank 1).
//!
//! ```text
//! reference = "tly1_" id "_" base64url(terms ‖ mac)          without padding
//! mac       = HMAC-SHA256(key, field(DOMAIN) ‖ field(id) ‖ terms)
//! terms     = field(tenant) ‖ field(user) ‖ field(price) ‖ field(quantity)
//!           ‖ field(credits) ‖ field(unit) ‖ field(expires_at) ‖ field(nonce)
//! field(x)  = one byte that counts the bytes of x ‖ x
//! ```
//!
//! docs/guides/signed-references.md says the same for those who sign or verify in another language.
//!
//! Everything is in the text itself: it is verified without asking anybody, and again in years. So it cannot know
//! whether it was used before: that the same nonce comes with two sessions is for the caller to see.

mod keys;
mod tenant;
mod terms;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

pub use keys::{DEFAULT_KEY_ID, KeyError, KeyProblem, MAX_KEYS, MIN_KEY_BYTES, SigningKeys};
pub use tenant::TenantKeys;
pub use terms::{NONCE_BYTES, Terms, TermsError};

/// How a reference begins: what it is, and the version of its form.
pub const PREFIX: &str = "tly1_";

/// Key of the metadata that carries the reference.
pub const METADATA_KEY: &str = "tally_reference";

/// Longest `client_reference_id`, in characters of `[A-Za-z0-9_-]`. Stripe drops what is longer or has others.
pub const MAX_CLIENT_REFERENCE_CHARS: usize = 200;

/// Longest value of metadata, in characters: Stripe's limit, and so the longest reference.
pub const MAX_METADATA_CHARS: usize = 500;

/// Bytes of an HMAC-SHA256. It is never shortened.
const MAC_BYTES: usize = 32;

/// What a checkout session is to be created with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedReference {
    /// The reference, where it is short enough for this. Half of one would prove nothing, so otherwise there is none.
    pub client_reference_id: Option<String>,
    /// The reference under [`METADATA_KEY`]: for the session, and again for its payment intent or subscription, which
    /// inherit no metadata.
    pub metadata: BTreeMap<String, String>,
}

/// Why a text proves nothing. All but [`ReferenceError::NotAReference`] mean that somebody meant it to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It does not begin with [`PREFIX`]: some other text, such as a user's id.
    #[error("it is not a signed reference")]
    NotAReference,
    /// It begins like one and is none: cut off, or with characters or a length that none can have.
    #[error("the signed reference is cut off or was changed")]
    Malformed,
    /// No key has its id.
    #[error("no key has the id of the signed reference; keep old keys after the ones that sign")]
    UnknownKey,
    /// The signature does not fit.
    #[error(
        "the signature of the reference does not fit: it was changed, or made with another key"
    )]
    BadMac,
    /// It is authentic, and what it says cannot be: who made it has a mistake in his program.
    #[error("the reference is authentic but not well-formed")]
    BadTerms(#[from] TermsError),
    /// It is authentic, and was signed for another tenant.
    #[error("the reference was signed for another tenant")]
    OtherTenant,
    /// It is authentic, and the session was created after it expired.
    #[error("the reference expired before the session was created")]
    Expired,
}

impl ReferenceError {
    /// Its name, as evidence records it and the test vectors of docs/guides/signed-references.json have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAReference => "not_a_reference",
            Self::Malformed => "malformed",
            Self::UnknownKey => "unknown_key",
            Self::BadMac => "bad_mac",
            Self::BadTerms(_) => "bad_terms",
            Self::OtherTenant => "other_tenant",
            Self::Expired => "expired",
        }
    }
}

/// Why a reference proves nothing, in words, by the name of its error.
pub fn problem(name: &str) -> String {
    const ERRORS: [ReferenceError; 7] = [
        ReferenceError::NotAReference,
        ReferenceError::Malformed,
        ReferenceError::UnknownKey,
        ReferenceError::BadMac,
        ReferenceError::BadTerms(TermsError::Encoding),
        ReferenceError::OtherTenant,
        ReferenceError::Expired,
    ];
    let error = ERRORS.into_iter().find(|error| error.name() == name);
    error.map_or_else(|| name.to_owned(), |error| error.to_string())
}

/// Whether a text is meant to be a signed reference, valid or not. Such a text is nothing else: no user's id.
pub fn is_reference(text: &str) -> bool {
    text.trim().starts_with(PREFIX)
}

/// Signs the terms with the first key.
pub fn sign(keys: &SigningKeys, terms: &Terms) -> Result<SignedReference, TermsError> {
    let key = keys.signing();
    let mut bytes = terms.encode()?;
    let mac = key.mac(&bytes);
    bytes.extend(mac);
    let reference = format!("{PREFIX}{}_{}", key.id(), URL_SAFE_NO_PAD.encode(bytes));
    if reference.len() > MAX_METADATA_CHARS {
        return Err(TermsError::TooLong);
    }
    let fits = reference.len() <= MAX_CLIENT_REFERENCE_CHARS;
    Ok(SignedReference {
        client_reference_id: fits.then(|| reference.clone()),
        metadata: BTreeMap::from([(METADATA_KEY.to_owned(), reference)]),
    })
}

/// What a reference says, if any of the keys vouches for it, it is this tenant's, and it was in force when the session
/// was created (`created`, seconds since 1970; the last second still counts).
///
/// Nothing of it is read before its signature fits, so that the last three errors are only ever said of authentic ones.
pub fn verify(
    keys: &SigningKeys,
    tenant: &str,
    text: &str,
    created: i64,
) -> Result<Terms, ReferenceError> {
    let signed = text.strip_prefix(PREFIX).ok_or(ReferenceError::NotAReference)?;
    if text.len() > MAX_METADATA_CHARS {
        return Err(ReferenceError::Malformed);
    }
    let (id, encoded) = signed.split_once('_').ok_or(ReferenceError::Malformed)?;
    // This decoder takes one spelling only: no padding, no blanks, no bits left over at the end.
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| ReferenceError::Malformed)?;
    let (terms, mac) = bytes.split_last_chunk::<MAC_BYTES>().ok_or(ReferenceError::Malformed)?;
    let key = keys.find(id).ok_or(ReferenceError::UnknownKey)?;
    if !bool::from(key.mac(terms).ct_eq(mac)) {
        return Err(ReferenceError::BadMac);
    }
    let terms = Terms::decode(terms)?;
    if terms.tenant != tenant {
        Err(ReferenceError::OtherTenant)
    } else if created > terms.expires_at {
        Err(ReferenceError::Expired)
    } else {
        Ok(terms)
    }
}
