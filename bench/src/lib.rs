//! Side-by-side benchmarks: each figure beside its limit, taken in turns in the same run.
//!
//! A figure alone says more about the machine than about the program. So `ingest` takes turns with `pgbench` inserting
//! the same bytes into the same Postgres, one row per transaction, which is what a careful hand-written webhook handler
//! would do; and every process that is measured is a process of its own, as in production.
//!
//! | module | what |
//! |---|---|
//! | [`ingest()`] | acknowledged deliveries per second, the projector paused and running |
//! | [`project()`] | events per second when a backlog is drained |
//! | `purchases` | the events, of the size and shape of Stripe's |
//! | `load` | keep-alive connections that deliver as fast as they are answered |
//! | `pgbench` | the opponent |
//! | `stand` | a Postgres, a schema, a tenant, its users |
//! | `service` | processes of this program, and how much memory they took |
//! | `report` | what is printed |

mod ingest;
mod load;
mod pgbench;
mod project;
mod purchases;
mod report;
mod service;
mod stand;

use std::path::PathBuf;

pub use ingest::ingest;
pub use project::project;
pub use report::Report;

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
}
