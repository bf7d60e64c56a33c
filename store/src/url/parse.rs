//! The grammar of libpq's URLs (PostgreSQL manual, 34.1.1.2) and the meaning of their keys.

use std::borrow::Cow;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, Host, LoadBalanceHosts, TargetSessionAttrs};

use super::{PgUrl, Tls};

/// Where servers put their Unix socket if nobody says otherwise: Debian's folder, then PostgreSQL's own.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// Ends of the host names of hosted poolers that run in transaction mode, with the port if only that one does.
const HOSTED_POOLERS: [(&str, Option<u16>); 1] = [(".pooler.supabase.com", Some(6543))];

/// Neon's pooler is another host name of the same server: `ep-name-pooler.region.…neon.tech`.
const NEON_POOLER: (&str, &str) = ("-pooler", ".neon.tech");

/// Why a text is no connection URL. It never quotes the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Another scheme, or none.
    #[error("a connection URL begins with postgres:// or postgresql://")]
    Scheme,
    /// `%` that is not followed by two hexadecimal digits of valid UTF-8.
    #[error("the connection URL has a broken percent sequence in its {0}")]
    Encoding(&'static str),
    /// A port that is no number from 1 to 65535.
    #[error("the connection URL has a port that is no number from 1 to 65535")]
    Port,
    /// A known key whose value is not one of those that it may have.
    #[error("the connection URL's {key} must be {expected}")]
    Value {
        /// The key.
        key: &'static str,
        /// What it may be.
        expected: &'static str,
    },
    /// As many ports as hosts, or one for all.
    #[error("the connection URL names {hosts} hosts and {ports} ports")]
    Ports {
        /// How many hosts.
        hosts: usize,
        /// How many ports.
        ports: usize,
    },
    /// `channel_binding=require` needs TLS.
    #[error("the connection URL requires channel binding, which needs TLS: sslmode is disable")]
    BindingWithoutTls,
}

/// What is collected from the parts of the URL before it can be judged as a whole.
#[derive(Default)]
struct Parts {
    config: Config,
    hosts: Vec<String>,
    ports: Vec<u16>,
    sslmode: Option<String>,
    root_certificates: Option<PathBuf>,
    pooled: Option<bool>,
    warnings: Vec<String>,
}

pub(super) fn parse(text: &str) -> Result<PgUrl, UrlError> {
    let text = text.trim();
    let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
    let (rest, query) = split(rest.ok_or(UrlError::Scheme)?, '?');
    let (authority, path) = split(rest, '/');
    let (credentials, hosts) = match authority.rsplit_once('@') {
        Some((credentials, hosts)) => (Some(credentials), hosts),
        None => (None, authority),
    };

    let mut parts = Parts::default();
    if let Some((user, password)) = credentials.map(|c| split(c, ':')) {
        parts.user(&decode(user, "user")?);
        parts.password(&decode(password, "password")?);
    }
    parts.hosts(hosts)?;
    parts.database(&decode(path, "database")?);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = split(pair, '=');
        parts.key(&decode(key, "keys")?, &decode(value, "values")?)?;
    }
    parts.judge()
}

impl Parts {
    fn user(&mut self, user: &str) {
        if !user.is_empty() {
            self.config.user(user);
        }
    }

    fn password(&mut self, password: &str) {
        if !password.is_empty() {
            self.config.password(password);
        }
    }

    fn database(&mut self, name: &str) {
        if !name.is_empty() {
            self.config.dbname(name);
        }
    }

    /// `host`, `host:port`, `[::1]:port`, or several of them with commas.
    fn hosts(&mut self, hosts: &str) -> Result<(), UrlError> {
        for host in hosts.split(',').filter(|host| !host.is_empty()) {
            let (name, port) = match host.strip_prefix('[') {
                Some(v6) => {
                    let (name, rest) = split(v6, ']');
                    (name, rest.strip_prefix(':').unwrap_or_default())
                }
                None => split(host, ':'),
            };
            if !name.is_empty() {
                self.hosts.push(decode(name, "host")?.into_owned());
            }
            if !port.is_empty() {
                self.ports.push(read_port(port)?);
            }
        }
        Ok(())
    }

    fn key(&mut self, key: &str, value: &str) -> Result<(), UrlError> {
        match key {
            "host" => self.hosts = value.split(',').map(str::to_owned).collect(),
            "port" => self.ports = value.split(',').map(read_port).collect::<Result<_, _>>()?,
            "user" => self.user(value),
            "password" => self.password(value),
            "dbname" => self.database(value),
            "sslmode" => self.sslmode = Some(value.to_owned()),
            "ssl" if value == "true" => self.sslmode = Some("verify-full".to_owned()), // JDBC's
            "sslrootcert" => self.root_certificates = Some(PathBuf::from(value)),
            "channel_binding" => {
                self.config.channel_binding(channel_binding(value)?);
            }
            "options" => {
                self.config.options(value);
            }
            "application_name" => {
                self.config.application_name(value);
            }
            "connect_timeout" => self.connect_timeout(value)?,
            "target_session_attrs" => {
                self.config.target_session_attrs(target_session_attrs(value)?);
            }
            "load_balance_hosts" => {
                self.config.load_balance_hosts(load_balance_hosts(value)?);
            }
            "pgbouncer" => self.pooled = Some(boolean("pgbouncer", value)?),
            _ => self.warnings.push(format!("the connection URL's key {key} is not known here")),
        }
        Ok(())
    }

    /// Seconds; 0 means no limit of its own, as in libpq.
    fn connect_timeout(&mut self, value: &str) -> Result<(), UrlError> {
        let expected = UrlError::Value { key: "connect_timeout", expected: "a number of seconds" };
        let seconds = value.parse().map_err(|_| expected)?;
        if seconds > 0 {
            self.config.connect_timeout(Duration::from_secs(seconds));
        }
        Ok(())
    }

    fn judge(mut self) -> Result<PgUrl, UrlError> {
        if self.hosts.is_empty() {
            let here = SOCKET_FOLDERS.into_iter().find(|folder| Path::new(folder).is_dir());
            self.hosts.extend(here.map(str::to_owned));
        }
        if self.ports.len() > 1 && self.ports.len() != self.hosts.len() {
            return Err(UrlError::Ports { hosts: self.hosts.len(), ports: self.ports.len() });
        }
        for host in &self.hosts {
            self.config.host(host);
        }
        for port in &self.ports {
            self.config.port(*port);
        }
        let tls = self.tls()?;
        self.config.ssl_mode(match tls {
            Tls::Off => tokio_postgres::config::SslMode::Disable,
            Tls::IfOffered => tokio_postgres::config::SslMode::Prefer,
            Tls::Unverified | Tls::Issuer | Tls::Full => tokio_postgres::config::SslMode::Require,
        });
        if tls == Tls::Off && self.config.get_channel_binding() == ChannelBinding::Require {
            return Err(UrlError::BindingWithoutTls);
        }
        Ok(PgUrl {
            pooled: self.pooled.unwrap_or_else(|| self.is_hosted_pooler()),
            config: self.config,
            tls,
            root_certificates: self.root_certificates,
            warnings: self.warnings,
        })
    }

    fn tls(&mut self) -> Result<Tls, UrlError> {
        let remote = self.config.get_hosts().iter().any(is_remote);
        let system = Path::new("system"); // libpq's name for the bundled certificates; it implies verify-full
        let own_roots = self.root_certificates.take_if(|file| file == system).is_none()
            && self.root_certificates.is_some();
        let tls = match self.sslmode.as_deref() {
            None if remote => Tls::Full,
            None | Some("disable") => Tls::Off,
            Some("allow" | "prefer") => Tls::IfOffered,
            Some("require") if own_roots => Tls::Issuer,
            Some("require") => Tls::Unverified,
            Some("verify-ca") => Tls::Issuer,
            Some("verify-full") => Tls::Full,
            Some(_) => {
                let expected = "disable, allow, prefer, require, verify-ca or verify-full";
                return Err(UrlError::Value { key: "sslmode", expected });
            }
        };
        // Channel binding proves that the server knows the password and ends this very encryption.
        let bound = self.config.get_channel_binding() == ChannelBinding::Require;
        let warning = match tls {
            Tls::Off if remote => "sslmode=disable sends everything in plain text",
            Tls::IfOffered if remote => "sslmode=prefer falls back to plain text",
            Tls::Unverified if remote && !bound => {
                "sslmode=require encrypts, but does not check who answers; verify-full does"
            }
            Tls::Off | Tls::IfOffered | Tls::Unverified | Tls::Issuer | Tls::Full => {
                return Ok(tls);
            }
        };
        self.warnings.push(warning.to_owned());
        Ok(tls)
    }

    fn is_hosted_pooler(&self) -> bool {
        self.hosts.iter().any(|host| {
            let (label, end) = NEON_POOLER;
            let first = host.split('.').next().unwrap_or_default();
            let neon = host.ends_with(end) && first.ends_with(label);
            let other = HOSTED_POOLERS.iter().any(|(end, port)| {
                host.ends_with(end) && port.is_none_or(|port| self.ports.contains(&port))
            });
            neon || other
        })
    }
}

/// True for a server that is reached over a network.
fn is_remote(host: &Host) -> bool {
    match host {
        Host::Unix(_) => false,
        Host::Tcp(name) => match name.parse::<IpAddr>() {
            Ok(address) => !address.is_loopback(),
            Err(_) => name != "localhost" && !name.ends_with(".localhost"),
        },
    }
}

fn channel_binding(value: &str) -> Result<ChannelBinding, UrlError> {
    match value {
        "disable" => Ok(ChannelBinding::Disable),
        "prefer" => Ok(ChannelBinding::Prefer),
        "require" => Ok(ChannelBinding::Require),
        _ => {
            let expected = "disable, prefer or require";
            Err(UrlError::Value { key: "channel_binding", expected })
        }
    }
}

fn target_session_attrs(value: &str) -> Result<TargetSessionAttrs, UrlError> {
    match value {
        "any" => Ok(TargetSessionAttrs::Any),
        "read-write" | "primary" => Ok(TargetSessionAttrs::ReadWrite),
        "read-only" => Ok(TargetSessionAttrs::ReadOnly),
        _ => {
            let expected = "any, read-write, primary or read-only";
            Err(UrlError::Value { key: "target_session_attrs", expected })
        }
    }
}

fn load_balance_hosts(value: &str) -> Result<LoadBalanceHosts, UrlError> {
    match value {
        "disable" => Ok(LoadBalanceHosts::Disable),
        "random" => Ok(LoadBalanceHosts::Random),
        _ => Err(UrlError::Value { key: "load_balance_hosts", expected: "disable or random" }),
    }
}

fn boolean(key: &'static str, value: &str) -> Result<bool, UrlError> {
    value.parse().map_err(|_| UrlError::Value { key, expected: "true or false" })
}

fn read_port(text: &str) -> Result<u16, UrlError> {
    text.parse().ok().filter(|port| *port > 0).ok_or(UrlError::Port)
}

/// Splits at the first `at`; without one, the second half is empty.
fn split(text: &str, at: char) -> (&str, &str) {
    text.split_once(at).unwrap_or((text, ""))
}

fn decode<'a>(text: &'a str, part: &'static str) -> Result<Cow<'a, str>, UrlError> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next(), rest.next()].map(Option::unwrap_or_default);
            let mut decoded = [0];
            hex::decode_to_slice(digits, &mut decoded).map_err(|_| UrlError::Encoding(part))?;
            bytes.extend(decoded);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| UrlError::Encoding(part))
}
