//! Spending, and taking a spend back.

use super::draw::Draw;
use super::grant::Terms;
use super::operation::{ExpiredPolicy, require_positive};
use super::posting::{GrantMove, MoveKind};
use super::refusal::{LedgerError, Refusal};
use super::system::SystemAccount;
use super::turn::{Step, Turn};
use crate::ids::SpendId;

/// A spend that may be reversed, as its posting tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    /// Id.
    pub spend_id: SpendId,
    /// Credits, positive.
    pub amount: i64,
    /// Grants that it drew from. What they do not cover was debt.
    pub moves: Vec<GrantMove>,
    /// Whether it was taken back.
    pub is_reversed: bool,
}

impl Turn<'_> {
    pub(super) fn spend(&mut self, amount: i64) -> Result<(), Refusal> {
        self.require_spendable(amount)?;
        self.post_spend(amount, Draw::new(amount))
    }

    /// Whether this many credits may be spent or held now: the overdraft limit is the floor.
    pub(super) fn require_spendable(&self, amount: i64) -> Result<(), Refusal> {
        require_positive(amount)?;
        if self.account.frozen {
            return Err(Refusal::Frozen);
        }
        let spare = self.account.spare(self.now)?;
        if amount > spare.saturating_add(self.account.overdraft_limit) {
            return Err(Refusal::Insufficient { wanted: amount, available: spare.max(0) });
        }
        Ok(())
    }

    /// Posts a spend of which some may have been drawn: the rest comes from what is free, then from what holds reserve,
    /// and what is missing then is debt.
    pub(super) fn post_spend(&mut self, amount: i64, mut draw: Draw) -> Result<(), Refusal> {
        self.draw_free(&mut draw, MoveKind::Spent)?;
        self.draw_held(&mut draw, |_| MoveKind::Spent)?;
        self.post(Step {
            contra: SystemAccount::Spend,
            amount: amount.saturating_neg(),
            source: None,
            effective_at: self.act.effective_at,
            moves: draw.into_moves(),
            grants: None,
        })?;
        Ok(())
    }

    /// Gives a spend back. What comes back pays the account's debt first; the rest goes back to the grants that the
    /// spend drew from, or becomes a grant of its own: what no grant had covered, and, by policy, what has expired. What goes
    /// back to a grant and had been written off is not the account's.
    pub(super) fn reverse(
        &mut self,
        spend_id: SpendId,
        expired: ExpiredPolicy,
        terms: Terms,
    ) -> Result<(), Refusal> {
        let spend = self.account.spends.iter().find(|spend| spend.spend_id == spend_id);
        let spend = spend.cloned().ok_or(Refusal::NoSpend { spend_id })?;
        if spend.is_reversed {
            return Err(Refusal::AlreadyReversed { spend_id });
        }
        let debt = self.account.debt(self.now)?;
        let mut returned = self.share_out(&spend, debt)?;
        let mut loose = returned.loose;
        if expired == ExpiredPolicy::Renew {
            loose = returned.lapsed.iter().fold(loose, |sum, back| sum.saturating_add(back.amount));
            let lapsed = std::mem::take(&mut returned.lapsed);
            returned.moves.retain(|back| !lapsed.contains(back));
        }
        if loose > 0 {
            self.require_future(terms.expires_at)?;
        }
        let seq = self.account.version.saturating_add(1);
        let freed: Vec<(i64, i64)> =
            returned.moves.iter().map(|back| (back.grant_id, back.amount)).collect();
        let step = Step {
            contra: SystemAccount::Spend,
            amount: spend.amount.saturating_sub(loose),
            source: None,
            effective_at: self.act.effective_at,
            moves: returned.moves,
            grants: None,
        };
        if step.amount > 0 {
            self.post(step)?;
        }
        for back in returned.lapsed {
            self.lapse(back.grant_id, back.amount, self.now)?;
        }
        self.take_forgiven_of(&freed)?;
        if loose > 0 {
            self.give(loose, terms, SystemAccount::Spend, None)?;
        }
        self.effects.reversed.insert(spend_id, seq);
        Ok(())
    }

    /// Shares out what a spend gives back, after the debt is paid: first of what no grant had covered, then in the order
    /// of drawing, so that what is left to the account is what it would have drawn last.
    fn share_out(&self, spend: &Spend, debt: i64) -> Result<Returned, LedgerError> {
        let covered = spend.moves.iter().fold(0_i64, |sum, drawn| sum.saturating_add(drawn.amount));
        let uncovered = spend.amount.saturating_sub(covered);
        let mut owed = debt.saturating_sub(uncovered).max(0);
        let mut returned = Returned {
            loose: uncovered.saturating_sub(debt).max(0),
            moves: Vec::new(),
            lapsed: Vec::new(),
        };
        let mut drawn = Vec::with_capacity(spend.moves.len());
        for back in &spend.moves {
            let grant_id = back.grant_id;
            let grant = self.account.grant_of(grant_id).ok_or(LedgerError::NoGrant { grant_id })?;
            drawn.push((grant.place(), grant.has_expired(self.now), back.amount));
        }
        drawn.sort_unstable();
        for (place, has_expired, amount) in drawn {
            let paid = owed.min(amount);
            owed = owed.saturating_sub(paid);
            let amount = amount.saturating_sub(paid);
            if amount > 0 {
                let kind = MoveKind::GivenBack;
                let back = GrantMove { grant_id: place.grant_id, kind, amount };
                if has_expired {
                    returned.lapsed.push(back.clone());
                }
                returned.moves.push(back);
            }
        }
        returned.moves.sort_by_key(|back| back.grant_id);
        Ok(returned)
    }
}

/// What a reversal gives back, its debt paid.
struct Returned {
    /// What no grant had covered, and no debt wants.
    loose: i64,
    /// What goes back to grants, sorted by grant.
    moves: Vec<GrantMove>,
    /// Those of them whose grant has expired.
    lapsed: Vec<GrantMove>,
}
