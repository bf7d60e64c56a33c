//! The API against a real Postgres, each test in a database of its own. What the projector would write is written here by
//! SQL, so that each state can be had without its history.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod access;
mod answer;
mod balance;
mod cases;
mod catalogue;
mod checkout;
mod checkout_params;
mod cors;
mod described;
mod events;
mod explain;
mod holds;
mod idempotency;
mod import;
mod jwt;
mod limits;
mod messages;
mod openapi;
mod payments;
mod races;
mod reassign;
mod spends;
mod statement;
mod stream;
mod support;
mod tokens;
mod units;
mod users;
