//! Taking a payment's credits back.

use super::draw::Draw;
use super::grant::Grant;
use super::hold::Hold;
use super::operation::{ClawbackPolicy, require_positive};
use super::posting::{GrantMove, MoveKind, Source};
use super::refusal::{LedgerError, Refusal};
use super::system::SystemAccount;
use super::turn::{Step, Turn};

impl Turn<'_> {
    /// Takes credits back: from what the payment's own grants have unheld, then from what expired of them (nobody had the
    /// use of it, so nobody owes it); what is missing then was spent or is held, and the policy says who bears it.
    pub(super) fn claw_back(
        &mut self,
        amount: i64,
        source: &Source,
        way: (MoveKind, SystemAccount),
        policy: ClawbackPolicy,
    ) -> Result<(), Refusal> {
        let (kind, contra) = way;
        self.free_overdue()?;
        let mut draw = self.draw_own(amount, source, kind)?;
        self.recall_expired(&mut draw, source, kind)?;
        let missing = draw.missing;
        let mut forgiven = 0;
        match policy {
            ClawbackPolicy::WriteOff => forgiven = missing,
            ClawbackPolicy::Debt | ClawbackPolicy::Freeze => {
                self.draw_debt(&mut draw, source, kind)?;
            }
        }
        let moves = draw.into_moves();
        self.post_taken(amount, source, contra, moves)?;
        if forgiven > 0 {
            self.post(Step {
                contra: SystemAccount::WriteOff,
                amount: forgiven,
                source: Some(source.clone()),
                effective_at: self.act.effective_at,
                moves: Vec::new(),
                grants: None,
            })?;
            self.forgive(source, forgiven);
        }
        if policy == ClawbackPolicy::Freeze && missing > 0 {
            self.account.frozen = true;
        }
        Ok(())
    }

    /// Frees what holds reserve whose deadline has passed, as whoever closes them would have; but for what was written off,
    /// which whoever closes them takes back.
    fn free_overdue(&mut self) -> Result<(), Refusal> {
        let overdue = |hold: &&Hold| hold.is_open() && hold.expires_at <= self.now;
        let overdue: Vec<Hold> = self.account.holds.iter().filter(overdue).cloned().collect();
        let mut forgiven = self.account.forgiven.clone();
        for hold in overdue {
            for (grant_id, reserved) in hold.reserved {
                let source = self.account.grant_of(grant_id).and_then(|it| it.source.as_ref());
                let kept = source.and_then(|source| forgiven.get_mut(source));
                let kept = kept.map_or(0, |left| {
                    let kept = reserved.min(*left);
                    *left = left.saturating_sub(kept);
                    kept
                });
                self.unreserve(hold.hold_id, grant_id, reserved.saturating_sub(kept))?;
            }
        }
        Ok(())
    }

    /// Draws from the unheld part of a payment's own grants, oldest first: of those that have expired what the others lack,
    /// as if what is due had been posted.
    fn draw_own(&self, amount: i64, source: &Source, kind: MoveKind) -> Result<Draw, LedgerError> {
        require_positive(amount)?;
        let mut draw = Draw::new(amount);
        let mut own: Vec<&Grant> = self.account.grants_of(source).collect();
        own.sort_by_key(|grant| grant.has_expired(self.now));
        for grant in own {
            draw.take(grant.grant_id, kind, grant.unheld());
        }
        Ok(draw)
    }

    /// Takes back what expired of the payment's own grants, as far as it is needed, and draws it.
    fn recall_expired(
        &mut self,
        draw: &mut Draw,
        source: &Source,
        kind: MoveKind,
    ) -> Result<(), LedgerError> {
        let own: Vec<i64> = self.account.grants_of(source).map(|grant| grant.grant_id).collect();
        let mut recalled = Vec::new();
        for grant_id in own {
            if let Some(expired) = self.account.expired.get_mut(&grant_id) {
                let amount = draw.take(grant_id, kind, *expired);
                *expired = expired.saturating_sub(amount);
                if amount > 0 {
                    recalled.push(GrantMove { grant_id, kind: MoveKind::GivenBack, amount });
                }
            }
        }
        let amount = recalled.iter().fold(0_i64, |sum, back| sum.saturating_add(back.amount));
        if amount == 0 {
            return Ok(());
        }
        self.post(Step {
            contra: SystemAccount::Expiry,
            amount,
            source: Some(source.clone()),
            effective_at: self.act.effective_at,
            moves: recalled,
            grants: None,
        })
    }

    /// Draws what is owed from everything else that the account has. What is missing then is its debt.
    fn draw_debt(
        &mut self,
        draw: &mut Draw,
        source: &Source,
        kind: MoveKind,
    ) -> Result<(), Refusal> {
        self.draw_free(draw, MoveKind::PaidDebt)?;
        let source = source.clone();
        self.draw_held(draw, |grant| {
            if grant.source.as_ref() == Some(&source) { kind } else { MoveKind::PaidDebt }
        })
    }

    fn post_taken(
        &mut self,
        amount: i64,
        source: &Source,
        contra: SystemAccount,
        moves: Vec<GrantMove>,
    ) -> Result<(), LedgerError> {
        self.post(Step {
            contra,
            amount: amount.saturating_neg(),
            source: Some(source.clone()),
            effective_at: self.act.effective_at,
            moves,
            grants: None,
        })
    }
}
