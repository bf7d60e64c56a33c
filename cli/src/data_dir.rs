//! The folder of `tally up`: its Postgres, and `dev.env` with what it made.
//!
//! ```text
//! <data folder>/postgres   the private Postgres's data
//! <data folder>/dev.env    NAME=value lines, mode 0600: other commands read them, a shell may
//! ```

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::unistd::Uid;
use store::keys::KeyRole;

use crate::config::error::ConfigError;
use crate::config::variables::{self, Variable};

/// Name of the file with what `up` made.
pub(crate) const DEV_ENV: &str = "dev.env";

/// Name of the folder of the private Postgres.
pub(crate) const POSTGRES: &str = "postgres";

/// The API keys that `up` makes, and the variables that hold them.
pub(crate) const KEYS: [(KeyRole, &Variable); 4] = [
    (KeyRole::Admin, &variables::KEY_ADMIN),
    (KeyRole::Support, &variables::KEY_SUPPORT),
    (KeyRole::App, &variables::KEY_APP),
    (KeyRole::Read, &variables::KEY_READ),
];

/// What stands above the lines.
const HEADER: &str = "# Made by `tally up`, which keeps what it finds here. Secret: for this machine, in test mode.\n";

/// The folder where nothing else is said; `None` without a home folder. Root's is one that the unprivileged user of the
/// private Postgres can enter.
pub(crate) fn default() -> Option<PathBuf> {
    if Uid::effective().is_root() {
        return Some(PathBuf::from("/var/lib/tallystick"));
    }
    let named = std::env::var_os("XDG_DATA_HOME").filter(|folder| !folder.is_empty());
    let base = match named {
        Some(folder) => PathBuf::from(folder),
        None if cfg!(target_os = "macos") => {
            std::env::home_dir()?.join("Library/Application Support")
        }
        None => std::env::home_dir()?.join(".local/share"),
    };
    Some(base.join("tallystick"))
}

/// Makes the folder if it is missing. While it is empty, others are let pass through it, for the server's user must, who
/// is another one when root is the caller; they see nothing in it.
pub(crate) fn make(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    if fs::read_dir(folder)?.next().is_none() {
        fs::set_permissions(folder, Permissions::from_mode(0o711))?;
    }
    Ok(())
}

/// Reads the `NAME=value` lines of a `dev.env`. There are none where there is no such file, and for whoever may not read
/// it: it is its owner's.
pub(crate) fn read_dev_env(path: &Path) -> Result<BTreeMap<String, String>, ConfigError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
            return Ok(BTreeMap::new());
        }
        Err(source) => {
            let place = "what `tally up` made".to_owned();
            return Err(ConfigError::Unreadable { place, path: path.to_owned(), source });
        }
    };
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Replaces `dev.env` as a whole, so that nobody ever reads half of it.
pub(crate) fn write_dev_env(folder: &Path, lines: &BTreeMap<String, String>) -> io::Result<()> {
    let path = folder.join(DEV_ENV);
    let unfinished = path.with_extension("env.new");
    let _left_by_a_crash = fs::remove_file(&unfinished);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(HEADER.as_bytes())?;
    for (name, value) in lines {
        writeln!(file, "{name}={value}")?;
    }
    file.sync_all()?;
    fs::rename(&unfinished, &path)
}
