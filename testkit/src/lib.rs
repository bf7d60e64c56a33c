//! What tests share: a database each, deliveries to sign, events to shape.
//!
//! Everything here panics when it fails, because a test that cannot be set up has failed.

mod database;
mod wait;

pub use database::{TestDatabase, database, empty_database};
pub use wait::{WAIT_MAX, wait_for};
