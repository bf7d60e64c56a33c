//! The commands, one file each.

#![expect(
    clippy::doc_markdown,
    reason = "a command's comments are its help text, and terminals show no markdown"
)]

mod amount;
mod balance;
mod bench;
mod cases;
mod catalogue;
mod completions;
mod config;
mod demo;
mod doctor;
mod events;
mod explain;
mod grants;
mod healthcheck;
mod import;
mod keys;
mod man;
mod migrate;
mod paging;
mod payments;
mod remote;
mod serve;
mod simulate;
mod spend;
mod statement;
mod text;
mod up;
mod users;
mod verify;

use clap::{Parser, Subcommand};

use crate::exit::Exit;
use crate::output::Format;

/// Prepaid credits, from Stripe's webhooks: none lost, none doubled, none given to the wrong person.
#[derive(Debug, Parser)]
#[command(name = "tally", version, propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct Tally {
    /// Answer with JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Up(up::Up),
    Serve(serve::Serve),
    Migrate(migrate::Migrate),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Config(config::Config),
    Healthcheck(healthcheck::Healthcheck),
    Simulate(simulate::Simulate),
    #[command(subcommand)]
    Events(events::Events),
    #[command(subcommand)]
    Cases(cases::Cases),
    #[command(subcommand)]
    Payments(payments::Payments),
    Explain(explain::Explain),
    #[command(subcommand)]
    Users(users::Users),
    #[command(subcommand)]
    Catalogue(catalogue::Catalogue),
    Import(import::Import),
    #[command(subcommand)]
    Keys(keys::Keys),
    #[command(subcommand)]
    Grants(grants::Grants),
    Spend(spend::Spend),
    Balance(balance::Balance),
    Statement(statement::Statement),
    Verify(verify::Verify),
    Bench(bench::Bench),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Tally {
    /// Whether the command listens for signals, because it has something to bring to an end.
    pub(crate) const fn ends_by_itself(&self) -> bool {
        matches!(self.command, Command::Demo(_) | Command::Up(_) | Command::Serve(_))
    }

    /// Runs the command.
    pub(crate) async fn run(self) -> anyhow::Result<Exit> {
        let format = if self.json { Format::Json } else { Format::Text };
        match self.command {
            // Those that serve hold much; the others need not carry that along.
            Command::Demo(command) => Box::pin(command.run(format)).await,
            Command::Up(command) => Box::pin(command.run()).await,
            Command::Serve(command) => command.run().await,
            Command::Migrate(command) => command.run(format).await,
            Command::Doctor(command) => command.run(format).await,
            Command::Config(command) => command.run(format),
            Command::Healthcheck(command) => command.run().await,
            Command::Simulate(command) => command.run(format).await,
            Command::Events(command) => command.run(format).await,
            Command::Cases(command) => command.run(format).await,
            Command::Payments(command) => command.run(format).await,
            Command::Explain(command) => command.run(format).await,
            Command::Users(command) => command.run(format).await,
            Command::Catalogue(command) => command.run(format).await,
            Command::Import(command) => command.run(format).await,
            Command::Keys(command) => command.run(format).await,
            Command::Grants(command) => command.run(format).await,
            Command::Spend(command) => command.run(format).await,
            Command::Balance(command) => command.run(format).await,
            Command::Statement(command) => command.run(format).await,
            Command::Verify(command) => command.run(format).await,
            Command::Bench(command) => command.run(format).await,
            Command::Completions(command) => command.run(),
            Command::Man(man::Man) => man::Man::run(),
        }
    }
}
