//! `tally config show`: what this process would go by, and where each piece comes from.

use clap::Subcommand;

use crate::config::{DevEnv, Settings};
use crate::exit::Exit;
use crate::output::{Format, table};

/// The configuration
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Print the resolved configuration, secrets hidden
    Show,
}

impl Config {
    pub(crate) fn run(self, format: Format) -> anyhow::Result<Exit> {
        let Self::Show = self;
        let shown = Settings::load(DevEnv::Read)?.show();
        format.answer(&shown, |shown| {
            let rows = shown.iter().map(|one| {
                let value = one.value.as_deref().unwrap_or("-").to_owned();
                [one.name.clone(), value, one.source.clone()]
            });
            table(["NAME", "VALUE", "SOURCE"], rows, &[])
        })?;
        Ok(Exit::Fine)
    }
}
