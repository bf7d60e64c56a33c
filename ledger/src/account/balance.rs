//! What an account has, in all its parts, at an instant.

use jiff::Timestamp;

use super::Account;
use super::grant::Grant;
use super::refusal::{LedgerError, Refusal};

/// An account's balance at an instant. What has expired by then counts as gone, whether or not it was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Credits that can be spent or held, the overdraft aside: what is posted less what is held, never below zero.
    pub available: i64,
    /// Credits that holds reserve.
    pub held: i64,
    /// What is posted below zero.
    pub debt: i64,
    /// Sum of all postings, and of what has expired.
    pub posted: i64,
    /// What runs out of time next.
    pub expiring_next: Option<Expiring>,
}

/// Credits that will expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiring {
    /// Credits.
    pub amount: i64,
    /// When.
    pub at: Timestamp,
}

impl Account {
    /// Credits that have expired and are still posted: no hold reserves them, and nobody can spend them.
    pub fn due(&self, now: Timestamp) -> i64 {
        let due = self.grants.iter().filter(|grant| grant.has_expired(now));
        due.fold(0, |sum, grant| sum.saturating_add(grant.unheld()))
    }

    /// What is there beyond what debt and holds want: available if positive. The overdraft limit is how far it may go below.
    pub(super) fn spare(&self, now: Timestamp) -> Result<i64, LedgerError> {
        let posted = self.posted_at(now)?;
        let spare = posted.checked_sub(self.held);
        spare.ok_or(LedgerError::OutOfRange { amount: self.held, posted })
    }

    /// Credits that can be spent or held, the overdraft aside. The expired grants must be in memory.
    pub fn available(&self, now: Timestamp) -> Result<i64, LedgerError> {
        Ok(self.spare(now)?.max(0))
    }

    /// What the account owes. While it owes anything, no grant has anything left that has not expired, held or free.
    pub fn debt(&self, now: Timestamp) -> Result<i64, LedgerError> {
        Ok(self.posted_at(now)?.min(0).saturating_neg())
    }

    /// Every part of the balance. The whole of the account must be in memory.
    pub fn balance(&self, now: Timestamp) -> Result<Balance, Refusal> {
        self.require_whole()?;
        let available = self.available(now)?;
        let expiring = |grant: &&Grant| !grant.has_expired(now) && grant.unheld() > 0;
        let expiring = self.grants.iter().filter(expiring);
        let next = expiring.clone().filter_map(|grant| grant.terms.expires_at).min();
        let expiring_next = next.map(|at| {
            let first = expiring.filter(|grant| grant.terms.expires_at == Some(at));
            let amount = first.fold(0_i64, |sum, grant| sum.saturating_add(grant.unheld()));
            Expiring { amount: amount.min(available), at }
        });
        Ok(Balance {
            available,
            held: self.held,
            debt: self.debt(now)?,
            posted: self.posted_at(now)?,
            expiring_next: expiring_next.filter(|expiring| expiring.amount > 0),
        })
    }

    /// Sum of all postings, less what has expired: below zero it is debt. The expired grants must be in memory.
    pub fn posted_at(&self, now: Timestamp) -> Result<i64, LedgerError> {
        let due = self.due(now);
        let out_of_range = LedgerError::OutOfRange { amount: due, posted: self.posted };
        self.posted.checked_sub(due).ok_or(out_of_range)
    }
}
