//! The configuration: everything that the environment, `dev.env` and the TOML file say, resolved once, before anything
//! is done. What cannot be used stops the program here, with the name of the place.

pub(crate) mod access;
pub(crate) mod catalogue;
pub(crate) mod environment;
pub(crate) mod error;
mod file;
mod show;
pub(crate) mod stripe_api;
pub(crate) mod tenants;
#[cfg(test)]
mod tests;
mod units;
pub(crate) mod variables;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use rules::reference::SigningKeys;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use service::telemetry::LogFormat;
use store::PgUrl;
use store::keys::KeyRole;
use stripe::signature::Secret;

use crate::data_dir;
use access::AccessSettings;
use environment::{Environment, Setting};
use error::ConfigError;
use tenants::TenantSettings;
use variables::Variable;

/// Port of the public listener, unless something else is said.
const PORT: u16 = 8080;

/// Port of the admin listener.
const ADMIN_PORT: u16 = 9090;

/// Live or test mode, as Stripe has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Money.
    Live,
    /// None.
    Test,
}

/// Whether `dev.env` counts. It holds what `tally up` made, for whoever works on this machine; a service never reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DevEnv {
    /// For commands of people.
    Read,
    /// For services.
    Ignore,
}

/// Everything that was said, resolved.
pub(crate) struct Settings {
    /// Mode of the secrets and keys of the environment.
    pub(crate) mode: Option<Setting<Mode>>,
    /// The database.
    pub(crate) database: Option<Setting<PgUrl>>,
    /// The same without a pooler in between, where that has another address.
    pub(crate) direct_database: Option<Setting<PgUrl>>,
    /// Address of the public listener.
    pub(crate) listen: Setting<SocketAddr>,
    /// Address of the admin listener.
    pub(crate) admin_listen: Setting<SocketAddr>,
    /// Secrets of the webhook without a name.
    pub(crate) webhook_secrets: Option<Setting<Vec<Secret>>>,
    /// Key of Stripe's API.
    pub(crate) stripe_key: Option<Setting<SecretString>>,
    /// Address of Stripe's API.
    pub(crate) stripe_api_base: Setting<String>,
    /// Sign and verify checkout references.
    pub(crate) signing_keys: Option<Setting<SigningKeys>>,
    /// Who is let in but the holders of keys, and how often anybody is.
    pub(crate) access: AccessSettings,
    /// Folder of `up`.
    pub(crate) data_dir: Option<Setting<PathBuf>>,
    /// Folder of the private Postgres's programs.
    pub(crate) pg_bin: Option<Setting<String>>,
    /// What is logged.
    pub(crate) log_filter: Option<Setting<String>>,
    /// How log lines look.
    pub(crate) log_format: Setting<LogFormat>,
    /// Where commands find the service.
    pub(crate) url: Setting<String>,
    /// API keys for commands.
    pub(crate) keys: BTreeMap<KeyRole, Setting<SecretString>>,
    /// The TOML file.
    pub(crate) file: Option<Setting<PathBuf>>,
    /// Whether `POST /` is the webhook as well.
    pub(crate) alias_root: bool,
    /// The businesses, at least one.
    pub(crate) tenants: Vec<TenantSettings>,
}

impl Settings {
    /// Resolves what this process was told.
    pub(crate) fn load(dev_env: DevEnv) -> Result<Self, ConfigError> {
        let environment = Environment::of_process()?;
        let data_dir = data_dir(&environment)?.filter(|_| dev_env == DevEnv::Read);
        let Some(data_dir) = data_dir else { return Self::resolve(&environment) };
        Self::resolve(&environment.with_dev_env(data_dir.value.join(data_dir::DEV_ENV))?)
    }

    /// Resolves what an environment says.
    pub(crate) fn resolve(environment: &Environment) -> Result<Self, ConfigError> {
        let read = |variable: &Variable| environment.get(variable);
        let file = read(&variables::CONFIG)?.map(|path| path.map(PathBuf::from));
        let (alias_root, tenants) = match &file {
            Some(Setting { value: path, .. }) => {
                let said: file::File = file::read(variables::CONFIG.name, path)?;
                (said.alias_root, tenants::judge(path, said.tenants)?)
            }
            None => (false, vec![TenantSettings::of_default()]),
        };
        let mode = parse(environment, &variables::MODE)?;
        let own_mode = mode.as_ref().map(|mode: &Setting<Mode>| mode.value);
        let keys_of_file = tenants.iter().flat_map(|tenant| &tenant.stripe_keys);
        let has_live = keys_of_file.map(|one| one.mode).chain(own_mode).any(Mode::is_live);
        let listen = listen(environment)?;
        Ok(Self {
            database: database(environment, &variables::DATABASE_URL)?,
            direct_database: database(environment, &variables::DATABASE_DIRECT_URL)?,
            admin_listen: address(environment, &variables::ADMIN_LISTEN)?
                .unwrap_or_else(|| Setting::default(loopback(ADMIN_PORT))),
            webhook_secrets: webhook_secrets(environment)?,
            stripe_key: stripe_api::key_of_environment(environment, own_mode)?,
            stripe_api_base: stripe_api::base(environment, has_live)?,
            signing_keys: signing_keys(environment)?,
            access: access::of_environment(environment, own_mode)?,
            data_dir: data_dir(environment)?,
            pg_bin: read(&variables::PG_BIN)?,
            log_filter: read(&variables::RUST_LOG)?,
            log_format: parse(environment, &variables::LOG_FORMAT)?
                .unwrap_or_else(|| Setting::default(LogFormat::default())),
            url: read(&variables::URL)?.unwrap_or_else(|| Setting::default(url_of(listen.value))),
            keys: keys(environment)?,
            mode,
            listen,
            file,
            alias_root,
            tenants,
        })
    }

    /// The mode, for a command that cannot do without.
    pub(crate) fn require_mode(&self) -> Result<Mode, ConfigError> {
        let what_to_do = "say live or test: the mode of the secrets and keys here";
        self.mode
            .as_ref()
            .map(|mode| mode.value)
            .ok_or(ConfigError::Missing { name: variables::MODE.name, what_to_do })
    }

    /// The database, for a command that cannot do without.
    pub(crate) fn require_database(&self) -> Result<&PgUrl, ConfigError> {
        let what_to_do =
            "say where Postgres is (postgres://…), or let `tally up` start a private one";
        self.database
            .as_ref()
            .map(|url| &url.value)
            .ok_or(ConfigError::Missing { name: variables::DATABASE_URL.name, what_to_do })
    }

    /// The modes that anything here belongs to, given that of the environment. Live brings test along: a live Connect
    /// endpoint is sent events of test mode as well.
    pub(crate) fn modes(&self, own: Mode) -> Vec<Mode> {
        let endpoints = self.tenants.iter().flat_map(|tenant| &tenant.endpoints);
        let mut modes: Vec<Mode> = endpoints.map(|endpoint| endpoint.mode).chain([own]).collect();
        if modes.contains(&Mode::Live) {
            modes.push(Mode::Test);
        }
        modes.sort();
        modes.dedup();
        modes
    }
}

impl Mode {
    /// Whether it is live.
    pub(crate) const fn is_live(self) -> bool {
        matches!(self, Self::Live)
    }

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

impl FromStr for Mode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "live" => Ok(Self::Live),
            "test" => Ok(Self::Test),
            _ => Err("it is live or test"),
        }
    }
}

/// How a listener is called by whoever stands beside it.
pub(crate) fn url_of(address: SocketAddr) -> String {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// A variable that has to be of a type.
fn parse<T: FromStr<Err: fmt::Display>>(
    environment: &Environment,
    variable: &Variable,
) -> Result<Option<Setting<T>>, ConfigError> {
    let Some(setting) = environment.get(variable)? else { return Ok(None) };
    let place = setting.source.place(variable.name);
    let invalid = |error: T::Err| ConfigError::invalid(place, error);
    setting.try_map(|text| text.trim().parse().map_err(invalid)).map(Some)
}

fn database(
    environment: &Environment,
    variable: &Variable,
) -> Result<Option<Setting<PgUrl>>, ConfigError> {
    let setting = environment.get(variable)?;
    let Some(setting) = setting.filter(|setting| !setting.value.is_empty()) else {
        return Ok(None);
    };
    let place = setting.source.place(variable.name);
    let invalid = |error| ConfigError::invalid(place, error);
    setting.try_map(|text| PgUrl::parse(&text).map_err(invalid)).map(Some)
}

/// `TALLY_LISTEN`; else `HOST` and `PORT`. Platforms that set a port want it served on all addresses.
fn listen(environment: &Environment) -> Result<Setting<SocketAddr>, ConfigError> {
    if let Some(address) = address(environment, &variables::LISTEN)? {
        return Ok(address);
    }
    let port: Option<Setting<u16>> = parse(environment, &variables::PORT)?;
    let host: Option<Setting<IpAddr>> = parse(environment, &variables::HOST)?;
    Ok(match (host, port) {
        (None, None) => Setting::default(loopback(PORT)),
        (None, Some(port)) => port.map(|port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
        (Some(host), port) => {
            host.map(|host| SocketAddr::new(host, port.map_or(PORT, |port| port.value)))
        }
    })
}

fn address(
    environment: &Environment,
    variable: &Variable,
) -> Result<Option<Setting<SocketAddr>>, ConfigError> {
    let Some(setting) = environment.get(variable)? else { return Ok(None) };
    let place = setting.source.place(variable.name);
    setting
        .try_map(|text| parse_address(&text).map_err(|what| ConfigError::invalid(place, what)))
        .map(Some)
}

/// Reads `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`.
pub(crate) fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let named = text.trim().replace("localhost:", "127.0.0.1:");
    named.parse().map_err(|_| "it is not an address with a port, such as 127.0.0.1:8080".to_owned())
}

fn webhook_secrets(environment: &Environment) -> Result<Option<Setting<Vec<Secret>>>, ConfigError> {
    let variable = &variables::WEBHOOK_SECRET;
    let Some(setting) = environment.get(variable)? else { return Ok(None) };
    let place = setting.source.place(variable.name);
    setting.try_map(|list| tenants::parse_secrets(&place, list.split(','))).map(Some)
}

fn signing_keys(environment: &Environment) -> Result<Option<Setting<SigningKeys>>, ConfigError> {
    let variable = &variables::SIGNING_KEY;
    let Some(setting) = environment.get(variable)? else { return Ok(None) };
    let place = setting.source.place(variable.name);
    let invalid = |error| ConfigError::invalid(place, error);
    setting.try_map(|list| SigningKeys::parse(&list).map_err(invalid)).map(Some)
}

fn keys(
    environment: &Environment,
) -> Result<BTreeMap<KeyRole, Setting<SecretString>>, ConfigError> {
    let mut keys = BTreeMap::new();
    for (role, variable) in data_dir::KEYS {
        let setting = environment.get(variable)?.map(|setting| setting.map(SecretString::from));
        let is_set = |key: &Setting<SecretString>| !key.value.expose_secret().is_empty();
        keys.extend(setting.filter(is_set).map(|setting| (role, setting)));
    }
    Ok(keys)
}

/// Whoever has no home folder has none either.
fn data_dir(environment: &Environment) -> Result<Option<Setting<PathBuf>>, ConfigError> {
    let named = environment.get(&variables::DATA_DIR)?.map(|folder| folder.map(PathBuf::from));
    Ok(named.or_else(|| data_dir::default().map(Setting::default)))
}
