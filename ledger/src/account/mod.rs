//! An account with its grants and holds, and the one door to it: [`Account::evaluate`].
//!
//! A movement makes one [`Posting`]: this account on one side, a [`SystemAccount`] on the other, so that the books
//! balance by construction. An operation changes the account to what it is then, and returns what is to be written, or
//! is refused and changes nothing.
//!
//! What is posted is what remains of the grants, less the debt. While there is debt nothing remains of any grant that has
//! not expired: whatever comes in pays it first, and what holds had reserved pays it too. Such a hold stays valid, with
//! nothing behind it but the account.
//!
//! | module | what |
//! |---|---|
//! | [`operation`] | what can be done, and the door |
//! | `spend`, `holding`, `granting`, `clawback` | how each of them is done |
//! | `forgiving` | what was written off, and comes back |
//! | `draw` | which grants credits come from |
//! | `turn` | all of it, or nothing |
//! | [`effects`], [`refusal`] | what comes out |
//! | [`balance`] | what the account has at an instant |
//! | [`grant`], [`hold`], [`posting`], [`system`] | the rows |

pub mod balance;
mod clawback;
mod draw;
pub mod effects;
mod forgiving;
pub mod grant;
mod granting;
pub mod hold;
mod holding;
pub mod operation;
pub mod posting;
pub mod refusal;
pub mod spend;
pub mod system;
mod turn;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::chain::{self, Hash};
use crate::ids::{AccountId, HoldId};
pub use balance::{Balance, Expiring};
pub use effects::{Effects, Row};
pub use grant::{DrawPlace, Grant, Terms};
pub use hold::{Hold, HoldState};
pub use operation::{Act, ClawbackPolicy, ExpiredPolicy, Operation};
pub use posting::{Cause, GrantMove, MoveKind, Posting, Source};
pub use refusal::{LedgerError, Refusal};
pub use spend::Spend;
pub use system::SystemAccount;
use turn::Step;

/// How much of an account is in memory. An operation that would need more is refused with [`Refusal::NotLoaded`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All open grants and all open holds.
    Whole,
    /// The open grants up to this place in the order of drawing, those that have expired, and what operations name.
    Until(DrawPlace),
}

/// One user, or one unclaimed payment, in one unit (`account`), with its open grants and holds.
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
    /// How far below zero spends and holds may go.
    pub overdraft_limit: i64,
    /// Whether spends and holds are refused.
    pub frozen: bool,
    /// Head of the hash chain.
    pub last_hash: Hash,
    /// When the newest operation on it was recorded; never decreases.
    pub last_at: Option<Timestamp>,
    /// Its open grants, by grant id, and those that an operation names.
    pub grants: Vec<Grant>,
    /// Its open holds, and those that an operation names.
    pub holds: Vec<Hold>,
    /// Spends that an operation names.
    pub spends: Vec<Spend>,
    /// Credits that expired, and were not taken back since, by grant id: those of the lines that are clawed back.
    pub expired: BTreeMap<i64, i64>,
    /// Credits that were taken back when they were gone, and that it does not owe, by the line that they were bought with.
    /// What comes back of them is not its. Those of the lines that are granted, and of what named spends and holds, and holds
    /// whose deadline has passed, drew from.
    pub forgiven: BTreeMap<Source, i64>,
    /// How much of it is in memory.
    pub extent: Extent,
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
            overdraft_limit: 0,
            frozen: false,
            last_hash: chain::GENESIS,
            last_at: None,
            grants: Vec::new(),
            holds: Vec::new(),
            spends: Vec::new(),
            expired: BTreeMap::new(),
            forgiven: BTreeMap::new(),
            extent: Extent::Whole,
        }
    }

    /// Puts the open grants of a payment line under other terms. Nothing moves.
    pub fn set_terms(&mut self, source: &Source, terms: Terms) -> Effects {
        let own = |grant: &&mut Grant| grant.is_open() && grant.source.as_ref() == Some(source);
        let mut effects = Effects::default();
        for grant in self.grants.iter_mut().filter(own) {
            grant.terms = terms;
            effects.grants.insert(grant.grant_id, Row::Changed(grant.clone()));
        }
        effects
    }

    /// A grant, if it is in memory.
    pub fn grant_of(&self, grant_id: i64) -> Option<&Grant> {
        self.grants.iter().find(|grant| grant.grant_id == grant_id)
    }

    /// A hold, if it is in memory.
    pub fn hold_of(&self, hold_id: HoldId) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.hold_id == hold_id)
    }

    fn grants_of(&self, source: &Source) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| grant.source.as_ref() == Some(source))
    }

    /// Appends one posting to the chain and moves the balance with it.
    fn post(
        &mut self,
        act: &Act,
        recorded_at: Timestamp,
        step: Step,
    ) -> Result<Posting, LedgerError> {
        let amount = step.amount;
        let out_of_range = LedgerError::OutOfRange { amount, posted: self.posted };
        let balance_after = self.posted.checked_add(amount).ok_or_else(|| out_of_range.clone())?;
        let seq = self.version.checked_add(1).ok_or(out_of_range)?;
        let mut posting = Posting {
            account: self.id,
            unit: self.unit.clone(),
            seq,
            contra: step.contra,
            amount,
            balance_after,
            cause: act.cause.clone(),
            source: step.source,
            effective_at: chain::to_microseconds(step.effective_at),
            recorded_at,
            moves: step.moves,
            hash: chain::GENESIS,
        };
        posting.hash = chain::hash(act.tenant_id, &self.last_hash, &posting);
        self.version = seq;
        self.posted = balance_after;
        self.last_hash = posting.hash;
        Ok(posting)
    }
}

#[cfg(test)]
mod tests;
