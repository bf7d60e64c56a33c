//! The API against a real Postgres, each test in a database of its own. What the projector would write is written here by
//! SQL, so that each state can be had without its history.

mod access;
mod cases;
mod catalogue;
mod checkout;
mod events;
mod explain;
mod payments;
mod support;
mod users;
