//! How Stripe's API is reached: where it is, and a key for each mode of a business.

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::Mode;
use super::environment::{Environment, Setting};
use super::error::ConfigError;
use super::file;
use super::tenants::elsewhere;
use super::variables::{STRIPE_API_BASE, STRIPE_KEY};

/// Stripe's own address.
const STRIPE_API: &str = "https://api.stripe.com";

/// How keys that may read begin: secret and restricted ones.
const KEY_PREFIXES: [&str; 2] = ["sk_", "rk_"];

/// A key of Stripe's API.
#[derive(Clone, Debug)]
pub(crate) struct StripeKey {
    /// The mode that it opens.
    pub(crate) mode: Mode,
    /// The key.
    pub(crate) key: SecretString,
}

/// `STRIPE_SECRET_KEY`. A blank one counts as none: compose files hand on what may not be set.
pub(super) fn key_of_environment(
    environment: &Environment,
    mode: Option<Mode>,
) -> Result<Option<Setting<SecretString>>, ConfigError> {
    let setting = environment.get(&STRIPE_KEY)?.filter(|setting| !setting.value.is_empty());
    let key = setting.map(|setting| setting.map(SecretString::from));
    if let Some(key) = &key {
        check_key(&key.source.place(STRIPE_KEY.name), &key.value, mode)?;
    }
    Ok(key)
}

/// The keys of a business in the TOML file, one for each mode at most.
pub(super) fn keys_of_file(
    place: &str,
    keys: Vec<file::StripeKey>,
) -> Result<Vec<StripeKey>, ConfigError> {
    let mut read: Vec<StripeKey> = Vec::new();
    for file::StripeKey { mode, key, key_env, key_file } in keys {
        let place = format!("{place}.stripe_keys.{}", mode.name());
        let (at, key) = match (key, elsewhere(&place, key_env, key_file)?) {
            (Some(key), None) => (place.clone(), key),
            (None, Some(named)) => named,
            (None, None) | (Some(_), Some(_)) => {
                return Err(ConfigError::invalid(place, "name one of key, key_env and key_file"));
            }
        };
        let key = SecretString::from(key);
        check_key(&at, &key, Some(mode))?;
        if read.iter().any(|one| one.mode == mode) {
            return Err(ConfigError::invalid(place, "this mode has a key already"));
        }
        read.push(StripeKey { mode, key });
    }
    Ok(read)
}

/// Refuses what is no key that may read, and a key that says of itself that it is of the other mode.
pub(crate) fn check_key(
    place: &str,
    key: &SecretString,
    mode: Option<Mode>,
) -> Result<(), ConfigError> {
    let key = key.expose_secret();
    let is_plain = key.chars().all(|c| c.is_ascii_graphic());
    if !is_plain || !KEY_PREFIXES.iter().any(|prefix| key.starts_with(prefix)) {
        let problem = "it is no key of Stripe's API: those begin with sk_ or, restricted, with rk_";
        return Err(ConfigError::invalid(place, problem));
    }
    let Some(mode) = mode else { return Ok(()) };
    let other = if mode.is_live() { Mode::Test } else { Mode::Live };
    if key.contains(&format!("_{}_", other.name())) {
        let problem =
            format!("it is a key of {} mode where {} mode is set", other.name(), mode.name());
        return Err(ConfigError::invalid(place, problem));
    }
    Ok(())
}

/// `STRIPE_API_BASE`. The keys are sent there, so a live one goes nowhere in the clear.
pub(super) fn base(
    environment: &Environment,
    has_live: bool,
) -> Result<Setting<String>, ConfigError> {
    let Some(setting) = environment.get(&STRIPE_API_BASE)? else {
        return Ok(Setting::default(STRIPE_API.to_owned()));
    };
    let place = setting.source.place(STRIPE_API_BASE.name);
    setting.try_map(|text| {
        let bare = |url: &Url| url.has_host() && url.path() == "/" && url.query().is_none();
        let url = Url::parse(text.trim()).ok().filter(bare).ok_or_else(|| {
            ConfigError::invalid(&place, format!("it is no address like {STRIPE_API}"))
        })?;
        match url.scheme() {
            "https" => Ok(()),
            "http" if !has_live => Ok(()),
            _ => Err(ConfigError::invalid(&place, "keys of live mode are sent by https only")),
        }?;
        Ok(url.origin().ascii_serialization())
    })
}
