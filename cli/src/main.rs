//! The one executable, `tally`.
//!
//! | module | what |
//! |---|---|
//! | [`commands`] | what can be asked for, one file each |
//! | [`config`] | what the process was told |
//! | [`process`] | the services of a process, put together |
//! | [`database`] | the database of `up` and `demo` |
//! | [`data_dir`] | the folder of `up` |
//! | [`events`], [`deliver`] | deliveries as Stripe makes them |
//! | [`secrets`] | secrets of our own making |
//! | [`client`] | the API, asked over HTTP |
//! | [`output`], [`exit`] | what is said, and how it ends |

mod client;
mod commands;
mod config;
mod data_dir;
mod database;
mod deliver;
mod events;
mod exit;
mod output;
mod process;
mod secrets;

use std::process::ExitCode;

use clap::Parser as _;
use tokio::signal;

use commands::Tally;
use exit::Exit;

/// Measured against the C library's on many small bodies at once: steadier memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The one provider of cryptography, chosen before anything could choose another. It fails only if one was.
    let _chosen_before = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let tally = Tally::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let exit = match runtime {
        Ok(runtime) => runtime.block_on(run(tally)),
        Err(error) => exit::failed(&error.into()),
    };
    exit.into()
}

/// Runs the command until it ends or a person interrupts it. What serves listens for signals itself and ends in peace.
async fn run(tally: Tally) -> Exit {
    let ending = tally.ends_by_itself();
    tokio::select! {
        ended = tally.run() => ended.unwrap_or_else(|error| exit::failed(&error)),
        Ok(()) = signal::ctrl_c(), if !ending => Exit::Interrupted,
    }
}
