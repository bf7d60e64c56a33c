//! Why an operation was refused. Nothing was changed then.

use jiff::Timestamp;

use super::hold::HoldState;
use crate::ids::{HoldId, SpendId};

/// Why credits could not be moved. Each of these is a fault of the caller's or a lie in the data: nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The amount is not a positive number of credits.
    #[error("moving {amount} credits: an amount must be positive")]
    NotPositive {
        /// The amount.
        amount: i64,
    },
    /// A sum would leave the range of a 64-bit integer.
    #[error("moving {amount} credits on a balance of {posted}: the sum is out of range")]
    OutOfRange {
        /// The amount.
        amount: i64,
        /// The balance.
        posted: i64,
    },
    /// A grant that a hold or a spend names was not loaded with the account, or does not exist.
    #[error("reading grant {grant_id}: it is not in memory; load what the operation names")]
    NoGrant {
        /// The grant.
        grant_id: i64,
    },
    /// A grant's row contradicts the movements on it.
    #[error(
        "changing grant {grant_id}: its row contradicts what was moved on it; run `tally verify`"
    )]
    Inconsistent {
        /// The grant.
        grant_id: i64,
    },
}

/// Why an operation was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The account has less than is asked for, its overdraft included.
    #[error("taking {wanted} credits: only {available} are available")]
    Insufficient {
        /// Credits asked for.
        wanted: i64,
        /// Credits available, without the overdraft.
        available: i64,
    },
    /// The account is frozen: nothing can be spent or held.
    #[error("taking credits: the account is frozen")]
    Frozen,
    /// The instant that is to come has passed.
    #[error("setting a deadline: {at} has passed")]
    Past {
        /// The instant.
        at: Timestamp,
    },
    /// The instant that has to have passed is yet to come, or there is none.
    #[error("letting credits expire: they are not due yet")]
    NotDue,
    /// The account has no such hold.
    #[error("{hold_id}: the account has no such hold")]
    NoHold {
        /// The hold.
        hold_id: HoldId,
    },
    /// There is a hold of this id.
    #[error("{hold_id}: the account has such a hold already")]
    HoldExists {
        /// The hold.
        hold_id: HoldId,
    },
    /// The hold's deadline has passed.
    #[error("capturing {hold_id}: its deadline has passed")]
    HoldExpired {
        /// The hold.
        hold_id: HoldId,
    },
    /// The hold was captured or released, or has expired.
    #[error("{hold_id}: it is {} already", state.name())]
    HoldClosed {
        /// The hold.
        hold_id: HoldId,
        /// How it ended.
        state: HoldState,
    },
    /// More is to be captured than is held.
    #[error("capturing {wanted} credits: only {held} are held")]
    AboveHeld {
        /// Credits to be captured.
        wanted: i64,
        /// Credits held.
        held: i64,
    },
    /// The account has no such spend.
    #[error("{spend_id}: the account has no such spend")]
    NoSpend {
        /// The spend.
        spend_id: SpendId,
    },
    /// The spend was reversed before.
    #[error("reversing {spend_id}: it was reversed already")]
    AlreadyReversed {
        /// The spend.
        spend_id: SpendId,
    },
    /// What is in memory of the account does not suffice: load the whole of it and try again.
    #[error("taking credits: not enough of the account is loaded; load the whole of it")]
    NotLoaded,
    /// A fault, not an answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
