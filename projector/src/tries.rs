//! Tries, counted before they are made, so that an event that cannot be decided, or that kills whoever decides it, is found
//! out: the batch becomes smaller with each try, and at last the event is parked as a case and blocks nothing. Released cases
//! are counted likewise ([`crate::heal`]).

use rules::cases::Telling;
use store::projection::attempts;
use store::projection::slots::EventRow;

use crate::batch::{BatchError, Done, MAX_EVENTS, Task, Work, news};
use crate::{Projector, Tenant};

/// Sizes of a batch by how often it was tried: halved twice each time, then one event alone, five times; then it is
/// parked.
const SIZE_BY_TRY: [i64; 9] = [MAX_EVENTS, 64, 16, 4, 1, 1, 1, 1, 1];

/// What an event was parked for that nobody lived to say.
const KILLED: &str = "the process that decided it was killed each time";

/// Whether tries are counted before they are made, and those that were.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    wanted: bool,
    /// Where they stand: the first position of a batch of events, or that of each case.
    positions: Vec<i64>,
    /// How many tries this one makes.
    tries: i16,
}

impl Counted {
    /// Whether a try was counted.
    pub(crate) const fn is_counted(&self) -> bool {
        !self.positions.is_empty()
    }
}

impl Projector {
    /// Runs a task, counting the try before it is made if that is wanted, and keeping what it failed with.
    pub(crate) async fn run_counted(
        &self,
        tenant: &Tenant,
        task: &Task<'_>,
        wanted: bool,
    ) -> Result<Done, BatchError> {
        let mut counted = Counted { wanted, ..Counted::default() };
        let outcome = self.run(tenant, task, &mut counted).await;
        if let Err(error) = &outcome
            && counted.is_counted()
        {
            self.remember_failure(tenant.tenant_id, &counted.positions, error).await;
        }
        outcome
    }

    /// Counts the try if that is wanted, once for all restarts of a batch; how many tries that makes.
    pub(crate) async fn count_try(
        &self,
        tenant_id: i32,
        positions: &[i64],
        counted: &mut Counted,
    ) -> Result<i16, BatchError> {
        if !counted.wanted {
            return Ok(1);
        }
        let further = positions.iter().filter(|pos| !counted.positions.contains(pos));
        let further: Vec<i64> = further.copied().collect();
        if !further.is_empty() {
            counted.tries = attempts::count(&self.store.get().await?, tenant_id, &further).await?;
            counted.positions.extend(further);
        }
        Ok(counted.tries)
    }

    /// The events as work, as many as their number of tries allows; `rev_of` says which revision each decision is.
    pub(crate) async fn as_work(
        &self,
        tenant: &Tenant,
        mut events: Vec<EventRow>,
        tries: i16,
        rev_of: impl Fn(i64) -> i32,
    ) -> Result<Vec<Work>, BatchError> {
        let step = usize::try_from(tries.saturating_sub(1)).unwrap_or_default();
        let telling = |event: &EventRow| Telling {
            pos: event.pos,
            rev: rev_of(event.pos),
            slot: event.slot,
            cause_pos: None,
        };
        if let Some(size) = SIZE_BY_TRY.get(step) {
            events.truncate(usize::try_from(*size).unwrap_or(usize::MAX));
            return Ok(events
                .iter()
                .map(|event| Work::Event(telling(event), Box::new(news(tenant, event))))
                .collect());
        }
        let Some(first) = events.first() else { return Ok(Vec::new()) };
        let error = self.last_error(tenant.tenant_id, first.pos).await?;
        tracing::error!(
            tenant.id = tenant.tenant_id,
            event.pos = first.pos,
            "parked an event that cannot be decided"
        );
        Ok(vec![Work::Parked(telling(first), error)])
    }

    /// What the newest counted try at a position failed with.
    pub(crate) async fn last_error(&self, tenant_id: i32, pos: i64) -> Result<String, BatchError> {
        let error = attempts::last_error(&self.store.get().await?, tenant_id, pos).await?;
        Ok(error.unwrap_or_else(|| KILLED.to_owned()))
    }

    /// Keeps what a counted try failed with, or takes the try back if the events were not to blame.
    async fn remember_failure(&self, tenant_id: i32, positions: &[i64], error: &BatchError) {
        let kept = async {
            let client = self.store.get().await?;
            if error.is_transient() {
                attempts::forgive(&client, tenant_id, positions).await
            } else {
                attempts::failed(&client, tenant_id, positions, &error.to_string()).await
            }
        };
        if let Err(error) = kept.await {
            let pos = positions.first();
            tracing::warn!(tenant.id = tenant_id, event.pos = pos, %error, "could not keep what a batch failed with");
        }
    }
}
