//! The keeper on a real Postgres, with a clock that the tests move and a projector that decides what it tells.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails the test")]

mod catalogue;
mod directory;
mod due;
mod expiry;
mod world;
