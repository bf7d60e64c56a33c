//! Decisions made anew: cases that a fact released, and events that older rules deferred. Both write further revisions;
//! the latest counts.

use jiff::SignedDuration;
use ledger::ids::CaseId;
use rules::RULES_VERSION;
use rules::cases::Telling;
use store::Tx;
use store::projection::{cases, decisions, slots};
use uuid::Uuid;

use crate::batch::{BatchError, Counted, Done, Task, Work, news};
use crate::{Projector, Tenant};

/// Most cases of one batch.
pub const MAX_CASES: i64 = 256;

/// How long a released case that could not be decided is put off, so that it does not stand before the others.
const PUT_OFF: SignedDuration = SignedDuration::from_secs(60);

impl Projector {
    /// Decides up to [`MAX_CASES`] cases anew that facts released.
    pub async fn heal(&self, tenant: &Tenant) -> Result<Done, BatchError> {
        let released =
            cases::released(&self.store.get().await?, tenant.tenant_id, self.now(), MAX_CASES)
                .await?;
        if released.is_empty() {
            return Ok(Done::default());
        }
        let more = i64::try_from(released.len()).is_ok_and(|len| len >= MAX_CASES);
        match self.heal_these(tenant, &released).await {
            Err(error) if !error.is_transient() => {
                self.heal_one_by_one(tenant, &released, &error).await
            }
            outcome => outcome.map(|done| Done { more, ..done }),
        }
    }

    /// A batch of cases failed: each alone, so that the others heal. The one at fault stays open, says so in the log, and is
    /// tried again later.
    async fn heal_one_by_one(
        &self,
        tenant: &Tenant,
        released: &[Uuid],
        why: &BatchError,
    ) -> Result<Done, BatchError> {
        tracing::warn!(tenant.id = tenant.tenant_id, error = %why, "healing cases one by one");
        let mut all = Done::default();
        for id in released {
            match self.heal_these(tenant, &[*id]).await {
                Ok(done) => {
                    all.decided = all.decided.saturating_add(done.decided);
                    all.woken = all.woken.saturating_add(done.woken);
                }
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    tracing::error!(tenant.id = tenant.tenant_id, case.id = %CaseId(*id), %error, "a case cannot be decided");
                    self.put_off(tenant, *id).await?;
                }
            }
        }
        Ok(all)
    }

    async fn put_off(&self, tenant: &Tenant, id: Uuid) -> Result<(), BatchError> {
        let until = self.now().checked_add(PUT_OFF).unwrap_or_else(|_| self.now());
        Ok(cases::postpone(&self.store.get().await?, tenant.tenant_id, id, until).await?)
    }

    async fn heal_these(&self, tenant: &Tenant, released: &[Uuid]) -> Result<Done, BatchError> {
        self.run(tenant, &Task::Cases(released), &mut Counted::default()).await
    }

    /// Those of the cases that are still to be decided anew, as work.
    pub(crate) async fn released_cases(
        &self,
        tx: &Tx,
        tenant: &Tenant,
        released: &[Uuid],
    ) -> Result<(Vec<Work>, Done), BatchError> {
        let rows = cases::read_in_tx(tx, tenant.tenant_id, &[], released).await?;
        let mut work: Vec<Work> = Vec::new();
        for row in rows.iter().filter(|row| row.resolution.is_none() && row.due_pos.is_some()) {
            if row.root_key.is_some() {
                work.push(Work::Case(row.case_id));
                continue;
            }
            let positions: Vec<i64> = row.events.iter().map(|(pos, _, _)| *pos).collect();
            let events = slots::events_at(tx, tenant.tenant_id, &positions).await?;
            for event in events {
                let telling = Telling { pos: event.pos, rev: 0, slot: event.slot, cause_pos: None };
                work.push(Work::Again(row.case_id, telling, Box::new(news(tenant, &event))));
            }
        }
        let decided = work.len();
        Ok((work, Done { decided, ..Done::default() }))
    }

    /// Decides events anew that older rules deferred, from after a position on; the last position seen, if there was any.
    pub async fn decide_deferred(
        &self,
        tenant: &Tenant,
        after: i64,
    ) -> Result<Option<i64>, BatchError> {
        Ok(self.run(tenant, &Task::Deferred { after }, &mut Counted::default()).await?.last)
    }

    /// Deferred events in slots that are free, as work.
    pub(crate) async fn deferred_events(
        &self,
        tx: &Tx,
        tenant: &Tenant,
        after: i64,
    ) -> Result<(Vec<Work>, Done), BatchError> {
        let seen =
            decisions::deferred(tx, tenant.tenant_id, RULES_VERSION, after, MAX_CASES).await?;
        let last = seen.last().map(|row| row.pos);
        let wanted: Vec<i16> = seen.iter().map(|row| row.slot).collect();
        let claimed = slots::claim_in_tx(tx, tenant.tenant_id, &wanted).await?;
        // Read once more under the locks: another projector may have been faster.
        let rows =
            decisions::deferred(tx, tenant.tenant_id, RULES_VERSION, after, MAX_CASES).await?;
        let mine: Vec<_> = rows.into_iter().filter(|row| claimed.contains(&row.slot)).collect();
        let positions: Vec<i64> = mine.iter().map(|row| row.pos).collect();
        let mut work = Vec::new();
        for event in slots::events_at(tx, tenant.tenant_id, &positions).await? {
            let rev = mine
                .iter()
                .find(|row| row.pos == event.pos)
                .map_or(0, |row| row.rev.saturating_add(1));
            let telling = Telling { pos: event.pos, rev, slot: event.slot, cause_pos: None };
            work.push(Work::Event(telling, Box::new(news(tenant, &event))));
        }
        let decided = work.len();
        Ok((work, Done { decided, last, ..Done::default() }))
    }
}
