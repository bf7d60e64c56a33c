//! The webhook over real sockets and a real Postgres, one database a test.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod aborts;
mod answers;
mod bytes;
mod framing;
mod logs;
mod modes;
mod outage;
mod overload;
mod pull;
mod signatures;
mod support;
