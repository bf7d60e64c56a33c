//! A naive model of an account, written from the documents alone: every single credit is a thing of its own that is
//! somewhere. Nothing is summed up in advance; whatever is asked is counted anew.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::account::{ExpiredPolicy, Terms};

use super::deed::{Deed, Denied, Step};

/// Where a single credit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Free,
    Held(usize),
    Expired,
    /// Spent, clawed back or paid for a debt.
    Gone,
}

/// One single credit.
#[derive(Clone, Debug)]
pub(super) struct Credit {
    pub(super) grant: usize,
    pub(super) place: Place,
}

/// What credits of one grant have in common. Grants are numbered in the order in which they were made.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) terms: Terms,
    pub(super) line: Option<u8>,
}

#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) amount: usize,
    pub(super) deadline: i64,
    pub(super) state: &'static str,
    pub(super) captured: usize,
}

/// Which credits a spend used; `None` is one that was not there.
#[derive(Clone, Debug)]
pub(super) struct Used {
    pub(super) credits: Vec<Option<usize>>,
    pub(super) is_reversed: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) wall: i64,
    /// When the newest deed was done: nothing happens before it.
    pub(super) newest: i64,
    pub(super) blocks: Vec<Block>,
    pub(super) credits: Vec<Credit>,
    pub(super) jobs: Vec<Job>,
    pub(super) used: Vec<Used>,
    /// Credits that were used without being there.
    pub(super) owed: usize,
    /// Credits of each line that were taken back when they were gone, and are owed by nobody.
    pub(super) forgiven: BTreeMap<u8, usize>,
    pub(super) limit: usize,
    pub(super) frozen: bool,
    /// What came of the newest deed.
    pub(super) answer: Option<Result<(), Denied>>,
}

impl Model {
    /// The instant that a deed is judged at.
    pub(super) fn instant(&self, behind: i64) -> i64 {
        (self.wall - behind).max(self.newest)
    }

    pub(super) fn after(mut self, step: &Step) -> Self {
        let now = self.instant(step.behind);
        let mut done = self.clone();
        let answer = done.try_deed(&step.deed, now);
        if answer.is_ok() {
            if !matches!(step.deed, Deed::Wait(_)) {
                done.newest = now;
            }
            self = done;
        }
        self.answer = Some(answer);
        self
    }

    pub(super) fn count(&self, is_counted: impl Fn(&Credit) -> bool) -> usize {
        self.credits.iter().filter(|credit| is_counted(credit)).count()
    }

    pub(super) fn has_expired(&self, grant: usize, now: i64) -> bool {
        let expires_at = self.blocks[grant].terms.expires_at;
        expires_at.is_some_and(|expires_at| expires_at.as_second() <= now)
    }

    /// Credits that are there to be spent.
    pub(super) fn usable(&self, now: i64) -> usize {
        self.count(|credit| credit.place == Place::Free && !self.has_expired(credit.grant, now))
    }

    /// Credits that open holds want and no grant has.
    pub(super) fn unbacked(&self) -> usize {
        let open = self.jobs.iter().enumerate().filter(|(_, job)| job.state == "open");
        open.map(|(hold, job)| job.amount - self.count(|credit| credit.place == Place::Held(hold)))
            .sum()
    }

    /// Whether so much can be spent or held, and, if not, how much could without an overdraft.
    fn affords(&self, amount: i64, now: i64) -> Result<usize, Denied> {
        let amount = usize::try_from(amount).ok().filter(|amount| *amount > 0);
        let amount = amount.ok_or(Denied::NotPositive)?;
        if self.frozen {
            return Err(Denied::Frozen);
        }
        let wanted_already = self.owed + self.unbacked();
        if amount + wanted_already > self.usable(now) + self.limit {
            let available = self.usable(now).saturating_sub(wanted_already);
            return Err(Denied::Insufficient { available });
        }
        Ok(amount)
    }

    /// The place of a credit in the order of drawing.
    fn order(&self, credit: usize) -> (i16, i64, usize) {
        let grant = self.credits[credit].grant;
        let terms = self.blocks[grant].terms;
        (terms.priority, terms.expires_at.map_or(i64::MAX, Timestamp::as_second), grant)
    }

    /// Uses one credit: the next that is free, else the next that is held, else one that is not there.
    pub(super) fn use_one(&mut self, now: i64) -> Option<usize> {
        let all = 0..self.credits.len();
        let free = all.clone().filter(|credit| {
            let Credit { grant, place } = self.credits[*credit];
            place == Place::Free && !self.has_expired(grant, now)
        });
        let held = all.filter_map(|credit| match self.credits[credit].place {
            Place::Held(hold) => {
                let latest_first = std::cmp::Reverse((self.jobs[hold].deadline, hold));
                Some((self.order(credit), latest_first, credit))
            }
            Place::Free | Place::Expired | Place::Gone => None,
        });
        let next = free.min_by_key(|credit| self.order(*credit));
        let next = next.or_else(|| held.min().map(|(_, _, credit)| credit));
        match next {
            Some(credit) => self.credits[credit].place = Place::Gone,
            None => self.owed += 1,
        }
        next
    }

    fn let_go(&mut self, credit: usize, now: i64) {
        let has_expired = self.has_expired(self.credits[credit].grant, now);
        self.credits[credit].place = if has_expired { Place::Expired } else { Place::Free };
    }

    /// Credits of a hold, in the order of drawing.
    fn held_by(&self, hold: usize) -> Vec<usize> {
        let mut held: Vec<_> = (0..self.credits.len())
            .filter(|credit| self.credits[*credit].place == Place::Held(hold))
            .collect();
        held.sort_by_key(|credit| self.order(*credit));
        held
    }

    fn open_job(&self, hold: usize) -> Result<&Job, Denied> {
        let job = self.jobs.get(hold).ok_or(Denied::NoHold)?;
        if job.state == "open" { Ok(job) } else { Err(Denied::HoldClosed) }
    }

    fn try_deed(&mut self, deed: &Deed, now: i64) -> Result<(), Denied> {
        match *deed {
            Deed::Spend(amount) => {
                let amount = self.affords(amount, now)?;
                let credits = (0..amount).map(|_| self.use_one(now)).collect();
                self.used.push(Used { credits, is_reversed: false });
            }
            Deed::Hold { amount, lasts } => {
                let amount = self.affords(amount, now)?;
                if lasts <= 0 {
                    return Err(Denied::Past);
                }
                self.reserve(amount, now + lasts, now);
            }
            Deed::Capture { hold, amount } => self.capture(hold, amount, now)?,
            Deed::Release(hold) => {
                self.open_job(hold)?;
                self.end_job(hold, "released", now);
            }
            Deed::ExpireHold(hold) => {
                if self.open_job(hold)?.deadline > now {
                    return Err(Denied::NotDue);
                }
                self.end_job(hold, "expired", now);
            }
            Deed::Reverse { spend, expired } => self.reverse(spend, expired, now)?,
            Deed::Grant { amount, lasts, priority, line } => {
                let amount = usize::try_from(amount).ok().filter(|amount| *amount > 0);
                if line.is_none() && lasts.is_some_and(|lasts| lasts <= 0) {
                    return Err(Denied::Past);
                }
                let expires_at = lasts.map(|lasts| super::second(now + lasts));
                let amount = amount.ok_or(Denied::NotPositive)?;
                self.grant(amount, Terms { expires_at, priority }, line, now);
            }
            Deed::ExpireGrant(grant) => {
                if !self.has_expired(grant, now) {
                    return Err(Denied::NotDue);
                }
                for credit in &mut self.credits {
                    if credit.grant == grant && credit.place == Place::Free {
                        credit.place = Place::Expired;
                    }
                }
            }
            Deed::Clawback { amount, line, policy } => self.claw_back(amount, line, policy, now)?,
            Deed::Limit(limit) => {
                self.limit = usize::try_from(limit).map_err(|_| Denied::NotPositive)?;
            }
            Deed::Freeze(frozen) => self.frozen = frozen,
            Deed::Wait(seconds) => self.wall += seconds,
        }
        Ok(())
    }

    fn reserve(&mut self, amount: usize, deadline: i64, now: i64) {
        for _ in 0..amount {
            let free = (0..self.credits.len()).filter(|credit| {
                let Credit { grant, place } = self.credits[*credit];
                place == Place::Free && !self.has_expired(grant, now)
            });
            if let Some(next) = free.min_by_key(|credit| self.order(*credit)) {
                self.credits[next].place = Place::Held(self.jobs.len());
            }
        }
        self.jobs.push(Job { amount, deadline, state: "open", captured: 0 });
    }

    fn capture(&mut self, hold: usize, amount: Option<i64>, now: i64) -> Result<(), Denied> {
        let job = self.open_job(hold)?.clone();
        if job.deadline <= now {
            return Err(Denied::HoldExpired);
        }
        let amount = amount.map_or(Ok(job.amount), usize::try_from);
        let amount = amount.ok().filter(|amount| *amount > 0).ok_or(Denied::NotPositive)?;
        if amount > job.amount {
            return Err(Denied::AboveHeld);
        }
        let mut held = self.held_by(hold).into_iter();
        let mut credits = Vec::new();
        for _ in 0..amount {
            if let Some(credit) = held.next() {
                self.credits[credit].place = Place::Gone;
                credits.push(Some(credit));
            } else {
                credits.push(self.use_one(now));
            }
        }
        self.jobs[hold].captured = amount;
        self.used.push(Used { credits, is_reversed: false });
        self.end_job(hold, "captured", now);
        Ok(())
    }

    fn end_job(&mut self, hold: usize, state: &'static str, now: i64) {
        self.jobs[hold].state = state;
        let held = self.held_by(hold);
        for credit in &held {
            self.let_go(*credit, now);
        }
        self.take_forgiven_of(&held, now);
    }

    fn reverse(&mut self, spend: usize, expired: ExpiredPolicy, now: i64) -> Result<(), Denied> {
        let used = self.used.get_mut(spend).ok_or(Denied::NoSpend)?;
        if used.is_reversed {
            return Err(Denied::AlreadyReversed);
        }
        used.is_reversed = true;
        let credits = used.credits.clone();
        let mut anew = 0;
        for _ in credits.iter().filter(|credit| credit.is_none()) {
            if self.owed > 0 { self.owed -= 1 } else { anew += 1 }
        }
        let mut there: Vec<usize> = credits.into_iter().flatten().collect();
        there.sort_by_key(|credit| self.order(*credit));
        let mut back = Vec::new();
        for credit in there {
            if self.owed > 0 {
                self.owed -= 1;
            } else if expired == ExpiredPolicy::Renew
                && self.has_expired(self.credits[credit].grant, now)
            {
                anew += 1;
            } else {
                self.let_go(credit, now);
                back.push(credit);
            }
        }
        self.take_forgiven_of(&back, now);
        if anew > 0 {
            self.grant(anew, Terms::default(), None, now);
        }
        Ok(())
    }

    fn grant(&mut self, amount: usize, terms: Terms, line: Option<u8>, now: i64) {
        let grant = self.blocks.len();
        self.blocks.push(Block { terms, line });
        for _ in 0..amount {
            let mut place = Place::Free;
            if self.owed > 0 && !self.has_expired(grant, now) {
                self.owed -= 1;
                place = Place::Gone;
            }
            self.credits.push(Credit { grant, place });
        }
        if let Some(line) = line {
            self.take_forgiven(line, amount, now);
        }
    }
}
