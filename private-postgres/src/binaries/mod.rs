//! Finds the programs of a Postgres server: installed ones, else fetched ones.

mod fetch;
mod installed;

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::os_user::OsUser;

/// Major versions that Tallystick is tested with.
const SUPPORTED: RangeInclusive<u32> = 15..=18;

/// Folder with the programs of one Postgres.
#[derive(Debug, Clone)]
pub(crate) struct Binaries {
    folder: PathBuf,
    /// As `postgres --version` says it, such as `15.18`.
    version: String,
    major: u32,
}

impl Binaries {
    /// Finds programs that the server's user can run and that can read the cluster's data, if there
    /// is any.
    pub(crate) fn locate(user: &OsUser, cluster: &Path) -> Result<Self, Error> {
        let data_major = data_major(cluster);
        let fits = |found: &Self| match data_major {
            Some(major) => found.major == major,
            None => SUPPORTED.contains(&found.major),
        };
        if let Some(folder) = std::env::var_os("TALLY_PG_BIN").filter(|value| !value.is_empty()) {
            return Self::chosen(user, Path::new(&folder), fits);
        }
        let mut refused = Vec::new();
        for folder in installed::folders() {
            match Self::in_folder(user, &folder) {
                Ok(found) if fits(&found) => return Ok(found),
                Ok(other) => refused.push(format!("{} in {}", other.version, folder.display())),
                Err(_) => {}
            }
        }
        Self::fetched(user, refused.join(", ")).and_then(|found| match data_major {
            Some(major) if found.major != major => {
                Err(Error::OtherMajor { folder: cluster.to_owned(), major })
            }
            _ => Ok(found),
        })
    }

    /// Path of one of its programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What the user chose is used or refused, never silently replaced.
    fn chosen(user: &OsUser, folder: &Path, fits: impl Fn(&Self) -> bool) -> Result<Self, Error> {
        let problem = match Self::in_folder(user, folder) {
            Ok(found) if fits(&found) => return Ok(found),
            Ok(found) => format!("it holds version {}, which does not fit", found.version),
            Err(problem) => problem,
        };
        Err(Error::Chosen { folder: folder.to_owned(), problem })
    }

    fn fetched(user: &OsUser, found: String) -> Result<Self, Error> {
        let found = if found.is_empty() { "nothing was found".to_owned() } else { found };
        let result = fetch::fetch().and_then(|folder| Self::in_folder(user, &folder));
        result.map_err(|fetch| Error::NotFound { found, fetch })
    }

    /// Asks the programs in a folder for their version, as the user who will run them.
    fn in_folder(user: &OsUser, folder: &Path) -> Result<Self, String> {
        for name in ["postgres", "initdb"] {
            if !folder.join(name).is_file() {
                return Err(format!("there is no `{name}`"));
            }
        }
        let output = user.command(folder.join("postgres")).arg("--version").output();
        let output = output.map_err(|error| format!("`{}` cannot run it: {error}", user.name))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let (version, major) =
            parse_version(&text).ok_or_else(|| format!("`postgres --version` says {text:?}"))?;
        Ok(Self { folder: folder.to_owned(), version, major })
    }
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian …)`.
fn parse_version(text: &str) -> Option<(String, u32)> {
    let version = text.split_whitespace().nth(2)?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    Some((version.to_owned(), digits.parse().ok()?))
}

/// Major version that made the data, if there is any.
fn data_major(cluster: &Path) -> Option<u32> {
    fs::read_to_string(cluster.join("PG_VERSION")).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_as_packagers_write_them() {
        for (text, version, major) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", "15.18", 15),
            ("postgres (PostgreSQL) 18.6\n", "18.6", 18),
            ("postgres (PostgreSQL) 19beta1\n", "19beta1", 19),
        ] {
            assert_eq!(parse_version(text), Some((version.to_owned(), major)));
        }
        assert_eq!(parse_version("command not found"), None);
    }
}
