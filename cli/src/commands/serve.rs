//! `tally serve`: the services, against a database that exists.

use clap::Args;
use service::shutdown::Shutdown;
use service::telemetry::init_logs;

use crate::config::{DevEnv, Settings};
use crate::exit::Exit;
use crate::process::{self, Plan, Role};

/// Serve on the database of DATABASE_URL until SIGTERM
///
/// Any number of processes may serve any roles. The configuration comes from the environment and from the file that
/// TALLY_CONFIG names: `tally config show`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// What to do: ingest, projector, keeper, api, separated by commas [default: all of them]
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    role: Vec<Role>,
}

impl Serve {
    pub(crate) async fn run(self) -> anyhow::Result<Exit> {
        let settings = Settings::load(DevEnv::Ignore)?;
        let filter = settings.log_filter.as_ref().map(|filter| filter.value.as_str());
        init_logs(filter, settings.log_format.value)?;
        let mode = settings.require_mode()?;
        let url = settings.require_database()?;
        let roles = if self.role.is_empty() { Role::ALL.to_vec() } else { self.role };
        let plan = Plan::new(&settings, roles.into_iter().collect(), mode, url)?;
        for warning in url.warnings() {
            tracing::warn!("DATABASE_URL: {warning}");
        }

        let shutdown = Shutdown::new();
        shutdown.on_signals()?;
        let running = process::start(&plan, &shutdown).await?;
        if !shutdown.has_begun() {
            let public = running.public.map(tracing::field::display);
            tracing::info!(public, admin = %running.admin, mode = mode.name(), "ready");
        }
        running.end(&shutdown).await?;
        Ok(Exit::Fine)
    }
}
