//! Taking a payment's credits back.

use super::draw::Draw;
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
            self.effects.forgiven = forgiven;
        }
        if policy == ClawbackPolicy::Freeze && missing > 0 {
            self.account.frozen = true;
        }
        Ok(())
    }

    /// Draws from the unheld part of a payment's own grants, expired or not, oldest first.
    fn draw_own(&self, amount: i64, source: &Source, kind: MoveKind) -> Result<Draw, LedgerError> {
        require_positive(amount)?;
        let mut draw = Draw::new(amount);
        for grant in self.account.grants_of(source) {
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
