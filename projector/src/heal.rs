//! Cases that facts released, decided anew: further revisions of their events' decisions, of which the latest counts.
//!
//! However many cases a fact releases, each step is bounded. Cases are marked as due some at a time, and only while few
//! are due, so that what was released last does not stand behind a hundred thousand others. Those that are due are shared
//! out to lanes, of which each is healed by one transaction at a time; so any number of healers may be at work.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use ledger::ids::CaseId;
use rules::cases::Telling;
use store::Tx;
use store::projection::released::{self, Lane, Released};
use store::projection::{slots, woken};
use uuid::Uuid;

use crate::batch::{BatchError, Done, MAX_BYTES, Task, Work, news};
use crate::tries::Counted;
use crate::{Projector, Tenant};

/// Most cases of one batch.
pub const MAX_CASES: i64 = 256;

/// Most cases that are marked as due in one transaction.
const MAX_MARKED: i64 = 1_000;

/// With fewer cases due than this, further ones are marked. So many keep the lanes of some healers filled, and are decided
/// within about a second.
const FEW_DUE: i64 = 1_024;

/// How long a released case that could not be decided is put off, so that it does not stand before the others.
const PUT_OFF: SignedDuration = SignedDuration::from_secs(60);

impl Projector {
    /// Decides up to [`MAX_CASES`] cases anew that facts released: those of the first lane from `turn` on that has any and
    /// that no other healer is at.
    pub async fn heal(&self, tenant: &Tenant, turn: u32) -> Result<Done, BatchError> {
        let mut lanes = self.due(tenant).await?;
        let due = lanes.iter().fold(0_i64, |sum, (_, cases)| sum.saturating_add(*cases));
        if due < FEW_DUE && self.mark(tenant).await? {
            lanes = self.due(tenant).await?;
        }
        let turn = usize::try_from(turn).unwrap_or_default();
        let start = turn.checked_rem(lanes.len()).unwrap_or_default();
        lanes.rotate_left(start);
        for (lane, _) in &lanes {
            let done = self.heal_lane(tenant, *lane).await?;
            if done.decided > 0 {
                return Ok(Done { more: true, ..done });
            }
        }
        Ok(Done { more: !lanes.is_empty(), ..Done::default() })
    }

    /// Lanes in which cases are due, each with how many: as many as it takes to see that they are not few.
    async fn due(&self, tenant: &Tenant) -> Result<Vec<(Lane, i64)>, BatchError> {
        let client = self.store.get().await?;
        Ok(released::lanes(&client, tenant.tenant_id, self.now(), FEW_DUE).await?)
    }

    /// Marks further cases as due; whether there were any.
    async fn mark(&self, tenant: &Tenant) -> Result<bool, BatchError> {
        loop {
            let (tenant_id, now) = (tenant.tenant_id, self.now());
            let mark = |tx| async move {
                let marked = woken::mark_in_tx(&tx, tenant_id, now, MAX_MARKED).await?;
                Ok::<_, store::Error>((tx, marked))
            };
            let marked = self.store.run_tx("woken_mark", mark).await?;
            if marked.cases > 0 || !marked.had_facts {
                return Ok(marked.cases > 0);
            }
        }
    }

    async fn heal_lane(&self, tenant: &Tenant, lane: Lane) -> Result<Done, BatchError> {
        match self.run(tenant, &Task::Lane(lane), &mut Counted::default()).await {
            Err(error) if !error.is_transient() => self.heal_one_by_one(tenant, lane, &error).await,
            outcome => outcome,
        }
    }

    /// A batch of cases failed: each alone, so that the others heal. The one at fault stays open, says so in the log, and is
    /// tried again later.
    async fn heal_one_by_one(
        &self,
        tenant: &Tenant,
        lane: Lane,
        why: &BatchError,
    ) -> Result<Done, BatchError> {
        tracing::warn!(tenant.id = tenant.tenant_id, error = %why, "healing cases one by one");
        let (tenant_id, now) = (tenant.tenant_id, self.now());
        let client = self.store.get().await?;
        let released = released::list(&client, tenant_id, now, lane, MAX_CASES).await?;
        drop(client);
        let mut all = Done::default();
        for case in released {
            let id = case.case_id;
            match self.run(tenant, &Task::Cases(&[case]), &mut Counted::default()).await {
                Ok(done) => {
                    all.decided = all.decided.saturating_add(done.decided);
                    all.woken = all.woken.saturating_add(done.woken);
                }
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    tracing::error!(tenant.id = tenant_id, case.id = %CaseId(id), %error, "a case cannot be decided");
                    let until = now.checked_add(PUT_OFF).unwrap_or(now);
                    released::postpone(&self.store.get().await?, tenant_id, id, until).await?;
                }
            }
        }
        Ok(all)
    }

    /// The cases of a lane that are to be decided anew, as work, unless another healer has the lane.
    pub(crate) async fn cases_of_lane(
        &self,
        tx: &Tx,
        tenant: &Tenant,
        lane: Lane,
    ) -> Result<(Vec<Work>, Done), BatchError> {
        let (tenant_id, now) = (tenant.tenant_id, self.now());
        if !released::claim_lane_in_tx(tx, tenant_id, lane).await? {
            return Ok((Vec::new(), Done::default()));
        }
        let released = released::list(tx, tenant_id, now, lane, MAX_CASES).await?;
        self.released_cases(tx, tenant, &released).await
    }

    /// Released cases as work. That they are still open and due is seen under their locks.
    pub(crate) async fn released_cases(
        &self,
        tx: &Tx,
        tenant: &Tenant,
        released: &[Released],
    ) -> Result<(Vec<Work>, Done), BatchError> {
        let of_payments = released
            .iter()
            .filter_map(|case| Some(Work::Case(case.case_id, case.root_key.clone()?)));
        let mut work: Vec<Work> = of_payments.collect();
        // Cases that hold an event alone: it is translated and decided again.
        let alone = released.iter().filter(|case| case.root_key.is_none());
        let held: BTreeMap<i64, Uuid> = alone.map(|case| (case.pos, case.case_id)).collect();
        if !held.is_empty() {
            let positions: Vec<i64> = held.keys().copied().collect();
            for event in slots::events_at(tx, tenant.tenant_id, &positions, MAX_BYTES).await? {
                let telling = Telling { pos: event.pos, rev: 0, slot: event.slot, cause_pos: None };
                let case = held.get(&event.pos).copied().unwrap_or_default();
                work.push(Work::Again(case, telling, Box::new(news(tenant, &event))));
            }
        }
        let decided = work.len();
        Ok((work, Done { decided, ..Done::default() }))
    }
}
