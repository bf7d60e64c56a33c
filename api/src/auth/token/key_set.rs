//! The public keys of an issuer: a JSON Web Key Set (RFC 7517), of which only what can verify signatures is kept.

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Header};
use serde::Deserialize;
use serde_json::Value;

/// Most keys of a set. Issuers have two or three.
const KEYS_MAX: usize = 64;

/// The keys of an issuer.
#[derive(Clone, Debug)]
pub(super) struct KeySet(Vec<PublicKey>);

#[derive(Clone, Debug)]
struct PublicKey {
    id: Option<String>,
    /// What it verifies, whatever a token says.
    algorithms: Vec<Algorithm>,
    verifying: DecodingKey,
}

/// Why a text is no set of keys.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeySetError {
    #[error("it is no JSON Web Key Set")]
    Form(#[source] serde_json::Error),
    #[error("it has more than {KEYS_MAX} keys")]
    TooMany,
    #[error("none of its keys can verify a signature (RSA, EC on P-256 or P-384, Ed25519)")]
    Empty,
}

/// A set whose keys are read one by one: one that is not understood spoils no other.
#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a set.
    pub(super) fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        let set: Set = serde_json::from_slice(json).map_err(KeySetError::Form)?;
        if set.keys.len() > KEYS_MAX {
            return Err(KeySetError::TooMany);
        }
        let keys: Vec<_> = set.keys.into_iter().filter_map(PublicKey::read).collect();
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self(keys)) }
    }

    /// The key that a token with this header is verified by: that of its id; where it names none, the only one that fits.
    pub(super) fn select(&self, header: &Header) -> Option<DecodingKey> {
        let mut fitting = self.0.iter().filter(|key| key.algorithms.contains(&header.alg));
        let found = match &header.kid {
            Some(id) => fitting.find(|key| key.id.as_ref() == Some(id))?,
            None => fitting.next().filter(|_| fitting.next().is_none())?,
        };
        Some(found.verifying.clone())
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }
}

impl PublicKey {
    /// `None` for what is not for signatures, and for what is no public key: a secret in a set that the world reads is none.
    fn read(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let common = &jwk.common;
        let is_for_signatures =
            matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
        let operations = common.key_operations.as_ref();
        let verifies = operations.is_none_or(|all| all.contains(&KeyOperations::Verify));
        if !is_for_signatures || !verifies {
            return None;
        }
        let mut algorithms = algorithms(&jwk.algorithm);
        if let Some(own) = common.key_algorithm {
            algorithms.retain(|one| KeyAlgorithm::from(*one) == own);
        }
        if algorithms.is_empty() {
            return None;
        }
        Some(Self {
            id: common.key_id.clone(),
            algorithms,
            verifying: DecodingKey::from_jwk(&jwk).ok()?,
        })
    }
}

/// What a key of this kind can verify.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enum is non-exhaustive, and what is new cannot be verified"
)]
fn algorithms(parameters: &AlgorithmParameters) -> Vec<Algorithm> {
    match parameters {
        AlgorithmParameters::RSA(_) => AlgorithmFamily::Rsa.algorithms().to_vec(),
        AlgorithmParameters::EllipticCurve(key) => on_curve(&key.curve),
        AlgorithmParameters::OctetKeyPair(key) => on_curve(&key.curve),
        _ => Vec::new(),
    }
}

fn on_curve(curve: &EllipticCurve) -> Vec<Algorithm> {
    let known = [
        (EllipticCurve::P256, Algorithm::ES256),
        (EllipticCurve::P384, Algorithm::ES384),
        (EllipticCurve::Ed25519, Algorithm::EdDSA),
    ];
    known.into_iter().filter(|(own, _)| own == curve).map(|(_, algorithm)| algorithm).collect()
}
