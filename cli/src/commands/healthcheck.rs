//! `tally healthcheck`: whether the process beside this one is ready, as an exit code, for containers without a shell.

use clap::Args;

use crate::config::{DevEnv, Settings, url_of};
use crate::deliver::http_client;
use crate::exit::Exit;
use crate::output::say;

/// Ask the process of this container or machine whether it is ready
///
/// Ends with 0 if it is, 1 if it is not, 4 if nobody answers at TALLY_ADMIN_LISTEN.
#[derive(Debug, Args)]
pub(crate) struct Healthcheck {}

impl Healthcheck {
    pub(crate) async fn run(self) -> anyhow::Result<Exit> {
        let settings = Settings::load(DevEnv::Ignore)?;
        let url = format!("{}/readyz", url_of(settings.admin_listen.value));
        let response = http_client()?.get(&url).send().await?;
        if response.status().is_success() {
            return Ok(Exit::Fine);
        }
        say(response.text().await?.trim_end());
        Ok(Exit::Failed)
    }
}
