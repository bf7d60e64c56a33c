//! `tally catalogue`: what prices are worth.

mod entry;
mod import;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use store::keys::KeyRole;

use self::entry::{Shown, from};
use super::paging::{List, Page};
use super::remote::Remote;
use super::text::{or_dash, when};
use crate::exit::Exit;
use crate::output::{Format, table};

/// What prices are worth
#[derive(Debug, Subcommand)]
pub(crate) enum Catalogue {
    /// List entries, or all versions of one
    List {
        /// The entry whose versions are listed, such as price_50, prod_1 or lookup_key:gold
        #[arg(conflicts_with_all = ["limit", "after"])]
        key: Option<String>,
        #[command(flatten)]
        page: Page,
    },
    /// Say what one of a price is worth
    Set(Set),
    /// Set what a TOML file says and the catalogue does not
    ///
    /// The file has a table for each entry: [catalogue.price_50] with credits, unit, expires, priority, not_ours and
    /// valid_from, as in the configuration. It can be imported again.
    Import {
        /// The file
        file: PathBuf,
        /// Only show what it would change
        #[arg(long)]
        dry_run: bool,
    },
}

/// A version of an entry.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// A price (price_…), a product (prod_…) or a lookup key (lookup_key:…)
    key: String,
    /// Credits for each one that is bought
    #[arg(long, required_unless_present = "not_ours")]
    credits: Option<i64>,
    /// Kind of credit
    #[arg(long)]
    unit: Option<String>,
    /// How long they last from when they were paid, such as P1M, P30D or P1Y, or period_end
    #[arg(long, value_name = "DURATION")]
    expires: Option<String>,
    /// Which credits are spent first: those with the lower number
    #[arg(long, allow_hyphen_values = true)]
    priority: Option<i16>,
    /// Purchases of it do not concern us
    #[arg(long, conflicts_with_all = ["credits", "unit", "expires", "priority"])]
    not_ours: bool,
    /// For purchases that are paid from this moment on, such as 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    valid_from: Option<Timestamp>,
    /// Why; it stays on record
    #[arg(long)]
    reason: Option<String>,
}

/// An entry with its history.
#[derive(Debug, Deserialize)]
struct History {
    versions: Vec<Shown>,
}

/// An entry, as it counts now.
#[derive(Debug, Deserialize)]
struct Listed {
    key: String,
    #[serde(flatten)]
    shown: Shown,
}

impl Catalogue {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        match self {
            Self::List { key: Some(key), .. } => {
                let service = Remote::new(KeyRole::Support)?;
                service.get(&["catalogue", &key], &[]).await?.show(format, versions)?;
            }
            Self::List { key: None, page } => {
                let service = Remote::new(KeyRole::Support)?;
                let answer = service.get(&["catalogue"], &page.query([])).await?;
                answer.show(format, |list: &List<Listed>| {
                    list.tell_more(|entry| &entry.key);
                    entries(&list.data)
                })?;
            }
            Self::Set(set) => {
                let service = Remote::new(KeyRole::Admin)?;
                let answer = service.put(&["catalogue", &set.key], &set.body()).await?;
                answer.show(format, |set: &Listed| {
                    format!("{}: {}{}", set.key, set.shown.worth(), from(set.shown.valid_from))
                })?;
            }
            Self::Import { file, dry_run } => {
                let service = Remote::new(KeyRole::Admin)?;
                let imported = import::import(&service, &file, dry_run).await?;
                format.answer(&imported, import::Imported::text)?;
            }
        }
        Ok(Exit::Fine)
    }
}

impl Set {
    fn body(&self) -> serde_json::Value {
        json!({
            "credits": self.credits, "unit": self.unit, "expires": self.expires, "priority": self.priority,
            "not_ours": self.not_ours, "valid_from": self.valid_from, "reason": self.reason,
        })
    }
}

fn entries(entries: &[Listed]) -> String {
    let rows = entries.iter().map(|entry| {
        let shown = &entry.shown;
        [entry.key.clone(), shown.worth(), or_dash(shown.valid_from.map(when))]
    });
    table(["key", "one is worth", "from (UTC)"], rows, &[])
}

fn versions(history: &History) -> String {
    let rows = history.versions.iter().map(|version| {
        [
            or_dash(version.valid_from.map(when)),
            version.worth(),
            when(version.created),
            or_dash(version.actor.as_ref()),
            or_dash(version.reason.as_ref()),
        ]
    });
    table(["from (UTC)", "one is worth", "set (UTC)", "by", "why"], rows, &[])
}
