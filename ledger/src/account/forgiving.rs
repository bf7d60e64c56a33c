//! What was written off when it was taken back: its account spent it, or holds had reserved it, and nobody owes it. So what
//! comes back of it is not the account's, by whatever way it comes: then the business bears nothing any more.

use std::collections::BTreeMap;

use super::operation::ClawbackPolicy;
use super::posting::{MoveKind, Source};
use super::refusal::Refusal;
use super::system::SystemAccount;
use super::turn::Turn;

impl Turn<'_> {
    /// Counts credits of a line that are written off; below zero: that were, and are taken back.
    pub(super) fn forgive(&mut self, source: &Source, amount: i64) {
        let forgiven = self.account.forgiven.entry(source.clone()).or_default();
        *forgiven = forgiven.saturating_add(amount);
        self.effects.forgiven = self.effects.forgiven.saturating_add(amount);
    }

    /// Takes of so many credits of a line that came back what had been written off.
    pub(super) fn take_forgiven(&mut self, source: &Source, came: i64) -> Result<(), Refusal> {
        let forgiven = self.account.forgiven.get(source).copied().unwrap_or_default();
        let amount = forgiven.min(came);
        if amount <= 0 {
            return Ok(());
        }
        self.forgive(source, amount.saturating_neg());
        let way = (MoveKind::WrittenOff, SystemAccount::WriteOff);
        self.claw_back(amount, source, way, ClawbackPolicy::Debt)
    }

    /// The same of what came free of grants: credits by grant id. Whether they have expired since makes no difference.
    pub(super) fn take_forgiven_of(&mut self, freed: &[(i64, i64)]) -> Result<(), Refusal> {
        if self.account.forgiven.is_empty() {
            return Ok(());
        }
        let mut lines: BTreeMap<Source, i64> = BTreeMap::new();
        for (grant_id, amount) in freed {
            let source = self.account.grant_of(*grant_id).and_then(|grant| grant.source.clone());
            if let Some(source) = source {
                let came = lines.entry(source).or_default();
                *came = came.saturating_add(*amount);
            }
        }
        for (source, came) in lines {
            self.take_forgiven(&source, came)?;
        }
        Ok(())
    }
}
