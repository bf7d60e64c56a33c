//! Cases that facts released, decided anew: further revisions of their events' decisions, of which the latest counts.
//!
//! However many cases a fact releases, each step is bounded. Cases are marked as due some at a time, and only while few
//! are due, so that what was released last does not stand behind a hundred thousand others. Those that are due are shared
//! out to lanes, of which each is healed by one transaction at a time; so any number of healers may be at work.
//!
//! A case may kill the process that decides it. So the first batch of a lane that a process takes is counted before it is
//! tried ([`crate::tries`]): had it been the death of the process before, its cases are known, and are no longer taken
//! together. These suspects come last, one at a time of each tenant's, and whoever was tried too often is given up.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use ledger::ids::CaseId;
use rules::cases::Telling;
use store::Tx;
use store::projection::released::{self, Lane, Released, SUSPECTS};
use store::projection::{attempts, slots, woken};
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

/// How often a released case is tried: once with others, then five times alone. Then a person has to look at it.
const MAX_TRIES: i16 = 6;

/// How long a released case that could not be decided is put off, so that it does not stand before the others.
const PUT_OFF: SignedDuration = SignedDuration::from_secs(60);

impl Projector {
    /// Decides up to [`MAX_CASES`] cases anew that facts released: those of the first lane from `turn` on that has any and
    /// that no other healer is at; else one suspect.
    ///
    /// `proven` holds the lanes of which it is known that this process survives their next cases: tries in others are
    /// counted first.
    pub async fn heal(
        &self,
        tenant: &Tenant,
        turn: u32,
        proven: &mut BTreeSet<Lane>,
    ) -> Result<Done, BatchError> {
        let mut lanes = self.due(tenant).await?;
        let due = lanes.iter().fold(0_i64, |sum, (_, cases)| sum.saturating_add(*cases));
        if due < FEW_DUE && self.mark(tenant).await? {
            lanes = self.due(tenant).await?;
        }
        let turn = usize::try_from(turn).unwrap_or_default();
        let start = turn.checked_rem(lanes.len()).unwrap_or_default();
        lanes.rotate_left(start);
        for (lane, _) in &lanes {
            let done = self.heal_lane(tenant, *lane, !proven.contains(lane)).await?;
            if done.decided > 0 {
                proven.insert(*lane);
                return Ok(Done { more: true, ..done });
            }
        }
        if lanes.is_empty() {
            return Ok(Done::default());
        }
        Ok(Done { more: true, ..self.heal_suspect(tenant).await? })
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

    async fn heal_lane(
        &self,
        tenant: &Tenant,
        lane: Lane,
        count_first: bool,
    ) -> Result<Done, BatchError> {
        match self.run_counted(tenant, &Task::Lane(lane), count_first).await {
            Err(error) if !error.is_transient() => {
                tracing::warn!(tenant.id = tenant.tenant_id, %error, "healing cases one by one");
                if !count_first {
                    self.suspect_lane(tenant, lane).await?;
                }
                Ok(Done::default())
            }
            outcome => outcome,
        }
    }

    /// A batch of a lane failed whose try was not counted: from now on its cases are taken one by one.
    async fn suspect_lane(&self, tenant: &Tenant, lane: Lane) -> Result<(), BatchError> {
        let client = self.store.get().await?;
        let released =
            released::list(&client, tenant.tenant_id, self.now(), lane, MAX_CASES).await?;
        attempts::count(&client, tenant.tenant_id, &positions(&released)).await?;
        Ok(())
    }

    /// Decides the next suspect, alone. If it is at fault it stays open, says so in the log, and is tried again later, so
    /// that it does not stand before the others.
    async fn heal_suspect(&self, tenant: &Tenant) -> Result<Done, BatchError> {
        let (tenant_id, now) = (tenant.tenant_id, self.now());
        let next = released::suspect(&self.store.get().await?, tenant_id, now).await?;
        let Some(case) = next else { return Ok(Done::default()) };
        match self.run_counted(tenant, &Task::Suspect(&case), true).await {
            Err(error) if !error.is_transient() => {
                let id = case.case_id;
                tracing::error!(tenant.id = tenant_id, case.id = %CaseId(id), %error, "a case cannot be decided");
                let until = now.checked_add(PUT_OFF).unwrap_or(now);
                released::postpone(&self.store.get().await?, tenant_id, id, until).await?;
                Ok(Done::default())
            }
            outcome => outcome,
        }
    }

    /// The cases of a lane that are to be decided anew, as work, unless another healer has the lane.
    pub(crate) async fn cases_of_lane(
        &self,
        tx: &Tx,
        tenant: &Tenant,
        lane: Lane,
        counted: &mut Counted,
    ) -> Result<(Vec<Work>, Done), BatchError> {
        let (tenant_id, now) = (tenant.tenant_id, self.now());
        if !released::claim_lane_in_tx(tx, tenant_id, lane).await? {
            return Ok((Vec::new(), Done::default()));
        }
        let released = released::list(tx, tenant_id, now, lane, MAX_CASES).await?;
        self.count_try(tenant_id, &positions(&released), counted).await?;
        self.released_cases(tx, tenant, &released).await
    }

    /// A suspect as work, unless another healer is at one. If it was tried too often it is given up instead.
    pub(crate) async fn suspect(
        &self,
        tx: &Tx,
        tenant: &Tenant,
        case: &Released,
        counted: &mut Counted,
    ) -> Result<(Vec<Work>, Done), BatchError> {
        let (tenant_id, now) = (tenant.tenant_id, self.now());
        // Once more under the lock: another healer may have been faster.
        if !released::claim_lane_in_tx(tx, tenant_id, SUSPECTS).await?
            || released::suspect(tx, tenant_id, now).await?.as_ref() != Some(case)
        {
            return Ok((Vec::new(), Done::default()));
        }
        let tries = self.count_try(tenant_id, &[case.pos], counted).await?;
        if tries <= MAX_TRIES {
            return self.released_cases(tx, tenant, std::slice::from_ref(case)).await;
        }
        let error = self.last_error(tenant_id, case.pos).await?;
        tracing::error!(tenant.id = tenant_id, case.id = %CaseId(case.case_id), "gave up a case that cannot be decided");
        released::give_up_in_tx(tx, tenant_id, case.case_id, &error).await?;
        tx.write(attempts::finish(tenant_id, &[case.pos]).as_slice()).await?;
        Ok((Vec::new(), Done { decided: 1, ..Done::default() }))
    }

    /// Released cases as work. That they are still open and due is seen under their locks.
    async fn released_cases(
        &self,
        tx: &Tx,
        tenant: &Tenant,
        released: &[Released],
    ) -> Result<(Vec<Work>, Done), BatchError> {
        let of_payments = released.iter().filter_map(|case| {
            let (id, pos, root_key) = (case.case_id, case.pos, case.root_key.clone()?);
            Some(Work::Case { id, pos, root_key })
        });
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

/// Where their tries are counted.
fn positions(cases: &[Released]) -> Vec<i64> {
    cases.iter().map(|case| case.pos).collect()
}
