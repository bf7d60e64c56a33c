//! Postgres: the only crate with SQL.
//!
//! Every statement is a [`statement::Statement`] constant in the module of its tables, whose first lines name their
//! writers. Functions are called object first, verb second (`event_get`), and end in `_in_tx` if they join a transaction.
//!
//! | module | what |
//! |---|---|
//! | [`url`] | the address of a database |
//! | [`connect`] | the pool, each connection acting as its process's role |
//! | [`statement`] | statements as constants, and how to run one |
//! | [`tx`] | transactions of several statements |
//! | [`mod@flight`] | statements that are sent together |
//! | [`error`] | what can go wrong, by what a caller can do about it |
//! | [`log`] | the event log: append, read |
//! | [`rejected`] | the bounded trace of what was refused at the door |
//! | [`tenant`] | tenants |
//! | [`units`] | kinds of credits |
//! | [`notify`] | hints between processes |
//! | [`projection`] | what the projector reads and writes, and the lock order |
//! | [`read`] | what the API shows |
//! | [`keys`] | keys of the API |
//! | [`books`] | the one door through which credits move |
//! | [`commands`] | what the app, staff and the clock do to accounts |
//! | [`messages`] | what the outbox tells of credits that moved |
//! | [`directory`] | the app's own table of users |
//! | [`status`] | what stands there, counted |
//! | [`proof`] | whether the books are as they were written |
//! | [`verify`] | whether all that a tenant has fits together |

pub mod books;
pub mod commands;
pub mod connect;
pub mod directory;
pub mod error;
pub mod flight;
pub mod keys;
pub mod log;
pub mod messages;
pub mod notify;
mod order;
pub mod projection;
pub mod proof;
pub mod read;
pub mod rejected;
pub mod statement;
pub mod status;
pub mod tenant;
pub mod tx;
pub mod units;
pub mod url;
pub mod verify;

pub use connect::{Client, Role, Store};
pub use error::{Error, Kind};
pub use statement::Connection;
pub use tx::{Retryable, Tx};
pub use url::PgUrl;

use statement::Statement;

/// Every statement of this crate: one test prepares them all and compares their types with the schema's.
pub fn all_statements() -> Vec<&'static Statement> {
    [
        &books::statements(),
        &commands::statements(),
        connect::STATEMENTS,
        keys::STATEMENTS,
        log::STATEMENTS,
        notify::STATEMENTS,
        &projection::statements(),
        proof::STATEMENTS,
        &read::statements(),
        rejected::STATEMENTS,
        status::STATEMENTS,
        tenant::STATEMENTS,
        units::STATEMENTS,
        &verify::statements(),
    ]
    .concat()
}
