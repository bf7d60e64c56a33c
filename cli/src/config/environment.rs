//! What the environment says, and where it says it: a variable, the file that a `…_FILE` variable names, or `dev.env`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::variables::{self, FILE_SUFFIX, PREFIX, Variable};
use crate::data_dir;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A variable.
    Variable(&'static str),
    /// The file that a variable names.
    FileOf(String, PathBuf),
    /// The file of `tally up`, or the TOML file.
    File(PathBuf),
    /// An option of the command.
    Option(&'static str),
    /// Nothing says otherwise.
    Default,
}

/// A value, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    /// The value.
    pub(crate) value: T,
    /// Where it comes from.
    pub(crate) source: Source,
}

/// The variables of ours that are set.
#[derive(Default)]
pub(crate) struct Environment {
    set: BTreeMap<String, String>,
    /// `dev.env` and what it says: it counts where no variable does.
    dev: Option<(PathBuf, BTreeMap<String, String>)>,
}

impl Environment {
    /// The variables of this process.
    pub(crate) fn of_process() -> Result<Self, ConfigError> {
        Self::of(std::env::vars_os())
    }

    /// These variables. Refuses those that begin like ours and are not.
    pub(crate) fn of(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut set = BTreeMap::new();
        let mut unknown = Vec::new();
        for (name, value) in variables {
            let Some(name) = name.to_str() else { continue };
            if !variables::ALL.iter().any(|variable| variable.goes_by(name)) {
                if name.starts_with(PREFIX) {
                    unknown.push(name.to_owned());
                }
                continue;
            }
            let not_text = |_| ConfigError::invalid(name, "its value is not UTF-8");
            set.insert(name.to_owned(), value.into_string().map_err(not_text)?);
        }
        unknown.sort();
        if unknown.is_empty() {
            Ok(Self { set, dev: None })
        } else {
            Err(ConfigError::Unknown(unknown))
        }
    }

    /// The same, with what a `dev.env` says where no variable does; a missing file says nothing.
    pub(crate) fn with_dev_env(self, path: PathBuf) -> Result<Self, ConfigError> {
        let dev = data_dir::read_dev_env(&path)?;
        Ok(Self { dev: Some((path, dev)), ..self })
    }

    /// The value of a variable. Blank counts as not set, except for a secret: an empty one is somebody's mistake.
    pub(crate) fn get(&self, variable: &Variable) -> Result<Option<Setting<String>>, ConfigError> {
        for name in variable.names() {
            let own =
                self.set.get(name).filter(|value| variable.is_secret || !value.trim().is_empty());
            let file_name = format!("{name}{FILE_SUFFIX}");
            let file =
                self.set.get(&file_name).filter(|path| variable.is_secret && !path.is_empty());
            match (own, file) {
                (Some(_), Some(_)) => return Err(ConfigError::Twice(name)),
                (Some(value), None) => {
                    return Ok(Some(Setting {
                        value: value.clone(),
                        source: Source::Variable(name),
                    }));
                }
                (None, Some(path)) => {
                    let path = PathBuf::from(path);
                    let value = read_secret(&file_name, &path)?;
                    return Ok(Some(Setting { value, source: Source::FileOf(file_name, path) }));
                }
                (None, None) => {}
            }
        }
        let dev = self.dev.as_ref().and_then(|(path, said)| Some((path, said.get(variable.name)?)));
        Ok(dev.map(|(path, value)| Setting {
            value: value.clone(),
            source: Source::File(path.clone()),
        }))
    }
}

impl<T> Setting<T> {
    /// A value that nothing was said about.
    pub(crate) const fn default(value: T) -> Self {
        Self { value, source: Source::Default }
    }

    /// Another value from the same place.
    pub(crate) fn map<U>(self, map: impl FnOnce(T) -> U) -> Setting<U> {
        Setting { value: map(self.value), source: self.source }
    }

    /// Another value from the same place, if it can be had.
    pub(crate) fn try_map<U>(
        self,
        map: impl FnOnce(T) -> Result<U, ConfigError>,
    ) -> Result<Setting<U>, ConfigError> {
        Ok(Setting { value: map(self.value)?, source: self.source })
    }
}

impl Source {
    /// How errors call the place, where the variable is called `name`.
    pub(crate) fn place(&self, name: &str) -> String {
        match self {
            Self::Variable(name) => (*name).to_owned(),
            Self::FileOf(name, path) => format!("{name} ({})", path.display()),
            Self::File(path) => format!("{name} in {}", path.display()),
            Self::Option(_) | Self::Default => name.to_owned(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::FileOf(name, path) => write!(f, "{} ({name})", path.display()),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Option(name) => write!(f, "option {name}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Reads a secret from the file that `place` names, without the line end that editors add.
pub(crate) fn read_secret(place: &str, path: &Path) -> Result<String, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        place: place.to_owned(),
        path: path.to_owned(),
        source,
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::variables::{DATABASE_DIRECT_URL, LISTEN, WEBHOOK_SECRET};

    fn of(pairs: &[(&str, &str)]) -> Result<Environment, ConfigError> {
        Environment::of(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())))
    }

    #[test]
    fn unknown_names_of_ours_are_refused_by_name() {
        let refused = of(&[("TALLY_LISTN", "x"), ("HOME", "/"), ("TALLY_MODE_FILE", "x")]);
        let told = refused.err().unwrap().to_string();
        assert!(told.contains("TALLY_LISTN, TALLY_MODE_FILE"), "{told}");
    }

    #[test]
    fn the_first_name_counts_and_aliases_follow() {
        let both = of(&[("DIRECT_URL", "b"), ("DATABASE_URL_UNPOOLED", "a")]).unwrap();
        let found = both.get(&DATABASE_DIRECT_URL).unwrap().unwrap();
        assert_eq!(found.value, "a");
        assert_eq!(found.source, Source::Variable("DATABASE_URL_UNPOOLED"));
    }

    #[test]
    fn a_blank_setting_is_none_but_a_blank_secret_is_one() {
        let blank = of(&[("TALLY_LISTEN", " "), ("STRIPE_WEBHOOK_SECRET", "")]).unwrap();
        assert_eq!(blank.get(&LISTEN).unwrap(), None);
        assert_eq!(blank.get(&WEBHOOK_SECRET).unwrap().unwrap().value, "");
    }

    #[test]
    fn a_secret_may_come_from_a_file_but_not_from_two_places() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "whsec_of_a_file\n").unwrap();
        let path = path.to_str().unwrap();
        let environment = of(&[("STRIPE_WEBHOOK_SECRET_FILE", path)]).unwrap();
        assert_eq!(environment.get(&WEBHOOK_SECRET).unwrap().unwrap().value, "whsec_of_a_file");
        let environment =
            of(&[("STRIPE_WEBHOOK_SECRET_FILE", path), ("STRIPE_WEBHOOK_SECRET", "x")]).unwrap();
        let told = environment.get(&WEBHOOK_SECRET).err().unwrap().to_string();
        assert!(told.contains("STRIPE_WEBHOOK_SECRET_FILE are both set"), "{told}");
    }

    #[test]
    fn dev_env_counts_where_no_variable_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev.env");
        fs::write(&path, "# made\nSTRIPE_WEBHOOK_SECRET=whsec_dev\nTALLY_LISTEN=a=b\n").unwrap();
        let environment = of(&[("STRIPE_WEBHOOK_SECRET", "whsec_mine")]).unwrap();
        let environment = environment.with_dev_env(path).unwrap();
        assert_eq!(environment.get(&WEBHOOK_SECRET).unwrap().unwrap().value, "whsec_mine");
        assert_eq!(environment.get(&LISTEN).unwrap().unwrap().value, "a=b");
        let missing = of(&[]).unwrap().with_dev_env(folder.path().join("none")).unwrap();
        assert_eq!(missing.get(&LISTEN).unwrap(), None);
    }
}
