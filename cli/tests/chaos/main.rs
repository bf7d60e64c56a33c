//! Storms: several processes of each role at once, on a Postgres of their own, under load with duplicates, late facts and
//! crashes. Afterwards everything is counted and compared with a small model.
//!
//! | module | what |
//! |---|---|
//! | [`crash`] | processes and Postgres are killed at random moments |
//! | [`concurrency`] | nothing is killed, but there is a lot of everything |
//! | [`waiting`] | nothing is killed, but many cases heal at once |
//! | [`spending`] | what clients do to accounts at once, under kills |
//! | [`histories`] | the histories of `simulation/model`, compared with what the model says ([`history`], [`outcome`]) |
//! | [`cluster`] | the processes |
//! | [`storm`] | what is delivered, in random order |
//! | [`sender`] | delivering it as Stripe does: again, until it is acknowledged |
//! | [`model`] | what the books must say in the end |
//! | [`checks`] | what they say |
//!
//! CONTRIBUTING.md says how they are run in full. `TALLY_CHAOS_SEED` makes the same choices again; the scheduler's are its own.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, counts few things, and tells its seed"
)]

mod checks;
mod cluster;
mod concurrency;
mod crash;
mod histories;
mod history;
mod model;
mod outcome;
mod sender;
mod spending;
mod storm;
mod waiting;

/// One storm at a time: two would only starve each other.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A number that the environment may set.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// The seed of this run, told so that it can be run again.
fn seed() -> u64 {
    let seed = number("TALLY_CHAOS_SEED", rand::random());
    eprintln!("TALLY_CHAOS_SEED={seed}");
    seed
}
