//! HTTP for the app, its frontend and staff.
//!
//! One file per operation, each in the order of request, handler, what it needs, tests. A handler reads through
//! `store::read`, or appends a fact to the log and waits until it is decided; it never changes a row. [`auth`] holds the
//! one table of operations and roles from which the `router` is built.
//!
//! | module | what |
//! |---|---|
//! | [`auth`] | keys, tokens, limits, and the table of operations |
//! | [`users`] | the directory, balances, statements |
//! | [`units`] | kinds of credits |
//! | [`live`] | balances as they change |
//! | [`watch`] | looking at something for everyone who watches it |
//! | [`commands`] | spends, holds, grants, reversals: everything that moves credits for the app |
//! | [`checkout`] | what a checkout is started with, and what became of it |
//! | [`cases`] | what waits for a person, and what he does about it |
//! | [`events`], [`payments`] | what was told, and what it amounts to |
//! | [`explain`] | the story of anything, in plain English |
//! | [`catalogue`] | what a price is worth |
//! | [`audit`] | who did what |
//! | [`openapi`](mod@openapi) | all of this, described for programs and people |

mod acts;
mod audit;
mod auth;
mod body;
mod cases;
mod catalogue;
mod checkout;
mod commands;
mod error;
mod events;
mod explain;
mod facts;
mod list;
mod live;
mod metadata;
mod openapi;
mod params;
mod path;
mod payments;
mod router;
mod state;
mod units;
mod users;
mod waiter;
mod watch;

pub use auth::{
    ForUsers, Issuer, IssuerError, IssuerTold, Operation, Origins, RateLimit, scopes_of,
};
pub use openapi::openapi;
pub use router::router;
pub use state::{Access, ApiState, Shared};
