//! `tally catalogue import`: sets what a file says. The whole file is judged before anything is set.

use std::path::Path;

use anyhow::Context as _;
use keeper::catalogue::PriceEntry;
use serde::Serialize;
use serde_json::json;
use service::clock::Clock;
use store::read::catalogue::{Version, Versions};

use super::History;
use super::entry::{Said, Shown, from};
use crate::commands::remote::{Answer, Remote, is_not_found};
use crate::config::catalogue::{described, read};

/// What became of a file, or would.
#[derive(Debug, Serialize)]
pub(super) struct Imported {
    /// Nothing was set.
    dry_run: bool,
    /// Entries that say something else than before.
    changed: Vec<Change>,
    /// Entries that say nothing new.
    unchanged: u64,
}

/// An entry that says something else than before.
#[derive(Debug, Serialize)]
struct Change {
    key: String,
    /// What counts now; null for a new entry.
    was: Option<Said>,
    /// What the file says.
    becomes: Said,
    /// The same in words.
    #[serde(skip)]
    text: String,
}

/// Imports a file.
pub(super) async fn import(
    service: &Remote,
    file: &Path,
    dry_run: bool,
) -> anyhow::Result<Imported> {
    let mut imported = Imported { dry_run, changed: Vec::new(), unchanged: 0 };
    let now = Clock::system().now();
    for entry in read(file)? {
        let versions = versions(service, &entry.key).await?;
        let change = Change::new(&entry, versions.current(now));
        let is_said = if dry_run {
            versions.saying(entry.worth.as_ref(), entry.valid_from, now).is_some()
        } else {
            // The service knows better: what it shows is decided, and more may have been said since.
            let setting = || format!("setting {}", entry.key);
            let answer = service.put(&["catalogue", &entry.key], &json!(change.becomes)).await;
            let set: Shown = answer.and_then(Answer::read).with_context(setting)?;
            versions.decided.contains(&set.version())
        };
        if is_said {
            imported.unchanged = imported.unchanged.saturating_add(1);
        } else {
            imported.changed.push(change);
        }
    }
    Ok(imported)
}

/// What the catalogue has of a key.
async fn versions(service: &Remote, key: &str) -> anyhow::Result<Versions> {
    match service.get(&["catalogue", key], &[]).await {
        Ok(answer) => {
            let history: History = answer.read()?;
            let decided = history.versions.iter().map(Shown::version).collect();
            Ok(Versions { decided, undecided: None })
        }
        Err(error) if is_not_found(&error) => Ok(Versions::default()),
        Err(error) => Err(error),
    }
}

impl Change {
    fn new(entry: &PriceEntry, was: Option<&Version>) -> Self {
        let before = was.map_or_else(
            || "new".to_owned(),
            |was| described(was.worth.as_ref()) + &from(was.valid_from),
        );
        let after = described(entry.worth.as_ref()) + &from(entry.valid_from);
        Self {
            key: entry.key.clone(),
            was: was.map(|was| Said::new(was.worth.as_ref(), was.valid_from)),
            becomes: Said::of(entry),
            text: format!("{}: {before} -> {after}", entry.key),
        }
    }
}

impl Imported {
    /// For people.
    pub(super) fn text(&self) -> String {
        let verb = if self.dry_run { "would change" } else { "changed" };
        let counts = format!("{} {verb}, {} unchanged", self.changed.len(), self.unchanged);
        let changes = self.changed.iter().map(|change| change.text.clone() + "\n");
        changes.chain([counts]).collect()
    }
}
