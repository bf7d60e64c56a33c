//! Granting credits, and letting them expire.

use jiff::Timestamp;

use super::draw::Draw;
use super::grant::Terms;
use super::operation::require_positive;
use super::posting::{MoveKind, Source};
use super::refusal::{LedgerError, Refusal};
use super::system::SystemAccount;
use super::turn::{Step, Turn};

impl Turn<'_> {
    /// Adds credits as a new grant, which pays the account's debt first. Credits that have expired before they were
    /// granted (a purchase that is heard of late) pay nothing: they were never there to be spent.
    pub(super) fn give(
        &mut self,
        amount: i64,
        terms: Terms,
        contra: SystemAccount,
        source: Option<Source>,
    ) -> Result<(), LedgerError> {
        require_positive(amount)?;
        let can_pay = terms.expires_at.is_none_or(|expires_at| expires_at > self.now);
        let debt = if can_pay { self.account.debt(self.now)? } else { 0 };
        let mut draw = Draw::new(debt);
        let grant_id = self.account.version.saturating_add(1);
        draw.take(grant_id, MoveKind::PaidDebt, amount);
        let effective_at = self.act.effective_at;
        let moves = draw.into_moves();
        self.post(Step { contra, amount, source, effective_at, moves, grants: Some(terms) })
    }

    /// Posts what a grant had left, beyond what holds reserve, when it ran out of time. Nothing left: nothing to post.
    pub(super) fn expire_grant(&mut self, grant_id: i64) -> Result<(), Refusal> {
        let grant = self.account.grant_of(grant_id).ok_or(LedgerError::NoGrant { grant_id })?;
        let expires_at = grant.terms.expires_at.filter(|expires_at| *expires_at <= self.now);
        let expires_at = expires_at.ok_or(Refusal::NotDue)?;
        match grant.unheld() {
            0 => Ok(()),
            unheld => self.lapse(grant_id, unheld, expires_at),
        }
    }

    /// Takes credits out of a grant that has expired: it takes effect when it expired, or when they came free of what
    /// had kept them, if that was later.
    pub(super) fn lapse(
        &mut self,
        grant_id: i64,
        amount: i64,
        free_since: Timestamp,
    ) -> Result<(), Refusal> {
        let grant = self.account.grant_of(grant_id).ok_or(LedgerError::NoGrant { grant_id })?;
        let expired_at = grant.terms.expires_at.ok_or(Refusal::NotDue)?;
        let source = grant.source.clone();
        let mut draw = Draw::new(amount);
        draw.take(grant_id, MoveKind::Expired, amount);
        let expired = self.account.expired.entry(grant_id).or_default();
        *expired = expired.saturating_add(amount);
        self.post(Step {
            contra: SystemAccount::Expiry,
            amount: amount.saturating_neg(),
            source,
            effective_at: expired_at.max(free_since),
            moves: draw.into_moves(),
            grants: None,
        })?;
        Ok(())
    }
}
