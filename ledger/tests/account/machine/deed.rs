//! What is done in a history, and why it may be refused, in the model's words.

use ledger::account::{ClawbackPolicy, ExpiredPolicy};

/// Why the model refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    NotPositive,
    Insufficient { available: usize },
    Frozen,
    Past,
    NotDue,
    NoHold,
    HoldExpired,
    HoldClosed,
    AboveHeld,
    NoSpend,
    AlreadyReversed,
}

/// What is done. Grants, holds and spends are named by their number.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Spend(i64),
    Hold {
        amount: i64,
        lasts: i64,
    },
    Capture {
        hold: usize,
        amount: Option<i64>,
    },
    Release(usize),
    ExpireHold(usize),
    Reverse {
        spend: usize,
        expired: ExpiredPolicy,
    },
    Grant {
        amount: i64,
        lasts: Option<i64>,
        priority: i16,
        line: Option<u8>,
    },
    ExpireGrant(usize),
    Clawback {
        amount: i64,
        line: u8,
        policy: ClawbackPolicy,
    },
    Limit(i64),
    Freeze(bool),
    /// The wall clock goes on.
    Wait(i64),
}

/// A deed, and by how many seconds the clock of whoever does it is behind.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) deed: Deed,
    pub(super) behind: i64,
}
