//! Who is let in but the holders of keys, and how often anybody is: the issuer of the app's tokens, the origins of its pages,
//! the limits of rates.

use std::fmt;

use api::{Issuer, IssuerTold, Origins, RateLimit};
use secrecy::SecretString;

use super::environment::{Environment, Setting};
use super::error::ConfigError;
use super::file;
use super::tenants::elsewhere;
use super::variables::{
    CORS_ORIGINS, JWT_ALGORITHMS, JWT_AUDIENCE, JWT_ISSUER, JWT_JWKS, JWT_JWKS_URL, JWT_RATE_LIMIT,
    JWT_SECRET, RATE_LIMIT, Variable,
};
use super::{Mode, parse};

/// How often a user may ask unless something else is said: some open pages that ask again and again, and no more.
const USUAL_USER_LIMIT: &str = "20:100";

/// The variables behind the fields of [`IssuerTold`].
const ISSUER_FIELDS: [(&str, &Variable); 6] = [
    ("issuer", &JWT_ISSUER),
    ("audience", &JWT_AUDIENCE),
    ("algorithms", &JWT_ALGORITHMS),
    ("jwks_url", &JWT_JWKS_URL),
    ("jwks", &JWT_JWKS),
    ("secret", &JWT_SECRET),
];

/// What the environment says.
#[derive(Debug)]
pub(crate) struct AccessSettings {
    /// What is said of its issuer, by variable; all of it is shown but a secret and keys.
    pub(super) said: Vec<(&'static Variable, Option<Setting<String>>)>,
    /// The issuer of the tokens that users of the only tenant come with.
    pub(crate) issuer: Option<Issuer>,
    /// Whose pages may read.
    pub(crate) origins: Option<Setting<Origins>>,
    /// How often the holder of a key may ask.
    pub(crate) key_limit: Setting<Limit>,
    /// How often a user may ask.
    pub(crate) user_limit: Setting<Limit>,
}

/// An issuer, and in which mode its tokens count.
#[derive(Clone, Debug)]
pub(crate) struct TokenIssuer {
    /// The mode.
    pub(crate) mode: Mode,
    /// The issuer.
    pub(crate) issuer: Issuer,
}

/// A limit, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) Option<RateLimit>);

impl std::str::FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" { Ok(Self(None)) } else { text.parse().map(Some).map(Self) }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(limit) => limit.fmt(f),
            None => f.write_str("off"),
        }
    }
}

/// What the environment says, whose secrets are of this mode.
pub(super) fn of_environment(
    environment: &Environment,
    mode: Option<Mode>,
) -> Result<AccessSettings, ConfigError> {
    let mut said = Vec::new();
    for (_, variable) in ISSUER_FIELDS {
        // Compose files hand on what may not be set.
        let value = environment.get(variable)?.filter(|setting| !setting.value.trim().is_empty());
        said.push((variable, value));
    }
    let is_live = mode.is_some_and(Mode::is_live);
    let origins = environment.get(&CORS_ORIGINS)?.map(|setting| {
        let place = setting.source.place(CORS_ORIGINS.name);
        setting
            .try_map(|list| Origins::parse(&list).map_err(|what| ConfigError::invalid(place, what)))
    });
    let usual =
        USUAL_USER_LIMIT.parse().map_err(|what| ConfigError::invalid(JWT_RATE_LIMIT.name, what));
    let usual = Setting::default(Limit(Some(usual?)));
    Ok(AccessSettings {
        issuer: issuer_of_environment(&said, !is_live)?,
        said,
        origins: origins.transpose()?,
        key_limit: parse(environment, &RATE_LIMIT)?.unwrap_or(Setting::default(Limit(None))),
        user_limit: parse(environment, &JWT_RATE_LIMIT)?.unwrap_or(usual),
    })
}

fn issuer_of_environment(
    said: &[(&'static Variable, Option<Setting<String>>)],
    plain_http: bool,
) -> Result<Option<Issuer>, ConfigError> {
    if said.iter().all(|(_, setting)| setting.is_none()) {
        return Ok(None);
    }
    let setting = |variable: &Variable| {
        said.iter().find(|(one, _)| *one == variable).and_then(|(_, setting)| setting.as_ref())
    };
    let value =
        |variable: &Variable| setting(variable).map(|setting| setting.value.trim().to_owned());
    let told = IssuerTold {
        issuer: value(&JWT_ISSUER),
        audience: value(&JWT_AUDIENCE),
        algorithms: value(&JWT_ALGORITHMS).map(|list| list.split(',').map(str::to_owned).collect()),
        jwks_url: value(&JWT_JWKS_URL),
        jwks: value(&JWT_JWKS),
        // Whether it is trimmed is the issuer's affair: these are bytes.
        secret: setting(&JWT_SECRET).map(|secret| SecretString::from(secret.value.clone())),
    };
    Issuer::new(told, plain_http).map(Some).map_err(|error| {
        let named = ISSUER_FIELDS.into_iter().find(|(field, _)| *field == error.field);
        let place = named.map(|(_, variable)| {
            let source = setting(variable).map(|setting| setting.source.place(variable.name));
            source.unwrap_or_else(|| variable.name.to_owned())
        });
        ConfigError::invalid(place.unwrap_or_else(|| JWT_ISSUER.name.to_owned()), error)
    })
}

/// The issuers of a business in the TOML file.
pub(super) fn issuers_of_file(
    place: &str,
    issuers: Vec<file::Jwt>,
) -> Result<Vec<TokenIssuer>, ConfigError> {
    issuers.into_iter().map(|one| issuer_of_file(place, one)).collect()
}

fn issuer_of_file(place: &str, told: file::Jwt) -> Result<TokenIssuer, ConfigError> {
    let place = format!("{place}.jwt.{}", told.mode.name());
    let jwks = elsewhere(&place, None, told.jwks_file)?.map(|(_, jwks)| jwks);
    let secret = elsewhere(&place, told.secret_env, told.secret_file)?.map(|(_, secret)| secret);
    let mode = told.mode;
    let told = IssuerTold {
        issuer: Some(told.issuer),
        audience: Some(told.audience),
        algorithms: told.algorithms,
        jwks_url: told.jwks_url,
        jwks,
        secret: secret.map(SecretString::from),
    };
    let issuer = Issuer::new(told, !mode.is_live());
    let invalid =
        |error: api::IssuerError| ConfigError::invalid(format!("{place}.{}", error.field), error);
    Ok(TokenIssuer { mode, issuer: issuer.map_err(invalid)? })
}
