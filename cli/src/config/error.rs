//! A configuration that cannot be used: what is wrong where, and what to do. Never a value that may be a secret.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// Variables of ours that nobody reads: a typing error would otherwise go unnoticed.
    #[error("unknown variables: {}; `tally config show` lists the known ones", .0.join(", "))]
    Unknown(Vec<String>),
    /// A secret and the file that should hold it: which one is meant?
    #[error("{0} and {0}_FILE are both set; set one of them")]
    Twice(&'static str),
    /// Something that this command needs is not there.
    #[error("{name} is not set: {what_to_do}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What to do about it.
        what_to_do: &'static str,
    },
    /// A value that will not do.
    #[error("{place}: {problem}")]
    Invalid {
        /// The variable, or the place in the TOML file.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file that cannot be read.
    #[error("{place}: reading {}: {source}", path.display())]
    Unreadable {
        /// The variable that names it, or what it is.
        place: String,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl ConfigError {
    /// A value at `place` that will not do.
    pub(crate) fn invalid(place: impl Into<String>, problem: impl fmt::Display) -> Self {
        Self::Invalid { place: place.into(), problem: problem.to_string() }
    }
}
