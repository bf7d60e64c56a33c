//! Commands through the one door, on a real Postgres.

mod decisions;
mod histories;
mod kit;
mod outcomes;
mod plans;
mod races;
