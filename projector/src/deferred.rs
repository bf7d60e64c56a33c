//! Events that older rules deferred, decided anew by these: further revisions of their decisions.
//!
//! Each start of a projector walks through all that was ever deferred, in position order and in bounded steps. What was
//! decided anew is deferred no more, so a walk that was broken off goes on with the next start, and any number of
//! projectors may walk at once. A walk that had to pass over slots which others held is repeated.

use std::time::Duration;

use rules::RULES_VERSION;
use service::shutdown::Shutdown;
use store::Tx;
use store::projection::decisions::{self, DeferredRow};
use store::projection::slots;

use crate::batch::{BatchError, Done, MAX_BYTES, MAX_EVENTS, Task, Work};
use crate::tries::Counted;
use crate::{Projector, Tenant};

/// Pause after a failure, and before what was passed over is tried again.
const PAUSE: Duration = Duration::from_secs(2);

impl Projector {
    /// Walks until nothing is left that older rules deferred. A step that fails is tried again, and in smaller parts.
    pub(crate) async fn decide_all_deferred(&self, tenant: &Tenant, shutdown: &Shutdown) {
        let mut after = 0;
        let mut was_passed_over = false;
        while !shutdown.has_begun() {
            match self.decide_deferred(tenant, after).await {
                Ok(Done { last: Some(last), more, .. }) => {
                    after = last;
                    was_passed_over |= more;
                    continue;
                }
                Ok(_) if !was_passed_over => return,
                Ok(_) => (after, was_passed_over) = (0, false),
                Err(error) => {
                    tracing::warn!(tenant.id = tenant.tenant_id, %error, "deciding deferred events has to wait");
                }
            }
            let pause = shutdown.token().run_until_cancelled_owned(tokio::time::sleep(PAUSE));
            pause.await;
        }
    }

    /// Decides deferred events anew from after a position on, as many as one batch may have. `last` is how far it came, if
    /// there was anything; `more` is whether it passed events over on the way, because another holds their slots.
    pub async fn decide_deferred(&self, tenant: &Tenant, after: i64) -> Result<Done, BatchError> {
        self.run_counted(tenant, &Task::Deferred { after }, true).await
    }

    /// Deferred events in slots that are free, as work.
    pub(crate) async fn deferred_events(
        &self,
        tx: &Tx,
        tenant: &Tenant,
        after: i64,
        counted: &mut Counted,
    ) -> Result<(Vec<Work>, Done), BatchError> {
        let read = || decisions::deferred(tx, tenant.tenant_id, RULES_VERSION, after, MAX_EVENTS);
        let seen = read().await?;
        let wanted: Vec<i16> =
            seen.iter().filter(|row| row.is_to_decide).map(|row| row.slot).collect();
        let claimed = slots::claim_in_tx(tx, tenant.tenant_id, &wanted).await?;
        // Once more under the locks: another projector may have been faster.
        let rows = read().await?;
        let (mine, taken): (Vec<&DeferredRow>, Vec<&DeferredRow>) =
            rows.iter().filter(|row| row.is_to_decide).partition(|row| claimed.contains(&row.slot));
        let mut done = Done {
            last: rows.last().map(|row| row.pos),
            more: !taken.is_empty(),
            ..Done::default()
        };
        let Some(first) = mine.first() else { return Ok((Vec::new(), done)) };
        let positions: Vec<i64> = mine.iter().map(|row| row.pos).collect();
        let events = slots::events_at(tx, tenant.tenant_id, &positions, MAX_BYTES).await?;
        let tries = self.count_try(tenant.tenant_id, &[first.pos], counted).await?;
        let next_rev = |pos| {
            let row = mine.iter().find(|row| row.pos == pos);
            row.map_or(0, |row| row.rev.saturating_add(1))
        };
        let work = self.as_work(tenant, events, tries, next_rev).await?;
        if work.len() < mine.len() {
            done.last = work.iter().map(Work::position).max();
        }
        done.decided = work.len();
        Ok((work, done))
    }
}
