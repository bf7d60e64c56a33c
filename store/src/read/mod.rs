//! What the API shows, and what ingest is to pull: reads only, one file per thing that is read.
//!
//! Each statement is one snapshot, so that the parts of an answer fit together. Nothing here locks, and nothing waits.

pub mod audit;
pub mod balance;
pub mod balance_at;
pub mod cases;
pub mod catalogue;
pub mod checkout;
pub mod checkout_params;
pub mod decisions;
pub mod events;
pub mod explain;
pub mod grants;
pub mod holds;
pub mod owners;
pub mod page;
pub mod payments;
pub mod postings;
pub mod pulls;
pub mod spends;
pub mod users;

use crate::statement::Statement;

/// Every statement of these modules.
pub(crate) fn statements() -> Vec<&'static Statement> {
    [
        audit::STATEMENTS,
        balance::STATEMENTS,
        balance_at::STATEMENTS,
        cases::STATEMENTS,
        catalogue::STATEMENTS,
        checkout::STATEMENTS,
        checkout_params::STATEMENTS,
        decisions::STATEMENTS,
        events::STATEMENTS,
        explain::STATEMENTS,
        grants::STATEMENTS,
        holds::STATEMENTS,
        owners::STATEMENTS,
        payments::STATEMENTS,
        postings::STATEMENTS,
        pulls::STATEMENTS,
        spends::STATEMENTS,
        users::STATEMENTS,
    ]
    .concat()
}
