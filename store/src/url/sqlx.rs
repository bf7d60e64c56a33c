//! The address as `sqlx` reads it. It knows one host only, takes a missing `sslmode` for `prefer`, and fails on
//! `postgres://user@/database`, so everything is said in full.

use std::fmt::Write as _;

use tokio_postgres::config::Host;

use super::{PgUrl, Tls};

pub(super) fn write(url: &PgUrl) -> String {
    let config = &url.config;
    let mut text = String::from("postgres://");
    if let Some(user) = config.get_user() {
        text.push_str(&encode(user.as_bytes()));
        if let Some(password) = config.get_password() {
            text.push(':');
            text.push_str(&encode(password));
        }
        text.push('@');
    }
    match config.get_hosts().first() {
        Some(Host::Tcp(name)) if name.contains(':') => text.extend(["[", name, "]"]),
        Some(Host::Tcp(name)) => text.push_str(name),
        Some(Host::Unix(folder)) => text.push_str(&encode(folder.as_os_str().as_encoded_bytes())),
        None => {}
    }
    if let Some(port) = config.get_ports().first() {
        let _ = write!(text, ":{port}");
    }
    text.push('/');
    text.push_str(&encode(config.get_dbname().unwrap_or_default().as_bytes()));
    text.push_str("?sslmode=");
    text.push_str(match url.tls {
        Tls::Off => "disable",
        Tls::IfOffered => "prefer",
        Tls::Unverified => "require",
        Tls::Issuer => "verify-ca",
        Tls::Full => "verify-full",
    });
    if let Some(file) = &url.root_certificates {
        text.push_str("&sslrootcert=");
        text.push_str(&encode(file.as_os_str().as_encoded_bytes()));
    }
    if let Some(options) = config.get_options() {
        text.push_str("&options=");
        text.push_str(&encode(options.as_bytes()));
    }
    text
}

/// Percent-encodes everything but letters, digits and what no URL minds.
fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(*byte));
            }
            other => {
                let _ = write!(text, "%{other:02X}");
            }
        }
    }
    text
}
