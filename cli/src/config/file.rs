//! The TOML file as it is written. What it says is judged in [`super::tenants`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Mode;
use super::catalogue::Price;
use super::error::ConfigError;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Whether `POST /` is the webhook as well.
    #[serde(default)]
    pub(super) alias_root: bool,
    /// The businesses; none is the one called `default`.
    #[serde(default)]
    pub(super) tenants: Vec<Tenant>,
}

/// One business.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tenant {
    pub(super) name: String,
    /// Metadata keys that name a user.
    pub(super) user_id_keys: Option<Vec<String>>,
    /// Metadata keys that hold an e-mail.
    pub(super) email_keys: Option<Vec<String>>,
    /// Whether an unsigned `client_reference_id` suffices.
    #[serde(default)]
    pub(super) accept_unsigned_reference: bool,
    /// Whether evidence of the ranks 1 to 3 may add a user to the directory.
    #[serde(default)]
    pub(super) create_users: bool,
    /// Connected accounts whose metadata are one's own; none named: all.
    pub(super) trusted_accounts: Option<BTreeSet<String>>,
    #[serde(default)]
    pub(super) proration: Proration,
    /// What becomes of credits that are taken back after they were spent.
    #[serde(default)]
    pub(super) clawback: Clawback,
    #[serde(default)]
    pub(super) endpoints: Vec<Endpoint>,
    /// Keys of Stripe's API.
    #[serde(default)]
    pub(super) stripe_keys: Vec<StripeKey>,
    /// Issuers of the tokens that its users come with.
    #[serde(default)]
    pub(super) jwt: Vec<Jwt>,
    /// Kinds of credits; none: any name is one.
    #[serde(default)]
    pub(super) units: Vec<Unit>,
    /// By Stripe's `price_…` or `prod_…`, or `lookup_key:…`.
    #[serde(default)]
    pub(super) catalogue: BTreeMap<String, Price>,
    pub(super) directory: Option<Directory>,
}

/// A webhook endpoint. Its secrets stand here, or in a variable, or in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Endpoint {
    /// Its name in the path; none: the endpoint without a name.
    pub(super) name: Option<String>,
    pub(super) mode: Mode,
    #[serde(default)]
    pub(super) secrets: Vec<String>,
    /// A variable with a comma separated list.
    pub(super) secret_env: Option<String>,
    /// A file with a comma separated list.
    pub(super) secret_file: Option<String>,
}

/// A key of Stripe's API. It stands here, or in a variable, or in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StripeKey {
    pub(super) mode: Mode,
    pub(super) key: Option<String>,
    pub(super) key_env: Option<String>,
    pub(super) key_file: Option<String>,
}

/// An issuer of tokens. Its keys are read from where it says, or stand in a file; or a secret stands in a variable or a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Jwt {
    pub(super) mode: Mode,
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) algorithms: Option<Vec<String>>,
    pub(super) jwks_url: Option<String>,
    pub(super) jwks_file: Option<String>,
    pub(super) secret_env: Option<String>,
    pub(super) secret_file: Option<String>,
}

/// A kind of credits.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unit {
    pub(super) name: String,
    /// Digits behind the point where amounts are shown.
    #[serde(default)]
    pub(super) scale: u8,
    /// Whether it is meant where none is named.
    #[serde(default)]
    pub(super) default: bool,
}

/// Where the app keeps its users.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Directory {
    pub(super) query: String,
    /// Its database; none of the three: that of `DATABASE_URL`.
    pub(super) url: Option<String>,
    pub(super) url_env: Option<String>,
    pub(super) url_file: Option<String>,
}

/// Reads the file at `path`, which `place` names.
pub(super) fn read<T: DeserializeOwned>(place: &str, path: &Path) -> Result<T, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        place: place.to_owned(),
        path: path.to_owned(),
        source,
    })?;
    toml::from_str(&text).map_err(|error| {
        // The error's own text quotes the line, and that line may hold a secret.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        ConfigError::invalid(
            format!("{} line {line}", path.display()),
            without_value(error.message()),
        )
    })
}

/// What a TOML error says, without the value that it quotes: a secret may stand where something else is expected.
fn without_value(message: &str) -> String {
    let quotes = ["invalid type: ", "invalid value: ", "unknown variant "];
    if !quotes.iter().any(|beginning| message.starts_with(beginning)) {
        return message.to_owned();
    }
    let expected =
        message.rsplit_once("expected ").map_or("another value", |(_, expected)| expected);
    format!("what stands there will not do: expected {expected}")
}

/// What lines count that adjust a period billed before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Proration {
    /// Their share of the period.
    #[default]
    Proportional,
    /// Nothing.
    Ignore,
}

/// What becomes of credits that are taken back after they were spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Clawback {
    /// They are owed.
    #[default]
    Debt,
    /// The business bears them.
    WriteOff,
    /// They are owed, and the account is frozen.
    Freeze,
}
