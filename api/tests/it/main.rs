//! The API against a real Postgres, each test in a database of its own. What the projector would write is written here by
//! SQL, so that each state can be had without its history.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod access;
mod cases;
mod catalogue;
mod checkout;
mod checkout_params;
mod events;
mod explain;
mod payments;
mod reassign;
mod support;
mod users;
