//! What the API shows: reads only, one file per thing that is shown.
//!
//! Each statement is one snapshot, so that the parts of an answer fit together. Nothing here locks, and nothing waits.

pub mod audit;
pub mod balance;
pub mod cases;
pub mod catalogue;
pub mod checkout;
pub mod decisions;
pub mod events;
pub mod explain;
pub mod grants;
pub mod page;
pub mod payments;
pub mod postings;
pub mod users;
