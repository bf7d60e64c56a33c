//! The projector against a real Postgres: what a batch decides, and that order, repetition and concurrency do not matter.
#![expect(clippy::arithmetic_side_effects, reason = "numbers of a test's own making")]

mod cases;
mod harness;
mod lost_wakeups;
mod many_doors;
mod poison;
