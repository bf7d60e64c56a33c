//! The account from outside: tables of given, when, then, and long histories against a naive model.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]
#![expect(clippy::arithmetic_side_effects, reason = "the amounts of these tests are small")]

mod batches;
mod clawback;
mod expiry;
mod holds;
mod kit;
mod machine;
mod mistakes;
mod movements;
mod numbers;
mod spends;
