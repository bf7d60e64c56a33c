//! Units as the TOML file lists them.

use std::collections::BTreeSet;

use rules::worth::is_unit;
use store::units::{MAX_SCALE, Unit};

use super::error::ConfigError;
use super::file;

/// The units of a tenant; what cannot be one is named by its place. The first one is meant where none is named, unless
/// another says that it is.
pub(super) fn judge(place: &str, units: Vec<file::Unit>) -> Result<Vec<Unit>, ConfigError> {
    let mut names = BTreeSet::new();
    let mut judged: Vec<Unit> = Vec::new();
    for file::Unit { name, scale, default } in units {
        let place = format!("{place}.units.{name}");
        let problem = if !is_unit(&name) {
            "a name is one word".to_owned()
        } else if scale > MAX_SCALE {
            format!("scale is not a whole number from 0 to {MAX_SCALE}")
        } else if !names.insert(name.clone()) {
            "two units have this name".to_owned()
        } else if default && judged.iter().any(|unit| unit.is_default) {
            "two units are the default one".to_owned()
        } else {
            judged.push(Unit { name, scale, is_default: default });
            continue;
        };
        return Err(ConfigError::invalid(place, problem));
    }
    if !judged.iter().any(|unit| unit.is_default)
        && let Some(first) = judged.first_mut()
    {
        first.is_default = true;
    }
    Ok(judged)
}
