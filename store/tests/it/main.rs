//! The store against a real Postgres, each test in a database of its own.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on has failed"
)]

mod append;
mod append_only;
mod balance;
mod commands;
mod connect;
mod erasure;
mod grants;
mod notify;
mod outage;
mod rejected;
mod statements;
mod support;
mod tenant;
mod tx;
