//! The vectors of docs/guides/signed-references.json, which another implementation of the guide has made.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::reference::terms::push_field;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    /// Keys by their ids.
    keys: BTreeMap<String, String>,
    signed: Vec<Signed>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    name: String,
    /// Id of the key that signs.
    key: String,
    tenant: String,
    user: String,
    price: String,
    quantity: i64,
    credits: Option<i64>,
    unit: Option<String>,
    expires_at: i64,
    /// Hexadecimal.
    nonce: String,
    /// What the signature is computed over, hexadecimal.
    message: String,
    client_reference_id: Option<String>,
    tally_reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    name: String,
    tenant: String,
    created: i64,
    reference: String,
    error: String,
}

impl Vectors {
    fn read() -> Self {
        let text = include_str!("../../../../docs/guides/signed-references.json");
        serde_json::from_str(text).unwrap()
    }

    /// All keys, the one with this id first.
    fn keys(&self, signing: &str) -> SigningKeys {
        let mut ids: Vec<&String> = self.keys.keys().collect();
        ids.sort_by_key(|id| *id != signing);
        let list: Vec<String> = ids.iter().map(|id| format!("{id}:{}", self.keys[*id])).collect();
        keys(&list.join(","))
    }
}

impl Signed {
    fn terms(&self) -> Terms {
        Terms {
            tenant: self.tenant.clone(),
            user: self.user.clone(),
            price: self.price.clone(),
            quantity: self.quantity,
            credits: self.credits,
            unit: self.unit.clone(),
            expires_at: self.expires_at,
            nonce: hex::decode(&self.nonce).unwrap().try_into().unwrap(),
        }
    }
}

#[test]
fn others_sign_as_we_do() {
    let vectors = Vectors::read();
    for vector in &vectors.signed {
        let signed = sign(&vectors.keys(&vector.key), &vector.terms()).unwrap();
        assert_eq!(signed.metadata[METADATA_KEY], vector.tally_reference, "{}", vector.name);
        assert_eq!(signed.client_reference_id, vector.client_reference_id, "{}", vector.name);
    }
    let lengths: Vec<_> =
        vectors.signed.iter().map(|vector| vector.tally_reference.len()).collect();
    assert!(lengths.contains(&MAX_CLIENT_REFERENCE_CHARS) && lengths.contains(&MAX_METADATA_CHARS));
}

#[test]
fn what_others_sign_verifies() {
    let vectors = Vectors::read();
    for vector in &vectors.signed {
        let keys = vectors.keys("k2");
        let text = &vector.tally_reference;
        let verdict = verify(&keys, &vector.tenant, text, vector.expires_at);
        assert_eq!(verdict, Ok(vector.terms()), "{}", vector.name);
    }
}

/// The message that a vector shows is domain, id and terms, each byte of it.
#[test]
fn the_messages_are_what_is_signed() {
    for vector in Vectors::read().signed {
        let mut message = Vec::new();
        push_field(&mut message, b"tally.checkout_reference.v1");
        push_field(&mut message, vector.key.as_bytes());
        message.extend(vector.terms().encode().unwrap());
        assert_eq!(hex::encode(message), vector.message, "{}", vector.name);
    }
}

#[test]
fn what_is_refused_is_refused_for_its_reason() {
    let vectors = Vectors::read();
    for vector in &vectors.refused {
        let keys = vectors.keys("k2");
        let verdict = verify(&keys, &vector.tenant, &vector.reference, vector.created);
        assert_eq!(
            verdict.map_err(ReferenceError::name),
            Err(vector.error.as_str()),
            "{}",
            vector.name
        );
    }
    for error in [
        "not_a_reference",
        "malformed",
        "unknown_key",
        "bad_mac",
        "bad_terms",
        "other_tenant",
        "expired",
    ] {
        assert!(vectors.refused.iter().any(|vector| vector.error == error), "{error}");
    }
}
