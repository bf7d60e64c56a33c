//! Races on accounts: what many clients do at once through two processes, which are killed now and then.
//!
//! | module | what |
//! |---|---|
//! | [`history`] | clients of every kind, under kills; the recorded history is checked |
//! | [`races`] | a thousand spends at once for the last credit |
//! | [`retries`] | each command five times at once |
//! | [`traffic`], [`payments`] | what is asked and bought, at random |
//! | [`app`] | asking, again while it is not known what became of it |
//! | [`operation`], [`told`] | what was asked and answered |
//! | [`recorded`] | what the database says was done, in its order |
//! | [`check`], [`replay`], [`order`] | the check: it passes once over each account's history |
//! | [`model`] | an account, naively |
//! | [`tests`] | histories that the check must not pass |

mod app;
mod check;
mod history;
mod model;
mod operation;
mod order;
mod payments;
mod races;
mod recorded;
mod replay;
mod retries;
mod tests;
mod told;
mod traffic;

/// The users of the first so many accounts.
fn users(count: usize) -> Vec<String> {
    (0..count).map(crate::storm::user).collect()
}
