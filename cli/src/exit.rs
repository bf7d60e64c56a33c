//! How a command ends: the exit codes, and which failure has which.

use std::io;
use std::process::ExitCode;

use reqwest::StatusCode;

use crate::client::Refused;
use crate::config::error::ConfigError;
use crate::output::say;

/// How a command ended, for whoever called it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well.
    Fine,
    /// It failed.
    Failed,
    /// It was called, or configured, in a way that cannot work.
    Usage,
    /// It checked, and found differences.
    Differences,
    /// It could not reach what it needs, or may not.
    Unreachable,
    /// It was interrupted by a person.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Differences => 3,
            Exit::Unreachable => 4,
            Exit::Interrupted => 130,
        })
    }
}

/// Tells why a command failed, and how it ends.
pub(crate) fn failed(error: &anyhow::Error) -> Exit {
    let has = |fits: &dyn Fn(&(dyn std::error::Error + 'static)) -> bool| error.chain().any(fits);
    // Whoever closed our stdout has seen enough; it is no failure.
    let is_unheard = |cause: &(dyn std::error::Error + 'static)| {
        let error = cause.downcast_ref::<io::Error>();
        error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    if has(&is_unheard) {
        return Exit::Fine;
    }
    say(&format!("tally: {error:#}"));
    if has(&|cause| cause.is::<ConfigError>()) {
        Exit::Usage
    } else if has(&is_out_of_reach) {
        Exit::Unreachable
    } else {
        Exit::Failed
    }
}

fn is_out_of_reach(cause: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(error) = cause.downcast_ref::<store::Error>() {
        return matches!(error.kind(), store::Kind::Unavailable | store::Kind::Refused);
    }
    if let Some(error) = cause.downcast_ref::<reqwest::Error>() {
        return error.is_connect() || error.is_timeout();
    }
    if let Some(refused) = cause.downcast_ref::<Refused>() {
        return [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&refused.status);
    }
    matches!(cause.downcast_ref(), Some(migrations::Error::Connect(_)))
}
