//! Cases that facts released, decided anew: further revisions of their events' decisions, of which the latest counts.
//!
//! However many cases a fact releases, each step is bounded. Cases are marked as due some at a time, and only while few
//! are due, so that what was released last does not stand behind a hundred thousand others. Those that are due are shared
//! out to lanes, of which each is healed by one transaction at a time; so any number of healers may be at work.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use ledger::ids::CaseId;
use rules::cases::Telling;
use store::Tx;
use store::projection::released::{self, LANES, Lane};
use store::projection::{cases, slots, woken};
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
        let mut due = self.due(tenant).await?;
        if i64::try_from(due.len()).is_ok_and(|due| due < FEW_DUE) && self.mark(tenant).await? {
            due = self.due(tenant).await?;
        }
        let lanes: BTreeSet<Lane> = due.iter().map(|case| Lane::of(*case)).collect();
        let in_turn = (0..LANES).map(|number| Lane::new(turn.wrapping_add(number)));
        for lane in in_turn.filter(|lane| lanes.contains(lane)) {
            let done = self.heal_lane(tenant, lane).await?;
            if done.decided > 0 {
                return Ok(Done { more: true, ..done });
            }
        }
        Ok(Done { more: !due.is_empty(), ..Done::default() })
    }

    /// The cases that are due, as many as it takes to see that they are not few.
    async fn due(&self, tenant: &Tenant) -> Result<Vec<Uuid>, BatchError> {
        let client = self.store.get().await?;
        Ok(released::list(&client, tenant.tenant_id, self.now(), None, FEW_DUE).await?)
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
        let released = released::list(&client, tenant_id, now, Some(lane), MAX_CASES).await?;
        drop(client);
        let mut all = Done::default();
        for id in released {
            match self.run(tenant, &Task::Cases(&[id]), &mut Counted::default()).await {
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
        let released = released::list(tx, tenant_id, now, Some(lane), MAX_CASES).await?;
        self.released_cases(tx, tenant, &released).await
    }

    /// Those of the cases that are still to be decided anew, as work.
    pub(crate) async fn released_cases(
        &self,
        tx: &Tx,
        tenant: &Tenant,
        released: &[Uuid],
    ) -> Result<(Vec<Work>, Done), BatchError> {
        if released.is_empty() {
            return Ok((Vec::new(), Done::default()));
        }
        let rows = cases::read_in_tx(tx, tenant.tenant_id, &[], released).await?;
        let rows = rows.iter().filter(|row| row.resolution.is_none() && row.due_pos.is_some());
        let (of_payments, alone): (Vec<_>, Vec<_>) = rows.partition(|row| row.root_key.is_some());
        let mut work: Vec<Work> = of_payments.iter().map(|row| Work::Case(row.case_id)).collect();
        // Cases that hold an event alone: it is translated and decided again.
        let held =
            alone.iter().flat_map(|row| row.events.iter().map(|event| (event.0, row.case_id)));
        let held: Vec<(i64, Uuid)> = held.collect();
        if !held.is_empty() {
            let positions: Vec<i64> = held.iter().map(|(pos, _)| *pos).collect();
            for event in slots::events_at(tx, tenant.tenant_id, &positions, MAX_BYTES).await? {
                let telling = Telling { pos: event.pos, rev: 0, slot: event.slot, cause_pos: None };
                let holding = held.iter().filter(|(pos, _)| *pos == event.pos);
                let news = Box::new(news(tenant, &event));
                work.extend(holding.map(|(_, case)| Work::Again(*case, telling, news.clone())));
            }
        }
        let decided = work.len();
        Ok((work, Done { decided, ..Done::default() }))
    }
}
