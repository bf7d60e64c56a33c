//! The projector against a real Postgres: what a batch decides, and that order, repetition and concurrency do not matter.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod batches;
mod cases;
mod catalogue;
mod clawback;
mod deferred;
mod harness;
mod lost_wakeups;
mod many_doors;
mod many_waiting;
mod poison;
mod reassign;
mod resolution;
mod reversed;
mod told;
mod waits;
