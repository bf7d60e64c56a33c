//! An account with its grants, and the only functions that move credits on it.
//!
//! A movement makes one [`Posting`]: this account on one side, a [`SystemAccount`] on the other, so that the books
//! balance by construction. The functions return what is to be written and change the account to what it is then.

use jiff::Timestamp;
use uuid::Uuid;

use crate::chain::{self, Hash};
use crate::ids::AccountId;

/// The other side of every movement (`posting.contra`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SystemAccount {
    /// Credits that were bought.
    Sale,
    /// Credits taken back because their money was refunded.
    Refund,
    /// Credits taken back, or given again, because of a dispute.
    Dispute,
    /// Credits that were used.
    Spend,
    /// Credits that ran out of time.
    Expiry,
    /// Credits that were given away.
    Promo,
    /// Corrections by people.
    Adjustment,
    /// The way between a payment's unclaimed account and a user's: what leaves one enters the other.
    Unclaimed,
    /// Credits that nobody will claim, by an approver's decision.
    WriteOff,
}

impl SystemAccount {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Sale,
        Self::Refund,
        Self::Dispute,
        Self::Spend,
        Self::Expiry,
        Self::Promo,
        Self::Adjustment,
        Self::Unclaimed,
        Self::WriteOff,
    ];

    /// The number that the database keeps.
    pub const fn code(self) -> i16 {
        match self {
            Self::Sale => 1,
            Self::Refund => 2,
            Self::Dispute => 3,
            Self::Spend => 4,
            Self::Expiry => 5,
            Self::Promo => 6,
            Self::Adjustment => 7,
            Self::Unclaimed => 8,
            Self::WriteOff => 9,
        }
    }

    /// The name that API and CLI show.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Spend => "spend",
            Self::Expiry => "expiry",
            Self::Promo => "promo",
            Self::Adjustment => "adjustment",
            Self::Unclaimed => "unclaimed",
            Self::WriteOff => "write_off",
        }
    }

    /// The system account with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.code() == code)
    }
}

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
    /// A command of the app's.
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

/// A block of credits from one source, with what remains of it (`credit_grant`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// `seq` of the posting that granted it.
    pub grant_id: i64,
    /// Lower is drawn first.
    pub priority: i16,
    /// From this instant it cannot be spent; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// Where it came from; `None` for credits that were given away.
    pub source: Option<Source>,
    /// Credits at the start.
    pub granted: i64,
    /// Credits left.
    pub remaining: i64,
    /// Credits of these that holds reserve.
    pub held: i64,
}

impl Grant {
    /// Whether anything is left of it.
    pub const fn is_open(&self) -> bool {
        self.remaining > 0
    }
}

/// What a movement did to a grant (`grant_move.kind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MoveKind {
    /// Clawed back: its line is worth less by what is known now.
    ClawedBack,
    /// Moved to another account.
    Moved,
    /// Written off by an approver.
    WrittenOff,
}

impl MoveKind {
    /// The number that the database keeps.
    pub const fn code(self) -> i16 {
        match self {
            Self::ClawedBack => 3,
            Self::Moved => 4,
            Self::WrittenOff => 6,
        }
    }

    /// The kind with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::ClawedBack, Self::Moved, Self::WrittenOff]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// Which grant a posting drew from, and how much (`grant_move`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantMove {
    /// The grant.
    pub grant_id: i64,
    /// What happened to it.
    pub kind: MoveKind,
    /// Credits, always positive.
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
    /// Grants that it drew from.
    pub moves: Vec<GrantMove>,
    /// Head of the chain with it.
    pub hash: Hash,
}

/// What is common to the movements of one cause: on whose books, why and when.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Tenant whose books these are: part of the hash.
    pub tenant_id: i32,
    /// The other side.
    pub contra: SystemAccount,
    /// What makes the movement.
    pub cause: Cause,
    /// Line of the payment that it belongs to.
    pub source: Source,
    /// When it takes effect in the world.
    pub effective_at: Timestamp,
    /// Now.
    pub recorded_at: Timestamp,
}

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
    /// The payment's own grants hold less than is to be taken.
    #[error(
        "taking {wanted} credits of {root_key} back: its grants on this account have only {free} free"
    )]
    NotThere {
        /// Credits to be taken.
        wanted: i64,
        /// Credits that are there and not held.
        free: i64,
        /// The payment.
        root_key: String,
    },
}

/// One user, or one unclaimed payment, in one unit (`account`), with its open grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Id.
    pub id: AccountId,
    /// Unit.
    pub unit: String,
    /// Number of postings: the `seq` of the newest one.
    pub version: i64,
    /// Sum of all postings; below zero is debt.
    pub posted: i64,
    /// Credits that holds reserve.
    pub held: i64,
    /// Head of the hash chain.
    pub last_hash: Hash,
    /// `recorded_at` of the newest posting.
    pub last_at: Option<Timestamp>,
    /// Its open grants, by grant id.
    pub grants: Vec<Grant>,
}

impl Account {
    /// An account on which nothing was posted.
    pub const fn new(id: AccountId, unit: String) -> Self {
        Self {
            id,
            unit,
            version: 0,
            posted: 0,
            held: 0,
            last_hash: chain::GENESIS,
            last_at: None,
            grants: Vec::new(),
        }
    }

    /// Adds credits as a new grant of the entry's payment line.
    pub fn grant(&mut self, entry: &Entry, amount: i64) -> Result<Posting, LedgerError> {
        if amount <= 0 {
            return Err(LedgerError::NotPositive { amount });
        }
        let posting = self.post(entry, amount, Vec::new())?;
        self.grants.push(Grant {
            grant_id: posting.seq,
            priority: 0,
            expires_at: None,
            source: Some(entry.source.clone()),
            granted: amount,
            remaining: amount,
            held: 0,
        });
        Ok(posting)
    }

    /// Takes credits out of the grants of the entry's payment line: what they hold beyond holds, oldest first.
    pub fn take(
        &mut self,
        entry: &Entry,
        amount: i64,
        kind: MoveKind,
    ) -> Result<Posting, LedgerError> {
        if amount <= 0 {
            return Err(LedgerError::NotPositive { amount });
        }
        let mut missing = amount;
        let mut moves = Vec::new();
        for grant in self.grants.iter().filter(|grant| grant.source.as_ref() == Some(&entry.source))
        {
            let drawn = grant.remaining.saturating_sub(grant.held).min(missing);
            if drawn > 0 {
                moves.push(GrantMove { grant_id: grant.grant_id, kind, amount: drawn });
                missing = missing.saturating_sub(drawn);
            }
        }
        if missing > 0 {
            let free = amount.saturating_sub(missing);
            return Err(LedgerError::NotThere {
                wanted: amount,
                free,
                root_key: entry.source.root_key.clone(),
            });
        }
        let posting = self.post(entry, amount.saturating_neg(), moves)?;
        for grant_move in &posting.moves {
            for grant in
                self.grants.iter_mut().filter(|grant| grant.grant_id == grant_move.grant_id)
            {
                grant.remaining = grant.remaining.saturating_sub(grant_move.amount);
            }
        }
        Ok(posting)
    }

    /// Credits of a payment line that stand on this account and are not held.
    pub fn free_of(&self, source: &Source) -> i64 {
        let own = self.grants.iter().filter(|grant| grant.source.as_ref() == Some(source));
        own.fold(0, |sum, grant| sum.saturating_add(grant.remaining.saturating_sub(grant.held)))
    }

    /// Appends one posting to the chain and moves the balance with it.
    fn post(
        &mut self,
        entry: &Entry,
        amount: i64,
        moves: Vec<GrantMove>,
    ) -> Result<Posting, LedgerError> {
        let out_of_range = LedgerError::OutOfRange { amount, posted: self.posted };
        let balance_after = self.posted.checked_add(amount).ok_or_else(|| out_of_range.clone())?;
        let seq = self.version.checked_add(1).ok_or(out_of_range)?;
        let recorded_at = chain::to_microseconds(entry.recorded_at);
        let mut posting = Posting {
            account: self.id,
            unit: self.unit.clone(),
            seq,
            contra: entry.contra,
            amount,
            balance_after,
            cause: entry.cause.clone(),
            source: Some(entry.source.clone()),
            effective_at: chain::to_microseconds(entry.effective_at),
            recorded_at: self.last_at.map_or(recorded_at, |last_at| last_at.max(recorded_at)),
            moves,
            hash: chain::GENESIS,
        };
        posting.hash = chain::hash(entry.tenant_id, &self.last_hash, &posting);
        self.version = seq;
        self.posted = balance_after;
        self.last_hash = posting.hash;
        self.last_at = Some(posting.recorded_at);
        Ok(posting)
    }
}

#[cfg(test)]
mod tests;
