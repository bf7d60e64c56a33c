//! Side-by-side benchmarks: each figure beside its limit, taken in turns in the same run.
//!
//! A figure alone says more about the machine than about the program. So `ingest` takes turns with `pgbench` inserting
//! the same bytes into the same Postgres, one row per transaction, which is what a careful hand-written webhook handler
//! would do; `spend` with a double-entry movement in PL/pgSQL, and `read` with the very statement that it runs; and every process that is measured is a process of its own, as in production.
//!
//! | module | what |
//! |---|---|
//! | [`ingest()`] | acknowledged deliveries per second, the projector paused and running |
//! | [`project()`] | events per second when a backlog is drained |
//! | [`spend()`] | spends per second over HTTP: spread, on one hot account, on old ones |
//! | [`read()`] | balances read per second over HTTP |
//! | [`end_to_end()`] | how long after a delivery its credits are seen |
//! | `app` | the app that asks for them |
//! | `purchases` | the events, of the size and shape of Stripe's |
//! | `load` | keep-alive connections that send as fast as they are answered, or at a rate |
//! | `pgbench`, `opponents` | what ours is compared with |
//! | `stand` | a Postgres, a schema, a tenant, its users |
//! | `service` | processes of this program, and how much memory they took |
//! | `report` | what is printed |

mod app;
mod end_to_end;
mod ingest;
mod load;
mod opponents;
mod pgbench;
mod project;
mod purchases;
mod read;
mod report;
mod service;
mod spend;
mod stand;

use std::path::PathBuf;

pub use end_to_end::end_to_end;
pub use ingest::ingest;
pub use project::project;
pub use read::read;
pub use report::Report;
pub use spend::spend;

/// What to run, and for how long.
#[derive(Debug, Clone)]
pub struct Options {
    /// This program: services are started from it.
    pub program: PathBuf,
    /// An empty database to run in; `None`: a private Postgres with durable commits.
    pub database_url: Option<String>,
    /// How long each turn of a pair takes, in seconds.
    pub seconds: u32,
    /// How many pairs; the medians are reported.
    pub pairs: u32,
    /// Events in a backlog that is drained.
    pub backlog: u32,
    /// Postings of an account that is called old.
    pub history: u32,
}
