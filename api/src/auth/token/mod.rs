//! Tokens of the app's own issuer (JWT, RFC 7519), with which a user's browser reads what is the user's.
//!
//! A token says of itself who issued it, and that chooses the issuer whose keys it is verified by: nothing else of it is
//! believed before its signature. Which algorithms may sign is the configuration's to say, never the token's.

mod claims;
mod issuer;
mod jwks;
mod key_set;

use jiff::Timestamp;
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::{DecodingKey, Header, Validation, decode, decode_header};

use claims::Claims;
use issuer::Keys;
pub use issuer::{Issuer, IssuerError, IssuerTold};
use jwks::Jwks;
use key_set::KeySet;

/// Longest token that is looked at. Real ones have some hundred bytes, those with many roles a few thousand.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// The issuers of the tenants that are served.
#[derive(Default)]
pub(crate) struct Tokens(Vec<Trusted>);

/// An issuer, with its keys at hand.
struct Trusted {
    tenant_id: i32,
    issuer: Issuer,
    keys: Held,
}

/// What its tokens are verified by.
enum Held {
    Shared(DecodingKey),
    Here(KeySet),
    AtIssuer(Jwks),
}

/// A user, as a token that holds names him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenUser {
    pub(crate) tenant_id: i32,
    pub(crate) user: String,
}

/// Why a token opens nothing. The text is for whoever sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("This is neither a key nor a token.")]
    Form,
    #[error("The token is of an issuer that is not known here.")]
    Issuer,
    #[error("The token is for another audience, or for more than one that is served here.")]
    Audience,
    #[error("The token is signed by an algorithm that is not accepted here.")]
    Algorithm,
    #[error("The issuer has no key that this token could be verified by.")]
    Key,
    #[error("The signature of the token does not verify.")]
    Signature,
    #[error("The token lacks a claim, or has one of a wrong form: iss, aud, sub, exp.")]
    Claims,
    #[error("The token has ended.")]
    Ended,
    #[error("The token does not hold yet.")]
    NotYet,
    /// Not the token's fault: nobody can say whether it holds.
    #[error("The keys of the token's issuer cannot be had right now.")]
    KeysUnavailable,
}

impl Tokens {
    /// Issuers by tenant.
    pub(crate) fn new(issuers: Vec<(i32, Issuer)>) -> Result<Self, IssuerError> {
        let trust = |(tenant_id, issuer): (i32, Issuer)| {
            let keys = match &issuer.keys {
                Keys::Shared(key) => Held::Shared(key.clone()),
                Keys::Here(keys) => Held::Here(keys.clone()),
                Keys::At(url) => Held::AtIssuer(Jwks::new(url.clone())?),
            };
            Ok(Trusted { tenant_id, issuer, keys })
        };
        issuers.into_iter().map(trust).collect::<Result<_, _>>().map(Self)
    }

    /// The user that this token names, if it holds at `now`.
    pub(crate) async fn verify(&self, text: &str, now: Timestamp) -> Result<TokenUser, Refusal> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::Form);
        }
        let header = decode_header(text).map_err(|_| Refusal::Form)?;
        // Extensions that have to be understood, none of which is.
        if header.crit.is_some() {
            return Err(Refusal::Form);
        }
        let said: Claims = insecure_decode_claims(text).map_err(|_| Refusal::Claims)?;
        let trusted = self.trusted(&said)?;
        if !trusted.issuer.algorithms.contains(&header.alg) {
            return Err(Refusal::Algorithm);
        }
        let key = trusted.key(&header, now).await?;
        let claims = verify_signature(text, &header, &key)?;
        claims.check(&trusted.issuer, now)?;
        Ok(TokenUser { tenant_id: trusted.tenant_id, user: claims.sub })
    }

    /// The issuer that these claims name. No two have both name and audience in common; a token for the audiences of several
    /// does not say whose user it is.
    fn trusted(&self, said: &Claims) -> Result<&Trusted, Refusal> {
        let mut named = self.0.iter().filter(|one| one.issuer.name == said.iss).peekable();
        named.peek().ok_or(Refusal::Issuer)?;
        let mut meant = named.filter(|one| said.is_for(&one.issuer.audience));
        match (meant.next(), meant.next()) {
            (Some(trusted), None) => Ok(trusted),
            (None | Some(_), _) => Err(Refusal::Audience),
        }
    }
}

impl Trusted {
    async fn key(&self, header: &Header, now: Timestamp) -> Result<DecodingKey, Refusal> {
        match &self.keys {
            Held::Shared(key) => Ok(key.clone()),
            Held::Here(keys) => keys.select(header).ok_or(Refusal::Key),
            Held::AtIssuer(jwks) => jwks.select(header, now).await,
        }
    }
}

/// The claims, once the signature holds. Their times are judged elsewhere, by our clock.
fn verify_signature(text: &str, header: &Header, key: &DecodingKey) -> Result<Claims, Refusal> {
    let mut validation = Validation::new(header.alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    decode(text, key, &validation).map(|token| token.claims).map_err(|_| Refusal::Signature)
}
