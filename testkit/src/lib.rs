//! What tests share: a database each, deliveries to sign, events to shape.
//!
//! | module | what |
//! |---|---|
//! | [`database()`] | a migrated database for one test, on a private Postgres |
//! | [`wait_for`] | waits for a fact, never for a time |
//! | [`events`] | Stripe's events, of our own making |
//! | [`delivery`] | their signatures and headers |
//! | [`fake_stripe`] | an HTTP server that answers as Stripe's API does, and delivers webhooks |
//! | [`fixtures`] | recorded events, if they are there |
//!
//! Everything here panics when it fails, because a test that cannot be set up has failed.

mod database;
pub mod delivery;
pub mod events;
pub mod fake_stripe;
pub mod fixtures;
mod wait;

pub use database::{TestDatabase, database, empty_database};
pub use wait::{WAIT_MAX, wait_for};
