//! A posting: one movement on one account, as it is written and hashed.

use jiff::Timestamp;
use uuid::Uuid;

use super::system::SystemAccount;
use crate::chain::Hash;
use crate::ids::AccountId;

/// What made a posting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A decision: the position of its event (and so the signed bytes), its revision, and which of its movements.
    Decision {
        /// Position of the event.
        pos: i64,
        /// Revision of the decision.
        rev: i32,
        /// Number of the movement within the decision.
        effect_no: i32,
    },
    /// A command: the app's, or the clock's.
    Command(Uuid),
}

/// The line of a payment that credits come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Root key of the payment.
    pub root_key: String,
    /// Line of the payment.
    pub line: String,
}

/// What a movement did to a grant (`grant_move.kind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MoveKind {
    /// Spent.
    Spent,
    /// Ran out of time.
    Expired,
    /// Clawed back: its line is worth less by what is known now.
    ClawedBack,
    /// Moved to another account.
    Moved,
    /// Given back: by the reversal of a spend, or of an expiry whose money was refunded.
    GivenBack,
    /// Written off by an approver.
    WrittenOff,
    /// Paid a debt of its account.
    PaidDebt,
}

impl MoveKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Spent,
        Self::Expired,
        Self::ClawedBack,
        Self::Moved,
        Self::GivenBack,
        Self::WrittenOff,
        Self::PaidDebt,
    ];

    /// The number that the database keeps.
    pub const fn code(self) -> i16 {
        match self {
            Self::Spent => 1,
            Self::Expired => 2,
            Self::ClawedBack => 3,
            Self::Moved => 4,
            Self::GivenBack => 5,
            Self::WrittenOff => 6,
            Self::PaidDebt => 7,
        }
    }

    /// The kind with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// Which grant a posting drew from or gave back to, and how much (`grant_move`). A posting has one of each grant at
/// most, sorted by grant: so they are stored, and so they are hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantMove {
    /// The grant.
    pub grant_id: i64,
    /// What happened to it.
    pub kind: MoveKind,
    /// Credits, always positive; the kind says which way.
    pub amount: i64,
}

/// One movement on one account, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Account.
    pub account: AccountId,
    /// Unit.
    pub unit: String,
    /// 1, 2, 3 … per account.
    pub seq: i64,
    /// The other side.
    pub contra: SystemAccount,
    /// Credits; positive adds to the account.
    pub amount: i64,
    /// Sum of all postings up to this one.
    pub balance_after: i64,
    /// What made it.
    pub cause: Cause,
    /// Line of the payment that it belongs to.
    pub source: Option<Source>,
    /// When it took effect in the world.
    pub effective_at: Timestamp,
    /// When it was recorded; never decreases along `seq`.
    pub recorded_at: Timestamp,
    /// Grants that it drew from or gave back to. What they do not cover is debt, made or paid.
    pub moves: Vec<GrantMove>,
    /// Head of the chain with it.
    pub hash: Hash,
}
