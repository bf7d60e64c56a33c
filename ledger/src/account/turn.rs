//! One operation being evaluated on an account: all of it happens, or nothing does.
//!
//! A turn notes each row as it was before it is touched. If the operation is refused half-way, everything is put back;
//! if not, the rows noted are what has to be written.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Account;
use super::effects::{Effects, Row};
use super::grant::{Grant, Terms};
use super::hold::Hold;
use super::operation::Act;
use super::posting::{GrantMove, MoveKind, Source};
use super::refusal::{LedgerError, Refusal};
use super::system::SystemAccount;
use crate::chain::{self, Hash};
use crate::ids::HoldId;

/// One movement, before it has a place in the chain.
pub(super) struct Step {
    /// The other side.
    pub(super) contra: SystemAccount,
    /// Credits; positive adds to the account.
    pub(super) amount: i64,
    /// Line of the payment that it belongs to.
    pub(super) source: Option<Source>,
    /// When it takes effect in the world.
    pub(super) effective_at: Timestamp,
    /// What it does to grants.
    pub(super) moves: Vec<GrantMove>,
    /// Terms of the grant that its amount becomes, if it becomes one.
    pub(super) grants: Option<Terms>,
}

/// An account's row as it was, but for what never changes.
struct Before {
    version: i64,
    posted: i64,
    held: i64,
    overdraft_limit: i64,
    frozen: bool,
    last_hash: Hash,
    last_at: Option<Timestamp>,
    expired: BTreeMap<i64, i64>,
    forgiven: BTreeMap<Source, i64>,
    grants: BTreeMap<i64, Option<Grant>>,
    holds: BTreeMap<HoldId, Option<Hold>>,
}

/// One operation being evaluated.
pub(super) struct Turn<'a> {
    pub(super) account: &'a mut Account,
    pub(super) act: &'a Act,
    /// The instant that it is judged at: never before the newest operation on the account.
    pub(super) now: Timestamp,
    pub(super) effects: Effects,
    before: Before,
}

impl<'a> Turn<'a> {
    pub(super) fn begin(account: &'a mut Account, act: &'a Act) -> Self {
        let now = chain::to_microseconds(act.recorded_at);
        Self {
            act,
            now: account.last_at.map_or(now, |last_at| last_at.max(now)),
            effects: Effects::default(),
            before: Before {
                version: account.version,
                posted: account.posted,
                held: account.held,
                overdraft_limit: account.overdraft_limit,
                frozen: account.frozen,
                last_hash: account.last_hash,
                last_at: account.last_at,
                expired: account.expired.clone(),
                forgiven: account.forgiven.clone(),
                grants: BTreeMap::new(),
                holds: BTreeMap::new(),
            },
            account,
        }
    }

    /// What is to be written if the operation succeeded; if not, the account is what it was.
    pub(super) fn end<E>(mut self, done: Result<(), E>) -> Result<Effects, E> {
        match done {
            Ok(()) => {
                self.account.last_at = Some(self.now);
                self.note_rows();
                Ok(self.effects)
            }
            Err(error) => {
                self.undo();
                Err(error)
            }
        }
    }

    fn note_rows(&mut self) {
        for (grant_id, before) in &self.before.grants {
            if let Some(grant) = self.account.grant_of(*grant_id) {
                let row = if before.is_some() { Row::Changed } else { Row::New };
                self.effects.grants.insert(*grant_id, row(grant.clone()));
            }
        }
        for (hold_id, before) in &self.before.holds {
            if let Some(hold) = self.account.hold_of(*hold_id) {
                let row = if before.is_some() { Row::Changed } else { Row::New };
                self.effects.holds.insert(*hold_id, row(hold.clone()));
            }
        }
        for spend in &mut self.account.spends {
            spend.is_reversed |= self.effects.reversed.contains_key(&spend.spend_id);
        }
    }

    fn undo(self) {
        let Self { account, before, .. } = self;
        account.version = before.version;
        account.posted = before.posted;
        account.held = before.held;
        account.overdraft_limit = before.overdraft_limit;
        account.frozen = before.frozen;
        account.last_hash = before.last_hash;
        account.last_at = before.last_at;
        account.expired = before.expired;
        account.forgiven = before.forgiven;
        for (grant_id, grant) in before.grants {
            match (grant, account.grants.iter().position(|grant| grant.grant_id == grant_id)) {
                (Some(grant), Some(place)) => account.grants[place] = grant,
                (None, Some(place)) => drop(account.grants.remove(place)),
                (_, None) => {}
            }
        }
        for (hold_id, hold) in before.holds {
            match (hold, account.holds.iter().position(|hold| hold.hold_id == hold_id)) {
                (Some(hold), Some(place)) => account.holds[place] = hold,
                (None, Some(place)) => drop(account.holds.remove(place)),
                (_, None) => {}
            }
        }
    }

    /// A grant that is about to change.
    pub(super) fn grant_mut(&mut self, grant_id: i64) -> Result<&mut Grant, LedgerError> {
        let grant = self.account.grants.iter_mut().find(|grant| grant.grant_id == grant_id);
        let grant = grant.ok_or(LedgerError::NoGrant { grant_id })?;
        self.before.grants.entry(grant_id).or_insert_with(|| Some(grant.clone()));
        Ok(grant)
    }

    /// A hold that is about to change.
    pub(super) fn hold_mut(&mut self, hold_id: HoldId) -> Result<&mut Hold, Refusal> {
        let hold = self.account.holds.iter_mut().find(|hold| hold.hold_id == hold_id);
        let hold = hold.ok_or(Refusal::NoHold { hold_id })?;
        self.before.holds.entry(hold_id).or_insert_with(|| Some(hold.clone()));
        Ok(hold)
    }

    /// A hold that was not there.
    pub(super) fn add_hold(&mut self, hold: Hold) {
        self.before.holds.insert(hold.hold_id, None);
        self.account.holds.push(hold);
    }

    /// Posts one movement, and brings the grants that it names to what they are then.
    pub(super) fn post(&mut self, step: Step) -> Result<(), LedgerError> {
        let (amount, grants) = (step.amount, step.grants);
        let posting = self.account.post(self.act, self.now, step)?;
        if let Some(terms) = grants {
            self.before.grants.insert(posting.seq, None);
            self.account.grants.push(Grant {
                grant_id: posting.seq,
                terms,
                source: posting.source.clone(),
                granted: amount,
                remaining: amount,
                held: 0,
            });
        }
        for grant_move in &posting.moves {
            self.apply(grant_move)?;
        }
        self.effects.postings.push(posting);
        Ok(())
    }

    fn apply(&mut self, grant_move: &GrantMove) -> Result<(), LedgerError> {
        let GrantMove { grant_id, kind, amount } = *grant_move;
        let grant = self.grant_mut(grant_id)?;
        let remaining = match kind {
            MoveKind::GivenBack => grant.remaining.checked_add(amount),
            MoveKind::Spent
            | MoveKind::Expired
            | MoveKind::ClawedBack
            | MoveKind::Moved
            | MoveKind::WrittenOff
            | MoveKind::PaidDebt => grant.remaining.checked_sub(amount),
        };
        let fits = |remaining: &i64| (grant.held..=grant.granted).contains(remaining);
        grant.remaining = remaining.filter(fits).ok_or(LedgerError::Inconsistent { grant_id })?;
        Ok(())
    }
}
