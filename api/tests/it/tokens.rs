//! An issuer of tokens, with keys that are made on the spot, and a server of its public ones.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use api::{Issuer, IssuerTold};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use axum::Router;
use axum::response::IntoResponse as _;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::support::NOW;

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const AUDIENCE: &str = "credits";

/// PKCS#8 wraps the key of an RSA pair of 2048 bits in so many bytes; what signs wants it bare.
const PKCS8_BYTES: usize = 26;

/// A key of the issuer, with its id.
pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    pub(crate) id: &'static str,
    key: EncodingKey,
}

impl Signer {
    pub(crate) fn rsa(id: &'static str) -> Self {
        let pair = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = pair.as_der().unwrap();
        let key = EncodingKey::from_rsa_der(&der.as_ref()[PKCS8_BYTES..]);
        Self { algorithm: Algorithm::RS256, id, key }
    }

    pub(crate) fn p256(id: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let der = pair.to_pkcs8v1().unwrap();
        Self { algorithm: Algorithm::ES256, id, key: EncodingKey::from_ec_der(der.as_ref()) }
    }

    pub(crate) fn ed25519(id: &'static str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let der = pair.to_pkcs8v1().unwrap();
        Self { algorithm: Algorithm::EdDSA, id, key: EncodingKey::from_ed_der(der.as_ref()) }
    }

    /// Its public half.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.id.to_owned());
        serde_json::to_value(jwk).unwrap()
    }

    pub(crate) fn header(&self) -> Header {
        Header { kid: Some(self.id.to_owned()), ..Header::new(self.algorithm) }
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(&self.header(), claims)
    }

    /// A token with another header.
    pub(crate) fn sign_as(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &self.key).unwrap()
    }

    /// A token of this user that holds now.
    pub(crate) fn token(&self, user: &str) -> String {
        self.sign(&claims(user))
    }
}

/// Claims of a user that hold now, for five minutes.
pub(crate) fn claims(user: &str) -> Value {
    let now: Timestamp = NOW.parse().unwrap();
    let end = now.checked_add(SignedDuration::from_mins(5)).unwrap();
    let (iat, exp) = (now.as_second(), end.as_second());
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": user, "iat": iat, "exp": exp})
}

/// The same with another value of one of them; null leaves it out.
pub(crate) fn with(mut claims: Value, name: &str, value: Value) -> Value {
    let all = claims.as_object_mut().unwrap();
    all.remove(name);
    if !value.is_null() {
        all.insert(name.to_owned(), value);
    }
    claims
}

/// The set of these keys.
pub(crate) fn jwks(signers: &[&Signer]) -> String {
    let keys: Vec<_> = signers.iter().map(|signer| signer.jwk()).collect();
    json!({"keys": keys}).to_string()
}

/// What is told of the issuer, but for its keys.
pub(crate) fn told() -> IssuerTold {
    IssuerTold {
        issuer: Some(ISSUER.to_owned()),
        audience: Some(AUDIENCE.to_owned()),
        ..IssuerTold::default()
    }
}

/// The issuer with these keys.
pub(crate) fn issuer(signers: &[&Signer]) -> Issuer {
    Issuer::new(IssuerTold { jwks: Some(jwks(signers)), ..told() }, false).unwrap()
}

/// Serves public keys, as it is told to.
pub(crate) struct KeyServer {
    pub(crate) url: String,
    answer: Arc<Mutex<(StatusCode, String)>>,
    asked: Arc<AtomicU32>,
}

impl KeyServer {
    /// One that has nothing to say yet.
    pub(crate) async fn start() -> Self {
        let answer = Arc::new(Mutex::new((StatusCode::SERVICE_UNAVAILABLE, String::new())));
        let asked = Arc::new(AtomicU32::new(0));
        let (own_answer, own_asked) = (Arc::clone(&answer), Arc::clone(&asked));
        let say = move || {
            own_asked.fetch_add(1, Ordering::Relaxed);
            let (status, body) = own_answer.lock().unwrap().clone();
            async move { (status, [(http::header::LOCATION, "/elsewhere")], body).into_response() }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let router = Router::new().fallback(say);
        drop(tokio::spawn(async move { axum::serve(listener, router).await }));
        Self { url, answer, asked }
    }

    pub(crate) fn say(&self, status: StatusCode, body: String) {
        *self.answer.lock().unwrap() = (status, body);
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}
