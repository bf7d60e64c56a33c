//! What became of what was asked for.

use jiff::Timestamp;
use ledger::account::{Grant, Hold, Posting, Refusal, Spend};
use uuid::Uuid;

use super::request::Note;

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, and committed.
    Done(Box<Done>),
    /// It was done before.
    Replayed {
        /// The command that did it.
        command_id: Uuid,
        /// The answer that was saved with it; empty for what was asked without a key.
        answer: Vec<u8>,
    },
    /// The books refused it. Nothing was written for it.
    Refused(Refusal),
    /// Nobody registered such a user, and no payment named one.
    UserUnknown,
    /// There is no such hold.
    HoldUnknown,
    /// There is no such spend.
    SpendUnknown,
    /// Its key stands for another request.
    KeyReused,
    /// Another process is at work on its key, or on its account, for longer than can be waited for.
    KeyInFlight,
}

/// What a command did, and how the account stood after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The command.
    pub command_id: Uuid,
    /// On whose account.
    pub user: String,
    /// In which unit.
    pub unit: String,
    /// Which of the account's commands it was: 1, 2, 3 … in the order in which they were carried out.
    pub step: i64,
    /// When it was recorded; never decreases along `step`.
    pub recorded_at: Timestamp,
    /// What it posted.
    pub postings: Vec<Posting>,
    /// The hold that it made or ended.
    pub hold: Option<Hold>,
    /// The grant that it made.
    pub grant: Option<Grant>,
    /// The spend that it gave back.
    pub reversed: Option<Spend>,
    /// What the app said when it spent or held, also of the hold that was ended and of the spend that was given back.
    pub note: Note,
    /// The account after it.
    pub after: After,
}

/// An account after a command, at the instant of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    /// Credits that can be spent or held, the overdraft aside.
    pub available: i64,
    /// Credits that holds reserve.
    pub held: i64,
    /// Credits that are owed.
    pub debt: i64,
    /// Sum of all postings, less what has expired.
    pub posted: i64,
}

impl Outcome {
    /// What it did, if it was carried out now.
    pub fn done(&self) -> Option<&Done> {
        match self {
            Self::Done(done) => Some(done),
            Self::Replayed { .. }
            | Self::Refused(_)
            | Self::UserUnknown
            | Self::HoldUnknown
            | Self::SpendUnknown
            | Self::KeyReused
            | Self::KeyInFlight => None,
        }
    }

    /// The name that metrics show.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Replayed { .. } => "replayed",
            Self::Refused(_) => "refused",
            Self::UserUnknown => "user_unknown",
            Self::HoldUnknown => "hold_unknown",
            Self::SpendUnknown => "spend_unknown",
            Self::KeyReused => "key_reused",
            Self::KeyInFlight => "key_in_flight",
        }
    }
}
