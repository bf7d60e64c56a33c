//! Everything that one account does, and the one door to it.

use jiff::Timestamp;

use super::Account;
use super::effects::Effects;
use super::grant::Terms;
use super::posting::{Cause, MoveKind, Source};
use super::refusal::{LedgerError, Refusal};
use super::system::SystemAccount;
use super::turn::Turn;
use crate::ids::{HoldId, SpendId};

/// On whose books something is done, why and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Tenant whose books these are: part of the hash.
    pub tenant_id: i32,
    /// What makes the movements.
    pub cause: Cause,
    /// When it takes effect in the world. What expires does so when it was due, whatever is said here.
    pub effective_at: Timestamp,
    /// Now. The account's clock never goes back: where this is before its newest operation, that one's instant counts.
    pub recorded_at: Timestamp,
}

/// What a clawback does about credits that are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClawbackPolicy {
    /// They are owed. What else the account has pays at once, then what it is granted next.
    #[default]
    Debt,
    /// The business bears them.
    WriteOff,
    /// They are owed, and the account is frozen until somebody has looked at it.
    Freeze,
}

impl ClawbackPolicy {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Debt, Self::WriteOff, Self::Freeze];

    /// The number that the database keeps (`decision.clawback`).
    pub const fn code(self) -> i16 {
        match self {
            Self::Debt => 1,
            Self::WriteOff => 2,
            Self::Freeze => 3,
        }
    }

    /// The name that the configuration knows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debt => "debt",
            Self::WriteOff => "write_off",
            Self::Freeze => "freeze",
        }
    }

    /// The policy with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.code() == code)
    }
}

/// What a reversal does with credits whose grant has expired since they were spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExpiredPolicy {
    /// They go back to their grant, and expire at once.
    #[default]
    Lapse,
    /// They come back as a new grant.
    Renew,
}

impl ExpiredPolicy {
    /// The name that a command records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lapse => "lapse",
            Self::Renew => "renew",
        }
    }

    /// The policy with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Lapse, Self::Renew].into_iter().find(|policy| policy.name() == name)
    }
}

/// Something to be done on an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Uses credits.
    Spend {
        /// Credits.
        amount: i64,
    },
    /// Reserves credits for a job.
    Hold {
        /// Id of the hold to be made.
        hold_id: HoldId,
        /// Credits.
        amount: i64,
        /// Its deadline.
        expires_at: Timestamp,
    },
    /// Spends what a hold reserves; what is not captured is released.
    Capture {
        /// The hold.
        hold_id: HoldId,
        /// Credits; `None`: all that it reserves.
        amount: Option<i64>,
    },
    /// Lets go what a hold reserves.
    Release {
        /// The hold.
        hold_id: HoldId,
    },
    /// Closes a hold whose deadline has passed.
    ExpireHold {
        /// The hold.
        hold_id: HoldId,
    },
    /// Gives a spend back to the grants that it drew from.
    Reverse {
        /// The spend, which must be among the account's [`Account::spends`].
        spend_id: SpendId,
        /// What becomes of credits whose grant has expired.
        expired: ExpiredPolicy,
        /// Terms of credits that can go back to no grant.
        terms: Terms,
    },
    /// Adds credits: bought (with a source), or given away.
    Grant {
        /// Credits.
        amount: i64,
        /// Until when they can be spent, and before which others.
        terms: Terms,
        /// The other side.
        contra: SystemAccount,
        /// Line of the payment that they come from; what was written off of it must be in memory.
        source: Option<Source>,
    },
    /// Takes out what a grant had left when it ran out of time.
    ExpireGrant {
        /// The grant.
        grant_id: i64,
    },
    /// Takes a payment's credits back.
    Clawback {
        /// Credits.
        amount: i64,
        /// Line of the payment; its open grants must be in memory, those that expired, and holds whose deadline has passed.
        source: Source,
        /// How it moves them.
        kind: MoveKind,
        /// The other side.
        contra: SystemAccount,
        /// What becomes of credits that are gone.
        policy: ClawbackPolicy,
    },
    /// Sets how far below zero spends and holds may go.
    SetLimit {
        /// Credits, not negative.
        overdraft_limit: i64,
    },
    /// Freezes the account, or thaws it.
    SetFrozen {
        /// Whether spends and holds are refused from now on.
        frozen: bool,
    },
}

impl Account {
    /// Evaluates one operation on what the operations before it left: what it changed, or why it was refused. A refusal
    /// leaves the account exactly as it was, so that others of the same batch can go on.
    pub fn evaluate(&mut self, act: &Act, operation: &Operation) -> Result<Effects, Refusal> {
        let mut turn = Turn::begin(self, act);
        let done = turn.evaluate(operation);
        turn.end(done)
    }
}

impl Turn<'_> {
    fn evaluate(&mut self, operation: &Operation) -> Result<(), Refusal> {
        match operation {
            Operation::Spend { amount } => self.spend(*amount),
            Operation::Hold { hold_id, amount, expires_at } => {
                self.hold(*hold_id, *amount, *expires_at)
            }
            Operation::Capture { hold_id, amount } => self.capture(*hold_id, *amount),
            Operation::Release { hold_id } => self.release(*hold_id),
            Operation::ExpireHold { hold_id } => self.expire_hold(*hold_id),
            Operation::Reverse { spend_id, expired, terms } => {
                self.reverse(*spend_id, *expired, *terms)
            }
            Operation::Grant { amount, terms, contra, source } => {
                if source.is_none() {
                    self.require_future(terms.expires_at)?;
                }
                self.give(*amount, *terms, *contra, source.clone())?;
                source.as_ref().map_or(Ok(()), |source| self.take_forgiven(source, *amount))
            }
            Operation::ExpireGrant { grant_id } => self.expire_grant(*grant_id),
            Operation::Clawback { amount, source, kind, contra, policy } => {
                self.claw_back(*amount, source, (*kind, *contra), *policy)
            }
            Operation::SetLimit { overdraft_limit } => {
                if *overdraft_limit < 0 {
                    return Err(LedgerError::NotPositive { amount: *overdraft_limit }.into());
                }
                self.account.overdraft_limit = *overdraft_limit;
                Ok(())
            }
            Operation::SetFrozen { frozen } => {
                self.account.frozen = *frozen;
                Ok(())
            }
        }
    }

    /// An instant that is to come; from the instant itself on, it has passed.
    pub(super) fn require_future(&self, at: Option<Timestamp>) -> Result<(), Refusal> {
        match at {
            Some(at) if at <= self.now => Err(Refusal::Past { at }),
            Some(_) | None => Ok(()),
        }
    }
}

/// An amount has to be at least one.
pub(super) const fn require_positive(amount: i64) -> Result<(), LedgerError> {
    if amount > 0 { Ok(()) } else { Err(LedgerError::NotPositive { amount }) }
}
