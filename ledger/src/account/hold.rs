//! A hold: credits reserved for a job that may fail, until its own deadline.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::ids::HoldId;

/// Where a hold stands (`hold.state`). All but the first are terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HoldState {
    /// It reserves credits.
    Open,
    /// It was captured, in full or in part.
    Captured,
    /// It was released.
    Released,
    /// Its deadline passed.
    Expired,
}

impl HoldState {
    /// All states, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Open, Self::Captured, Self::Released, Self::Expired];

    /// The number that the database keeps.
    pub const fn code(self) -> i16 {
        match self {
            Self::Open => 1,
            Self::Captured => 2,
            Self::Released => 3,
            Self::Expired => 4,
        }
    }

    /// The name that the API shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Captured => "captured",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }

    /// The state with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// Credits reserved for a job (`hold`).
///
/// The whole amount counts against the account as long as the hold is open, whatever becomes of the grants behind it.
/// What no grant backs (an overdraft, or a debt took the grant away) is drawn when it is captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Id.
    pub hold_id: HoldId,
    /// Credits reserved.
    pub amount: i64,
    /// Credits captured of them.
    pub captured: i64,
    /// Where it stands.
    pub state: HoldState,
    /// Its own deadline: from this instant it cannot be captured.
    pub expires_at: Timestamp,
    /// Credits that it reserves of each grant, by grant id; empty once it is closed.
    pub reserved: BTreeMap<i64, i64>,
}

impl Hold {
    /// Whether it reserves credits.
    pub fn is_open(&self) -> bool {
        self.state == HoldState::Open
    }
}
