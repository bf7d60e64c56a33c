//! The businesses of the TOML file, judged: what is wrong is named by its place in the file.

use std::collections::BTreeSet;
use std::path::Path;

use keeper::catalogue::PriceEntry;
use ledger::account::ClawbackPolicy;
use rules::policy::Policy;
use store::PgUrl;
use store::units::Unit;
use stripe::signature::Secret;

use super::Mode;
use super::access::{TokenIssuer, issuers_of_file};
use super::environment::read_secret;
use super::error::ConfigError;
use super::stripe_api::{StripeKey, keys_of_file};
use super::{catalogue, file, units};

/// The tenant that there is when no file names one.
pub(crate) const DEFAULT_TENANT: &str = "default";

/// Longest name of a tenant or an endpoint.
const MAX_NAME_CHARS: usize = 64;

/// What the configuration says of one business.
#[derive(Clone, Debug)]
pub(crate) struct TenantSettings {
    /// Its name.
    pub(crate) name: String,
    /// Which names mean a user, and what may suffice.
    pub(crate) policy: Policy,
    /// Its webhook endpoints, but for that of `STRIPE_WEBHOOK_SECRET`.
    pub(crate) endpoints: Vec<EndpointSettings>,
    /// Its keys of Stripe's API, but for that of `STRIPE_SECRET_KEY`.
    pub(crate) stripe_keys: Vec<StripeKey>,
    /// Whose tokens its users come with, but for the issuer of `TALLY_JWT_ISSUER`.
    pub(crate) issuers: Vec<TokenIssuer>,
    /// Its kinds of credits; none: any name is one.
    pub(crate) units: Vec<Unit>,
    /// Its prices.
    pub(crate) catalogue: Vec<PriceEntry>,
    /// Where its app keeps its users.
    pub(crate) directory: Option<DirectorySettings>,
}

/// A webhook endpoint.
#[derive(Clone, Debug)]
pub(crate) struct EndpointSettings {
    /// Its name in the path.
    pub(crate) name: Option<String>,
    /// Mode of its secrets.
    pub(crate) mode: Mode,
    /// Any of these accepts.
    pub(crate) secrets: Vec<Secret>,
}

/// The app's own table of users.
#[derive(Clone, Debug)]
pub(crate) struct DirectorySettings {
    /// The query, with `$1` for the ids.
    pub(crate) query: String,
    /// Its database; `None`: that of `DATABASE_URL`.
    pub(crate) url: Option<PgUrl>,
}

impl TenantSettings {
    /// The one business of a configuration without a file.
    pub(crate) fn of_default() -> Self {
        Self {
            name: DEFAULT_TENANT.to_owned(),
            policy: Policy::default(),
            endpoints: Vec::new(),
            stripe_keys: Vec::new(),
            issuers: Vec::new(),
            units: Vec::new(),
            catalogue: Vec::new(),
            directory: None,
        }
    }
}

/// The businesses of a file, at least one.
pub(super) fn judge(
    path: &Path,
    tenants: Vec<file::Tenant>,
) -> Result<Vec<TenantSettings>, ConfigError> {
    let mut names = BTreeSet::new();
    let mut judged = Vec::new();
    for tenant in tenants {
        let place = format!("{}: tenants.{}", path.display(), tenant.name);
        check_name(&place, &tenant.name)?;
        if !names.insert(tenant.name.clone()) {
            return Err(ConfigError::invalid(place, "two tenants have this name"));
        }
        judged.push(judge_one(&place, tenant)?);
    }
    if judged.is_empty() {
        judged.push(TenantSettings::of_default());
    }
    Ok(judged)
}

fn judge_one(place: &str, tenant: file::Tenant) -> Result<TenantSettings, ConfigError> {
    let usual = Policy::default();
    let policy = Policy {
        user_id_keys: tenant.user_id_keys.unwrap_or(usual.user_id_keys),
        email_keys: tenant.email_keys.unwrap_or(usual.email_keys),
        accept_unsigned_reference: tenant.accept_unsigned_reference,
        // One list of keys serves all tenants; it is added where a tenant's mode is known.
        signing_keys: None,
        create_users: tenant.create_users,
        trusted_accounts: tenant.trusted_accounts,
        prorates: tenant.proration != file::Proration::Ignore,
        clawback: match tenant.clawback {
            file::Clawback::Debt => ClawbackPolicy::Debt,
            file::Clawback::WriteOff => ClawbackPolicy::WriteOff,
            file::Clawback::Freeze => ClawbackPolicy::Freeze,
        },
    };
    let units = units::judge(place, tenant.units)?;
    let endpoints = tenant.endpoints.into_iter().map(|one| endpoint(place, one));
    Ok(TenantSettings {
        name: tenant.name,
        policy,
        endpoints: endpoints.collect::<Result<_, ConfigError>>()?,
        stripe_keys: keys_of_file(place, tenant.stripe_keys)?,
        issuers: issuers_of_file(place, tenant.jwt)?,
        catalogue: catalogue::judge(place, tenant.catalogue, &units)?,
        units,
        directory: tenant.directory.map(|one| directory(place, one)).transpose()?,
    })
}

fn endpoint(place: &str, endpoint: file::Endpoint) -> Result<EndpointSettings, ConfigError> {
    let place = format!("{place}.endpoints.{}", endpoint.name.as_deref().unwrap_or("(no name)"));
    if let Some(name) = &endpoint.name {
        check_name(&place, name)?;
    }
    let mut secrets = parse_secrets(&place, &endpoint.secrets)?;
    if let Some((at, list)) = elsewhere(&place, endpoint.secret_env, endpoint.secret_file)? {
        secrets.extend(parse_secrets(&at, list.split(','))?);
    }
    if secrets.is_empty() {
        let problem = "it has no signing secret; set secrets, secret_env or secret_file";
        return Err(ConfigError::invalid(place, problem));
    }
    Ok(EndpointSettings { name: endpoint.name, mode: endpoint.mode, secrets })
}

/// Reads signing secrets; a weak one is refused by the place where it stands.
pub(super) fn parse_secrets(
    place: &str,
    texts: impl IntoIterator<Item = impl AsRef<str>>,
) -> Result<Vec<Secret>, ConfigError> {
    let parse = |text: &str| Secret::parse(text).map_err(|weak| ConfigError::invalid(place, weak));
    texts.into_iter().map(|text| parse(text.as_ref().trim_matches(' '))).collect()
}

/// What stands in a variable or a file that the TOML file names, and the place of it.
pub(super) fn elsewhere(
    place: &str,
    variable: Option<String>,
    file: Option<String>,
) -> Result<Option<(String, String)>, ConfigError> {
    match (variable, file) {
        (Some(_), Some(_)) => {
            Err(ConfigError::invalid(place, "a variable and a file are both named; name one"))
        }
        (Some(name), None) => {
            let at = format!("{place}: {name}");
            let value = std::env::var(&name);
            let value = value.map_err(|_| ConfigError::invalid(&at, "the variable is not set"))?;
            Ok(Some((at, value)))
        }
        (None, Some(path)) => {
            let value = read_secret(place, Path::new(&path))?;
            Ok(Some((format!("{place}: {path}"), value)))
        }
        (None, None) => Ok(None),
    }
}

fn directory(place: &str, directory: file::Directory) -> Result<DirectorySettings, ConfigError> {
    let place = format!("{place}.directory");
    if !directory.query.contains("$1") {
        let problem = "the query has no $1, the array of ids that it is asked for";
        return Err(ConfigError::invalid(place, problem));
    }
    let named = elsewhere(&place, directory.url_env, directory.url_file)?;
    let url = match (directory.url, named) {
        (Some(_), Some(_)) => {
            return Err(ConfigError::invalid(place, "its database is named twice; name it once"));
        }
        (Some(url), None) => Some(url),
        (None, named) => named.map(|(_, url)| url),
    };
    let url = url.map(|url| PgUrl::parse(&url)).transpose();
    let url = url.map_err(|error| ConfigError::invalid(&place, error))?;
    Ok(DirectorySettings { query: directory.query, url })
}

/// Names stand in paths and in logs.
fn check_name(place: &str, name: &str) -> Result<(), ConfigError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > MAX_NAME_CHARS || !name.chars().all(is_plain) {
        let problem =
            format!("a name is 1 to {MAX_NAME_CHARS} letters, digits, dashes and underscores");
        return Err(ConfigError::invalid(place, problem));
    }
    Ok(())
}
