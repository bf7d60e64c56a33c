//! Why there is no server, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// How to install Postgres by hand, one line per system.
const INSTALL: &str = "\
Debian, Ubuntu:  apt-get install postgresql
Fedora, RHEL:    dnf install postgresql-server
Alpine:          apk add postgresql17
Arch:            pacman -S postgresql
macOS:           brew install postgresql@17
FreeBSD:         pkg install postgresql17-server
Nix:             nix profile install nixpkgs#postgresql_17
any other:       set TALLY_PG_BIN to the folder of `initdb` and `postgres`, or DATABASE_URL to a server";

/// Why the server could not be found, started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `TALLY_PG_BIN` names a folder that will not do.
    #[error("TALLY_PG_BIN={}: {problem}; it must be the folder of `initdb` and `postgres`, version 15 to 18", folder.display())]
    Chosen {
        /// What the variable says.
        folder: PathBuf,
        /// What is wrong with it.
        problem: String,
    },

    /// There is no usable Postgres, and none could be fetched.
    #[error(
        "no usable Postgres 15 to 18 was found ({found}), and none could be fetched ({fetch}). Install one:\n{INSTALL}"
    )]
    NotFound {
        /// What was found instead.
        found: String,
        /// Why fetching failed.
        fetch: String,
    },

    /// The data was made by a major version that is not installed.
    #[error("the data in {} was made by Postgres {major}, which was not found; install it or set TALLY_PG_BIN to its folder", folder.display())]
    OtherMajor {
        /// Folder of the data.
        folder: PathBuf,
        /// Its major version.
        major: u32,
    },

    /// Root needs another user to run the server as, and there is none.
    #[error(
        "Postgres does not run as root, and neither `nobody` nor `postgres` can be used; run as an ordinary user"
    )]
    NoUnprivilegedUser,

    /// The operating system does not know the user that runs this process.
    #[error(
        "user id {0} has no name on this system, so Postgres cannot know it; add it to /etc/passwd"
    )]
    UnknownUser(u32),

    /// The server's user cannot enter the folder.
    #[error("user `{user}`, who runs Postgres, cannot enter {}; choose a folder that it can reach, such as one below /var/lib", folder.display())]
    Unreachable {
        /// Folder.
        folder: PathBuf,
        /// User that the server runs as.
        user: String,
    },

    /// The data belongs to another user than the one who would run the server.
    #[error("the data in {} does not belong to `{user}`, who would run Postgres; run as its owner, or choose another folder", folder.display())]
    OtherUser {
        /// Folder.
        folder: PathBuf,
        /// User that the server would run as.
        user: String,
    },

    /// The folder has something else in it.
    #[error("{} is neither empty nor a data folder of ours; choose another", .0.display())]
    Foreign(PathBuf),

    /// Another process runs the server of this folder.
    #[error("another process runs the Postgres of {}; stop it first, or choose another folder", .0.display())]
    InUse(PathBuf),

    /// `initdb` failed.
    #[error("making a new database cluster in {}: {output}", folder.display())]
    Initdb {
        /// Folder.
        folder: PathBuf,
        /// What it said.
        output: String,
    },

    /// The server did not start.
    #[error("starting Postgres: {reason}; the end of {}:\n{log_end}", log.display())]
    Start {
        /// What happened.
        reason: String,
        /// Its log.
        log: PathBuf,
        /// Last lines of the log.
        log_end: String,
    },

    /// The server did not stop, not even when it was killed.
    #[error("stopping Postgres: process {0} is still there")]
    Stop(u32),

    /// The operating system refused something.
    #[error("{doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// Says what was being done to which file: `.map_err(Error::io("reading", path))`.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}
