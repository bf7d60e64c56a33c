//! The log: one subscriber for the process, on stderr, so that stdout stays for data.

use std::backtrace::Backtrace;
use std::io::{self, IsTerminal as _};
use std::panic::PanicHookInfo;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What is logged when `RUST_LOG` is not set.
const DEFAULT_FILTER: &str = "info";

/// What no filter makes more talkative: below this they write what passes through them, bodies and keys included.
const NEVER_BELOW_INFO: [&str; 2] = ["tokio_postgres=info", "h2=info"];

/// How log lines look (`LOG_FORMAT`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// For people.
    #[default]
    Pretty,
}

/// The log cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// `LOG_FORMAT` has another value.
    #[error("LOG_FORMAT is {0:?}; set it to json or pretty")]
    Format(String),
    /// `RUST_LOG` cannot be read.
    #[error("RUST_LOG is not a filter such as `info` or `info,ingest=debug`")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// This process has a subscriber already.
    #[error("the log of this process is set up twice")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

impl FromStr for LogFormat {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        match text {
            "json" => Ok(Self::Json),
            "pretty" => Ok(Self::Pretty),
            other => Err(LogError::Format(other.to_owned())),
        }
    }
}

/// Sends the log to stderr, panics included. `filter` is the text of `RUST_LOG`, if set.
pub fn init_logs(filter: Option<&str>, format: LogFormat) -> Result<(), LogError> {
    let mut filter = EnvFilter::builder().parse(filter.unwrap_or(DEFAULT_FILTER))?;
    for directive in NEVER_BELOW_INFO {
        filter = filter.add_directive(directive.parse()?);
    }
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init()?,
        LogFormat::Pretty => lines.with_ansi(use_colour()).finish().try_init()?,
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// A panic is one log line like any other. Its message is shown only if it is a literal: a formatted one may hold
/// what somebody sent.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload().downcast_ref::<&'static str>().copied();
    let message = message.unwrap_or("(its message may hold data)");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let request_id = crate::http::request_id().map(|id| id.to_string()).unwrap_or_default();
    let backtrace = Backtrace::capture();
    tracing::error!(%place, request_id, %backtrace, "panicked: {message}");
}

/// Colour is for a person at a terminal who did not ask for none (<https://no-color.org>).
fn use_colour() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_named() {
        assert_eq!("json".parse::<LogFormat>().unwrap(), LogFormat::Json);
        assert_eq!("pretty".parse::<LogFormat>().unwrap(), LogFormat::Pretty);
        assert!("xml".parse::<LogFormat>().unwrap_err().to_string().contains("LOG_FORMAT"));
    }

    #[test]
    fn a_bad_filter_is_refused() {
        assert!(matches!(init_logs(Some("info,=="), LogFormat::Json), Err(LogError::Filter(_))));
    }
}
