//! Our side of the counter: credits, accounts, postings, grants, holds, decisions. Knows no Stripe.
//!
//! Everything here is pure: values in, values out. No clock, no I/O, no float, no unordered map. Time and ids come as
//! arguments, so that folding the same causes again gives the same books, byte for byte.
//!
//! | module | what |
//! |---|---|
//! | [`account`] | an account with its grants and holds, and the one door through which credits move on it |
//! | [`chain`] | the hash chain over an account's postings |
//! | [`decision`] | what a decision can say: outcomes and reasons |
//! | [`ids`] | derived ids and their outward form |
//! | [`movement`] | a movement that was decided and is to be posted |

pub mod account;
pub mod chain;
pub mod decision;
pub mod ids;
pub mod movement;

/// Unit that credits are counted in where nothing names one.
pub const DEFAULT_UNIT: &str = "credits";
