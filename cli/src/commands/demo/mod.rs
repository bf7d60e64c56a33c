//! `tally demo`: the whole path in one process, in some seconds. Every service runs as in production and is spoken to
//! over HTTP only; what stands in the database afterwards is read from there and proved.

mod report;
mod stage;
mod story;

use clap::Args;
use service::shutdown::Shutdown;
use service::telemetry::init_logs;

use crate::config::{DevEnv, Settings};
use crate::exit::Exit;
use crate::output::{Format, say};
use report::Report;
use stage::Stage;

/// What is logged where `RUST_LOG` is not set: what is said here is enough, unless something is wrong.
const LOG_FILTER: &str = "warn";

/// Deliver purchases to all services on a private Postgres, and prove what became of them
///
/// Delivers signed Stripe events over HTTP: a purchase, its duplicate, the same purchase by other events, one nobody can be
/// found for, one that names a wrong user, one at an unknown price. Then the cases heal or are assigned, and the books
/// have to add up. With DATABASE_URL it works there, in a new tenant of its own.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Stay up afterwards, until stopped
    #[arg(long)]
    keep: bool,
}

impl Demo {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        let settings = Settings::load(DevEnv::Ignore)?;
        let filter = settings.log_filter.as_ref().map_or(LOG_FILTER, |filter| &filter.value);
        init_logs(Some(filter), settings.log_format.value)?;
        let shutdown = Shutdown::new();
        shutdown.on_signals()?;
        let stop = shutdown.token();
        let Some(stage) =
            stop.run_until_cancelled(Box::pin(Stage::set(&settings, &shutdown))).await
        else {
            return Ok(Exit::Interrupted);
        };
        let stage = stage?;
        let told = stop.run_until_cancelled(tell(&stage)).await;
        let exit = match told {
            None => Exit::Interrupted,
            Some(Err(error)) => {
                shutdown.begin();
                stage.clear(&shutdown).await?;
                return Err(error);
            }
            Some(Ok(report)) => {
                format.answer(&report.summary(), |_| report.text())?;
                if report.is_proved() { Exit::Fine } else { Exit::Differences }
            }
        };
        if self.keep && exit == Exit::Fine {
            say(&format!("still serving at {}, until Ctrl-C", stage.url));
            stop.cancelled().await;
        }
        shutdown.begin();
        stage.clear(&shutdown).await?;
        Ok(exit)
    }
}

async fn tell(stage: &Stage) -> anyhow::Result<Report> {
    let told = story::tell(stage).await?;
    report::make(stage, told).await
}
