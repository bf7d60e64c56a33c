//! Entries of the catalogue as a TOML file has them: a table by keys, in the configuration and in what is imported.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use keeper::catalogue::PriceEntry;
use ledger::chain::to_microseconds;
use rules::catalogue::{Entry, MAX_KEY_BYTES, Said, is_key, is_moment};
use serde::Deserialize;
use store::read::catalogue::Worth;
use store::units::Unit;

use super::error::ConfigError;
use super::file;

/// What a key of the catalogue stands for is worth.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Price {
    credits: Option<i64>,
    unit: Option<String>,
    /// A duration, or `period_end`.
    expires: Option<String>,
    priority: Option<i16>,
    #[serde(default)]
    not_ours: bool,
    valid_from: Option<Timestamp>,
}

/// A file of entries alone.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    catalogue: BTreeMap<String, Price>,
}

/// The entries of a file that has nothing else.
pub(crate) fn read(path: &Path) -> Result<Vec<PriceEntry>, ConfigError> {
    let file: File = file::read("the catalogue", path)?;
    // The service knows its units.
    judge(&path.display().to_string(), file.catalogue, &[])
}

/// The entries of a table; what cannot be one is named by its place.
pub(super) fn judge(
    place: &str,
    prices: BTreeMap<String, Price>,
    units: &[Unit],
) -> Result<Vec<PriceEntry>, ConfigError> {
    prices.into_iter().map(|(key, price)| entry(place, key, price, units)).collect()
}

fn entry(
    place: &str,
    key: String,
    price: Price,
    units: &[Unit],
) -> Result<PriceEntry, ConfigError> {
    let place = format!("{place}.catalogue.{key}");
    if !is_key(&key) {
        let problem = format!(
            "it is neither the id of a price or product nor lookup_key: and a lookup key, in at most {MAX_KEY_BYTES} bytes"
        );
        return Err(ConfigError::invalid(place, problem));
    }
    let Price { credits, unit, expires, priority, not_ours, valid_from } = price;
    if valid_from.is_some_and(|moment| !is_moment(moment)) {
        return Err(ConfigError::invalid(place, "valid_from is before 1970"));
    }
    let usual = units.iter().find(|unit| unit.is_default).map(|unit| unit.name.clone());
    let unit = if not_ours { unit } else { unit.or(usual) };
    let is_listed = |name: &String| units.is_empty() || units.iter().any(|unit| unit.name == *name);
    if let Some(unit) = unit.as_ref().filter(|unit| !is_listed(unit)) {
        return Err(ConfigError::invalid(
            place,
            format!("{unit} is not one of the tenant's units"),
        ));
    }
    let said = Said { credits, unit, expires, priority, not_ours };
    let entry = said.judge().map_err(|refusal| ConfigError::invalid(place, refusal))?;
    let worth = match entry {
        Entry::NotOurs => None,
        Entry::Credits(worth) => Some(Worth {
            credits: worth.credits,
            unit: worth.unit,
            expires: worth.expires.map(|expires| expires.to_string()),
            priority: worth.priority,
        }),
    };
    Ok(PriceEntry { key, worth, valid_from: valid_from.map(to_microseconds) })
}

/// What one is worth, in words.
pub(crate) fn described(worth: Option<&Worth>) -> String {
    let Some(Worth { credits, unit, expires, priority }) = worth else {
        return "not ours".to_owned();
    };
    let expires = match expires.as_deref() {
        Some("period_end") => ", until the billing period ends".to_owned(),
        Some(duration) => format!(", for {duration}"),
        None => String::new(),
    };
    let priority = if *priority == 0 { String::new() } else { format!(", priority {priority}") };
    format!("{credits} {unit}{expires}{priority}")
}
