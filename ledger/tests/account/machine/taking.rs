//! How the model takes a payment's credits back, and what comes back of those that were forgiven.

use ledger::account::ClawbackPolicy;

use super::deed::Denied;
use super::model::{Credit, Model, Place};

impl Model {
    pub(super) fn claw_back(
        &mut self,
        amount: i64,
        line: u8,
        policy: ClawbackPolicy,
        now: i64,
    ) -> Result<(), Denied> {
        let amount = usize::try_from(amount).ok().filter(|amount| *amount > 0);
        let missing = self.take_own(amount.ok_or(Denied::NotPositive)?, line, now);
        if policy == ClawbackPolicy::WriteOff {
            *self.forgiven.entry(line).or_default() += missing;
            return Ok(());
        }
        self.frozen |= policy == ClawbackPolicy::Freeze && missing > 0;
        for _ in 0..missing {
            self.use_one(now);
        }
        Ok(())
    }

    /// Takes what is there of a line; how many are not.
    fn take_own(&mut self, amount: usize, line: u8, now: i64) -> usize {
        self.free_overdue(now);
        let mut own: Vec<usize> = (0..self.credits.len())
            .filter(|credit| self.line_of(*credit) == Some(line))
            .filter(|credit| matches!(self.credits[*credit].place, Place::Free | Place::Expired))
            .collect();
        // What is due first of all has expired, posted or not.
        own.sort_by_key(|credit| {
            let Credit { grant, place } = self.credits[*credit];
            (place == Place::Expired, self.has_expired(grant, now))
        });
        own.truncate(amount);
        for credit in &own {
            self.credits[*credit].place = Place::Gone;
        }
        amount - own.len()
    }

    /// What holds keep beyond their deadline is nobody's; but what was forgiven is taken when they are closed.
    fn free_overdue(&mut self, now: i64) {
        let mut forgiven = self.forgiven.clone();
        let overdue = |hold: &usize| self.jobs[*hold].deadline <= now;
        for hold in (0..self.jobs.len()).filter(overdue).collect::<Vec<_>>() {
            for credit in 0..self.credits.len() {
                let left = self.line_of(credit).and_then(|line| forgiven.get_mut(&line));
                match left {
                    _ if self.credits[credit].place != Place::Held(hold) => {}
                    Some(left) if *left > 0 => *left -= 1,
                    _ => self.credits[credit].place = Place::Free,
                }
            }
        }
    }

    fn line_of(&self, credit: usize) -> Option<u8> {
        self.blocks[self.credits[credit].grant].line
    }

    /// What was forgiven and comes back is taken.
    pub(super) fn take_forgiven(&mut self, line: u8, came: usize, now: i64) {
        let forgiven = self.forgiven.entry(line).or_default();
        let amount = came.min(*forgiven);
        *forgiven -= amount;
        if amount > 0 {
            for _ in 0..self.take_own(amount, line, now) {
                self.use_one(now);
            }
        }
    }

    pub(super) fn take_forgiven_of(&mut self, credits: &[usize], now: i64) {
        for line in 0..3 {
            let came = credits.iter().filter(|credit| self.line_of(**credit) == Some(line));
            self.take_forgiven(line, came.count(), now);
        }
    }
}
