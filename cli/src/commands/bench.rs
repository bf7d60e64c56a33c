//! `tally bench`: measures this program beside its limits.

use std::env;

use anyhow::Context as _;
use bench::{Options, Report};
use clap::{Args, ValueEnum};

use crate::config::{DevEnv, Settings};
use crate::exit::Exit;
use crate::output::Format;

/// Events of a backlog; of a short one.
const BACKLOG: u32 = 200_000;
const SHORT_BACKLOG: u32 = 20_000;

/// Postings of an old account; of one that is old in a short run.
const HISTORY: u32 = 100_000;
const SHORT_HISTORY: u32 = 10_000;

/// Measure this program beside its limits, in turns in one run
///
/// It starts a private Postgres with durable commits, and every process that it measures. Build it with `--release`.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// What to measure
    scenario: Scenario,
    /// Length of each turn
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Turns of each side; medians are reported
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pairs: u32,
    /// Short turns and one pair: to see that it runs
    #[arg(long)]
    short: bool,
    /// Run in the empty database of DATABASE_URL instead of a private Postgres
    #[arg(long)]
    use_database_url: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scenario {
    /// Acknowledged deliveries, beside pgbench inserting the same bytes one row per transaction
    Ingest,
    /// A backlog that one projector drains
    Project,
    /// How long after a delivery its credits are seen, at 500 deliveries per second
    EndToEnd,
    /// Spends over HTTP, beside a double-entry movement in PL/pgSQL
    Spend,
    /// Balances over HTTP, beside pgbench running the same statement
    Read,
}

impl Bench {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        let options = self.options()?;
        let reports = match self.scenario {
            Scenario::Ingest => bench::ingest(&options).await?,
            Scenario::Project => bench::project(&options).await?,
            Scenario::EndToEnd => bench::end_to_end(&options).await?,
            Scenario::Spend => bench::spend(&options).await?,
            Scenario::Read => bench::read(&options).await?,
        };
        for report in &reports {
            format.answer(report, Report::to_string)?;
        }
        Ok(Exit::Fine)
    }

    fn options(&self) -> anyhow::Result<Options> {
        let database_url = if self.use_database_url {
            Some(Settings::load(DevEnv::Ignore)?.require_database()?.expose_for_sqlx())
        } else {
            None
        };
        let usual = Options {
            program: env::current_exe().context("looking for this program")?,
            database_url,
            seconds: self.seconds,
            pairs: self.pairs,
            backlog: BACKLOG,
            history: HISTORY,
        };
        let short = Options {
            seconds: 2,
            pairs: 1,
            backlog: SHORT_BACKLOG,
            history: SHORT_HISTORY,
            ..usual.clone()
        };
        Ok(if self.short { short } else { usual })
    }
}
