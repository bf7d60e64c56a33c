//! What the configuration says of an issuer, judged: what would let anybody in is refused before anything is served.

use std::fmt;
use std::net::IpAddr;

use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::key_set::KeySet;

/// What public keys may sign by, unless something else is said.
const USUAL: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// Shortest secret: as many bytes as the hash has (RFC 7518, 3.2).
const SECRET_BYTES_MIN: usize = 32;

/// What is said of an issuer, as it is written.
#[derive(Clone, Debug, Default)]
pub struct IssuerTold {
    /// `iss` of its tokens.
    pub issuer: Option<String>,
    /// What their `aud` has to name.
    pub audience: Option<String>,
    /// Names of the algorithms that may sign; `None`: the usual ones for its keys.
    pub algorithms: Option<Vec<String>>,
    /// Where its public keys are read from.
    pub jwks_url: Option<String>,
    /// Its public keys themselves.
    pub jwks: Option<String>,
    /// The secret that it shares with the app, instead of public keys.
    pub secret: Option<SecretString>,
}

/// An issuer whose tokens are believed.
#[derive(Clone, Debug)]
pub struct Issuer {
    pub(super) name: String,
    pub(super) audience: String,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) keys: Keys,
}

/// What its tokens are verified by.
#[derive(Clone, Debug)]
pub(super) enum Keys {
    Shared(DecodingKey),
    Here(KeySet),
    At(Url),
}

/// What is wrong with what is said of an issuer.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct IssuerError {
    /// The field of [`IssuerTold`] that it is about.
    pub field: &'static str,
    /// What is wrong with it. Never a value that may be a secret.
    pub problem: String,
}

impl IssuerError {
    pub(super) fn new(field: &'static str, problem: impl fmt::Display) -> Self {
        Self { field, problem: problem.to_string() }
    }
}

impl Issuer {
    /// Judges what is said. Keys are read over http only where `plain_http` allows it, or from this machine.
    pub fn new(told: IssuerTold, plain_http: bool) -> Result<Self, IssuerError> {
        let name = required("issuer", told.issuer)?;
        let audience = required("audience", told.audience)?;
        let keys = match (told.jwks_url, told.jwks, told.secret) {
            (Some(url), None, None) => Keys::At(address(&url, plain_http)?),
            (None, Some(jwks), None) => {
                let keys = KeySet::parse(jwks.as_bytes());
                Keys::Here(keys.map_err(|error| IssuerError::new("jwks", error))?)
            }
            (None, None, Some(secret)) => Keys::Shared(shared(&secret)?),
            _ => {
                let problem =
                    "set one of jwks_url, jwks and secret: what its tokens are verified by";
                return Err(IssuerError::new("jwks_url", problem));
            }
        };
        let algorithms = algorithms(told.algorithms, matches!(keys, Keys::Shared(_)))?;
        Ok(Self { name, audience, algorithms, keys })
    }

    /// `iss` and `aud` of its tokens: what tells it from others.
    pub fn names(&self) -> (&str, &str) {
        (&self.name, &self.audience)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, audience, algorithms, keys } = self;
        write!(f, "{name} for {audience}, {algorithms:?} by ")?;
        match keys {
            Keys::Shared(_) => f.write_str("a secret (hidden)"),
            Keys::Here(keys) => write!(f, "{} keys of the configuration", keys.len()),
            Keys::At(url) => write!(f, "the keys at {url}"),
        }
    }
}

fn required(field: &'static str, value: Option<String>) -> Result<String, IssuerError> {
    let value = value.filter(|value| !value.trim().is_empty());
    value.ok_or_else(|| {
        IssuerError::new(field, "it is missing: tokens need an issuer and an audience")
    })
}

fn address(text: &str, plain_http: bool) -> Result<Url, IssuerError> {
    let url = Url::parse(text.trim()).ok().filter(Url::has_host);
    let url = url.ok_or_else(|| IssuerError::new("jwks_url", "it is no address like https://…"))?;
    let is_here = url.host_str().is_some_and(|host| {
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        host == "localhost" || address.is_some_and(|address| address.is_loopback())
    });
    match url.scheme() {
        "https" => Ok(url),
        "http" if plain_http || is_here => Ok(url),
        _ => Err(IssuerError::new(
            "jwks_url",
            "keys are read by https only: who changes them is anybody's user",
        )),
    }
}

fn shared(secret: &SecretString) -> Result<DecodingKey, IssuerError> {
    let secret = secret.expose_secret().as_bytes();
    if secret.len() < SECRET_BYTES_MIN {
        let problem = format!("the secret is shorter than {SECRET_BYTES_MIN} bytes");
        return Err(IssuerError::new("secret", problem));
    }
    Ok(DecodingKey::from_secret(secret))
}

/// The algorithms that may sign. A secret goes with HS256 alone, and HS256 with a secret alone: a public key that is taken
/// for a secret would let anybody sign.
fn algorithms(told: Option<Vec<String>>, is_shared: bool) -> Result<Vec<Algorithm>, IssuerError> {
    let Some(told) = told else {
        return Ok(if is_shared { vec![Algorithm::HS256] } else { USUAL.to_vec() });
    };
    let mut algorithms = Vec::new();
    for name in &told {
        let name = name.trim();
        let algorithm: Algorithm = name.parse().map_err(|_| {
            IssuerError::new("algorithms", format!("{name} is no algorithm that is known here"))
        })?;
        if is_shared && algorithm != Algorithm::HS256 {
            return Err(IssuerError::new(
                "algorithms",
                format!("{name} does not go with a secret: HS256 does"),
            ));
        }
        if !is_shared && AlgorithmFamily::Hmac.algorithms().contains(&algorithm) {
            return Err(IssuerError::new(
                "algorithms",
                format!("{name} does not go with public keys"),
            ));
        }
        algorithms.push(algorithm);
    }
    if algorithms.is_empty() {
        return Err(IssuerError::new("algorithms", "it names none"));
    }
    Ok(algorithms)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A public key, which is nobody's.
    const JWKS: &str = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k1",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    fn told(jwks_url: Option<&str>, jwks: Option<&str>, secret: Option<&str>) -> IssuerTold {
        IssuerTold {
            issuer: Some("https://issuer.example".into()),
            audience: Some("credits".into()),
            algorithms: None,
            jwks_url: jwks_url.map(str::to_owned),
            jwks: jwks.map(str::to_owned),
            secret: secret.map(SecretString::from),
        }
    }

    fn with(algorithms: &[&str], told: IssuerTold) -> IssuerTold {
        let algorithms = algorithms.iter().map(|&name| name.to_owned()).collect();
        IssuerTold { algorithms: Some(algorithms), ..told }
    }

    #[test]
    fn public_keys_go_with_the_usual_algorithms_and_a_secret_with_its_own() {
        let shown = |told| Issuer::new(told, false).unwrap().to_string();
        let keys = told(None, Some(JWKS), None);
        let usual = "https://issuer.example for credits, [RS256, ES256, EdDSA] by 1 keys of the configuration";
        assert_eq!(shown(keys.clone()), usual);
        assert!(shown(with(&["ES384", " PS256"], keys)).contains("[ES384, PS256]"));
        let secret = shown(told(None, None, Some(&"s".repeat(32))));
        assert!(secret.ends_with("[HS256] by a secret (hidden)"), "{secret}");
        let url = shown(told(Some("https://issuer.example/jwks.json"), None, None));
        assert!(url.ends_with("by the keys at https://issuer.example/jwks.json"), "{url}");
    }

    #[test]
    fn what_would_let_anybody_in_is_refused_by_its_field() {
        let long = "s".repeat(32);
        let keys = || told(None, Some(JWKS), None);
        let url = |url| told(Some(url), None, None);
        for (told, field, problem) in [
            (IssuerTold { issuer: None, ..keys() }, "issuer", "missing"),
            (IssuerTold { audience: Some(" ".into()), ..keys() }, "audience", "missing"),
            (told(None, None, None), "jwks_url", "set one of"),
            (told(None, Some(JWKS), Some(&long)), "jwks_url", "set one of"),
            (told(None, None, Some(&long[1..])), "secret", "shorter than 32 bytes"),
            (told(None, Some("{}"), None), "jwks", "no JSON Web Key Set"),
            (told(None, Some(r#"{"keys": []}"#), None), "jwks", "none of its keys"),
            // A secret in a set that the world reads is none; a key for encryption signs nothing.
            (told(None, Some(r#"{"keys": [{"kty": "oct", "k": "AAAA"}]}"#), None), "jwks", "none"),
            (
                told(None, Some(&JWKS.replace("\"kid\"", "\"use\": \"enc\", \"kid\"")), None),
                "jwks",
                "none",
            ),
            (
                told(None, Some(&JWKS.replace("\"kid\"", "\"alg\": \"RS256\", \"kid\"")), None),
                "jwks",
                "none",
            ),
            (url("issuer.example/jwks"), "jwks_url", "no address"),
            (url("http://issuer.example/jwks"), "jwks_url", "https only"),
            (url("http://localhost.example/jwks"), "jwks_url", "https only"),
            (url("file:///etc/jwks"), "jwks_url", "no address"),
            (with(&["HS256"], keys()), "algorithms", "does not go with public keys"),
            (with(&["none"], keys()), "algorithms", "no algorithm"),
            (with(&[""], keys()), "algorithms", "no algorithm"),
            (with(&[], keys()), "algorithms", "names none"),
            (with(&["RS256"], told(None, None, Some(&long))), "algorithms", "with a secret"),
            (with(&["HS512"], told(None, None, Some(&long))), "algorithms", "with a secret"),
        ] {
            let refused = Issuer::new(told, false).unwrap_err();
            assert_eq!(refused.field, field, "{refused}");
            assert!(refused.problem.contains(problem), "{problem} in {refused}");
        }
    }

    #[test]
    fn keys_come_by_http_only_from_here_or_where_no_money_is() {
        let at =
            |url: &str, plain_http| Issuer::new(told(Some(url), None, None), plain_http).is_ok();
        for here in ["http://localhost:9/k", "http://127.0.0.1:9/k", "http://[::1]:9/k"] {
            assert!(at(here, false), "{here}");
        }
        assert!(at("http://issuer/k", true) && !at("http://issuer/k", false));
        assert!(!at("ftp://issuer/k", true));
    }
}
