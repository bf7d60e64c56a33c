//! `tally users`: the directory of the app's users.

mod import;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Subcommand;
use jiff::Timestamp;
use serde::Deserialize;
use store::keys::KeyRole;

use super::remote::Remote;
use super::text::{fields, when};
use crate::exit::Exit;
use crate::output::Format;

/// The app's users
#[derive(Debug, Subcommand)]
pub(crate) enum Users {
    /// Register or change many users
    ///
    /// One JSON object a line: {"id": …, "email"?: …, "`email_verified`"?: …, "name"?: …, "metadata"?: {…}}. What is left out
    /// keeps its value, so a file can be imported again.
    Import {
        /// The file, or - for stdin
        file: PathBuf,
    },
    /// Show a user as the app last described him
    Show {
        /// The user
        id: String,
    },
}

#[derive(Debug, Deserialize)]
struct User {
    id: String,
    email: Option<String>,
    email_verified: bool,
    name: Option<String>,
    metadata: BTreeMap<String, String>,
    created: Timestamp,
    position: i64,
}

impl Users {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        match self {
            Self::Import { file } => {
                let imported = import::import(Remote::new(KeyRole::App)?, &file).await?;
                format.answer(&imported, import::Imported::text)?;
                Ok(if imported.failed == 0 { Exit::Fine } else { Exit::Failed })
            }
            Self::Show { id } => {
                let service = Remote::new(KeyRole::Read)?;
                service.get(&["users", &id], &[]).await?.show(format, text)?;
                Ok(Exit::Fine)
            }
        }
    }
}

fn text(user: &User) -> String {
    let verified = if user.email_verified { "verified" } else { "not verified" };
    let metadata: Vec<_> =
        user.metadata.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let facts = fields([
        ("e-mail", user.email.as_ref().map(|email| format!("{email} ({verified})"))),
        ("name", user.name.clone()),
        ("metadata", (!metadata.is_empty()).then(|| metadata.join(", "))),
        ("registered", Some(when(user.created))),
        ("described at", Some(format!("position {}", user.position))),
    ]);
    format!("{}\n{facts}", user.id)
}
