//! One batch: a transaction that claims slots, loads the world, decides, saves.
//!
//! Nothing is decided before its locks are held. What a batch may touch is known from its events and from what is stored
//! of their payments; should reading under the locks show a key that was not locked, the batch is begun anew with it.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use ledger::ids::CaseId;
use rules::cases::Telling;
use rules::decide;
use rules::news::{Keys, News};
use rules::translate::{Logged, Speaker, translate};
use rules::world::World;
use store::Tx;
use store::books::PostError;
use store::log::Origin;
use store::projection::slots::EventRow;
use store::projection::{attempts, slots};
use uuid::Uuid;

use crate::{Projector, Tenant, load, save};

/// Most events of one batch.
pub const MAX_EVENTS: i64 = 256;

/// Most bytes of bodies of one batch, so that memory stays bounded when bodies are large.
pub const MAX_BYTES: i64 = 8 * 1024 * 1024;

/// Most slots of one batch: a quarter, so that others find work too.
pub const MAX_SLOTS: usize = 16;

/// How often a batch is begun anew because a key showed up that was not locked. Each time there are more keys, and a
/// payment has few; more than this is a fault.
const MAX_RESTARTS: usize = 16;

/// Sizes of a batch by how often it was tried: halved twice each time, then one event alone, five times; then it is
/// parked. So an event that cannot be decided, or that kills the process, ends up as a case and blocks nothing.
const SIZE_BY_TRY: [i64; 9] = [MAX_EVENTS, 64, 16, 4, 1, 1, 1, 1, 1];

/// What a batch did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Slots that it could lock.
    pub claimed: Vec<i16>,
    /// Events, or cases, that it decided.
    pub decided: usize,
    /// Whether there may be more beyond its limit.
    pub more: bool,
    /// Cases that it released.
    pub woken: usize,
    /// Last position that it looked at, where it looks for deferred events.
    pub last: Option<i64>,
}

/// What a batch is to find its work by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Task<'a> {
    /// The next events of slots.
    Slots(&'a [i16]),
    /// Cases that facts released.
    Cases(&'a [Uuid]),
    /// Events that older rules deferred.
    Deferred {
        /// From after this position on.
        after: i64,
    },
}

/// Whether tries are counted before they are made, and the one that was.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    wanted: bool,
    /// First position of the batch, and how many tries this one makes.
    first_try: Option<(i64, i16)>,
}

/// Why a batch was rolled back.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The books refused a movement.
    #[error(transparent)]
    Post(PostError),
    /// A stored value that this program cannot read.
    #[error("reading {what} of {row}: {problem}")]
    Unreadable {
        /// Table and column.
        what: &'static str,
        /// Which row.
        row: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Keys showed up that were not locked.
    #[error("the batch needs further keys")]
    Restart(Box<Keys>),
    /// Again and again.
    #[error("a batch was begun {MAX_RESTARTS} times and always needed further keys")]
    Restless,
    /// The rules panicked.
    #[error("deciding panicked: {0}")]
    Panicked(String),
}

impl From<PostError> for BatchError {
    fn from(error: PostError) -> Self {
        match error {
            PostError::Store(error) => Self::Store(error),
            PostError::Ledger { .. } => Self::Post(error),
        }
    }
}

impl BatchError {
    /// Whether the events are not to blame: the same batch may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_transient())
    }
}

/// One thing to decide.
#[derive(Clone, Debug)]
pub enum Work {
    /// An event that tells news.
    Event(Telling, Box<News>),
    /// An event that was tried often enough: it becomes a case with this error.
    Parked(Telling, String),
    /// A case that a fact released.
    Case(Uuid),
    /// An event that a released case holds alone: its revision is known once the case is locked.
    Again(Uuid, Telling, Box<News>),
}

impl Work {
    /// Position of the event, if it is one.
    fn position(&self) -> Option<i64> {
        match self {
            Self::Event(telling, _) | Self::Again(_, telling, _) | Self::Parked(telling, _) => {
                Some(telling.pos)
            }
            Self::Case(_) => None,
        }
    }

    /// What is told, and the position that tells it.
    pub(crate) fn told(&self) -> Option<(i64, &News)> {
        match self {
            Self::Event(telling, news) | Self::Again(_, telling, news) => Some((telling.pos, news)),
            Self::Parked(..) | Self::Case(_) => None,
        }
    }
}

impl Projector {
    /// Decides the next events of those of the slots that are free.
    ///
    /// `count_first` counts the try before the batch is tried: for slots of which it is not known that this process
    /// survives their next events.
    pub async fn project(
        &self,
        tenant: &Tenant,
        slots: &[i16],
        count_first: bool,
    ) -> Result<Done, BatchError> {
        let mut counted = Counted { wanted: count_first, first_try: None };
        let outcome = self.run(tenant, &Task::Slots(slots), &mut counted).await;
        if let (Err(error), Some((pos, _))) = (&outcome, counted.first_try) {
            self.remember_failure(tenant.tenant_id, pos, error).await;
        }
        outcome
    }

    /// Runs a task in a transaction, and anew with more keys as long as it asks for them. A panic inside is an error.
    pub(crate) async fn run(
        &self,
        tenant: &Tenant,
        task: &Task<'_>,
        counted: &mut Counted,
    ) -> Result<Done, BatchError> {
        let mut keys = Keys::default();
        for _ in 0..MAX_RESTARTS {
            let attempt = AssertUnwindSafe(self.attempt(tenant, task, &mut keys, counted))
                .catch_unwind()
                .await;
            let outcome = attempt.unwrap_or_else(|panic| {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text =
                    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
                Err(BatchError::Panicked(text.to_owned()))
            });
            match outcome {
                Err(BatchError::Restart(more)) => keys = *more,
                outcome => return outcome,
            }
        }
        Err(BatchError::Restless)
    }

    async fn attempt(
        &self,
        tenant: &Tenant,
        task: &Task<'_>,
        keys: &mut Keys,
        counted: &mut Counted,
    ) -> Result<Done, BatchError> {
        let tx = self.store.begin().await?;
        let (work, done) = match task {
            Task::Slots(slots) => self.next_events(&tx, tenant, slots, counted).await?,
            Task::Cases(ids) => self.released_cases(&tx, tenant, ids).await?,
            Task::Deferred { after } => self.deferred_events(&tx, tenant, *after).await?,
        };
        if work.is_empty() {
            return Ok(done);
        }
        let positions: Vec<i64> = work.iter().filter_map(Work::position).collect();
        let woken = self.decide(&tx, tenant, work, keys).await?;
        if counted.first_try.is_some() {
            attempts::finish_in_tx(&tx, tenant.tenant_id, &positions).await?;
        }
        tx.commit().await?;
        Ok(Done { woken, ..done })
    }

    /// Claims slots and reads their next events.
    async fn next_events(
        &self,
        tx: &Tx,
        tenant: &Tenant,
        wanted: &[i16],
        counted: &mut Counted,
    ) -> Result<(Vec<Work>, Done), BatchError> {
        let claimed = slots::claim_in_tx(tx, tenant.tenant_id, wanted).await?;
        let mut done = Done { claimed, ..Done::default() };
        if done.claimed.is_empty() {
            return Ok((Vec::new(), done));
        }
        let events =
            slots::events_in_tx(tx, tenant.tenant_id, &done.claimed, MAX_EVENTS, MAX_BYTES).await?;
        let Some(first) = events.first().map(|event| event.pos) else {
            return Ok((Vec::new(), done));
        };
        let read = events.len();
        let tries = self.count_try(tenant.tenant_id, first, counted).await?;
        let work = self.first_decisions(tenant, events, tries).await?;
        done.more = work.len() < read || i64::try_from(read).is_ok_and(|read| read >= MAX_EVENTS);
        done.decided = work.len();
        Ok((work, done))
    }

    /// Counts the try if that is wanted, once for all restarts of a batch; how many tries that makes.
    async fn count_try(
        &self,
        tenant_id: i32,
        first: i64,
        counted: &mut Counted,
    ) -> Result<i16, BatchError> {
        match counted.first_try {
            Some((pos, tries)) if pos == first => Ok(tries),
            _ if counted.wanted => {
                let tries = attempts::count(&self.store.get().await?, tenant_id, first).await?;
                counted.first_try = Some((first, tries));
                Ok(tries)
            }
            _ => Ok(1),
        }
    }

    /// The events as work, as many as their number of tries allows.
    async fn first_decisions(
        &self,
        tenant: &Tenant,
        mut events: Vec<EventRow>,
        tries: i16,
    ) -> Result<Vec<Work>, BatchError> {
        let step = usize::try_from(tries.saturating_sub(1)).unwrap_or_default();
        let telling = |event: &EventRow| Telling {
            pos: event.pos,
            rev: 0,
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
        let error =
            attempts::last_error(&self.store.get().await?, tenant.tenant_id, first.pos).await?;
        let error =
            error.unwrap_or_else(|| "the process that decided it was killed each time".into());
        tracing::error!(
            tenant.id = tenant.tenant_id,
            event.pos = first.pos,
            "parked an event that cannot be decided"
        );
        Ok(vec![Work::Parked(telling(first), error)])
    }

    /// Loads the world, decides all work in its order, saves; how many cases that released.
    async fn decide(
        &self,
        tx: &Tx,
        tenant: &Tenant,
        work: Vec<Work>,
        known: &mut Keys,
    ) -> Result<usize, BatchError> {
        for item in &work {
            match item {
                Work::Event(_, news) => known.add_news(news),
                Work::Again(id, _, news) => {
                    known.cases.insert(CaseId(*id));
                    known.add_news(news);
                }
                Work::Case(id) => drop(known.cases.insert(CaseId(*id))),
                Work::Parked(..) => {}
            }
        }
        let now = self.now();
        let (mut world, locked) = load::world(tx, tenant, now, &work, known).await?;
        for item in work {
            match item {
                Work::Event(telling, news) => decide::decide_event(&mut world, telling, *news),
                Work::Again(id, telling, news) => {
                    decide_again(&mut world, CaseId(id), telling, *news);
                }
                Work::Parked(telling, error) => decide::park_event(&mut world, telling, error),
                Work::Case(id) => decide::decide_case(&mut world, CaseId(id)),
            }
        }
        require_locked(&world, &locked, known)?;
        count_decisions(&world);
        save::world(tx, tenant.tenant_id, world).await
    }

    /// Keeps what a counted try failed with, or takes the try back if the events were not to blame.
    async fn remember_failure(&self, tenant_id: i32, pos: i64, error: &BatchError) {
        let kept = async {
            let client = self.store.get().await?;
            if error.is_transient() {
                attempts::forgive(&client, tenant_id, pos).await
            } else {
                attempts::failed(&client, tenant_id, pos, &error.to_string()).await
            }
        };
        if let Err(error) = kept.await {
            tracing::warn!(tenant.id = tenant_id, event.pos = pos, %error, "could not keep what a batch failed with");
        }
    }
}

/// What an event of the log says.
pub(crate) fn news(tenant: &Tenant, event: &EventRow) -> News {
    let speaker = match Origin::from_number(event.origin) {
        Some(Origin::Operator | Origin::Directory | Origin::Catalogue | Origin::Clock) => {
            Speaker::Ourselves
        }
        Some(Origin::Stripe) | None => Speaker::Stripe,
    };
    let logged = Logged {
        pos: event.pos,
        speaker,
        occurred_at: event.occurred_at,
        body: event.body.as_deref(),
    };
    translate(&logged, &tenant.policy, &tenant.evidence_key)
}

/// Decides an event anew that a case holds alone, unless another process was faster.
fn decide_again(world: &mut World, id: CaseId, telling: Telling, news: News) {
    let released = world.cases.get(&id).filter(|case| case.is_open() && case.due_pos.is_some());
    let Some(case) = released else { return };
    let Some(attached) = case.events.get(&telling.pos) else { return };
    let rev = attached.rev.saturating_add(1);
    let telling = Telling { rev, cause_pos: case.due_pos, ..telling };
    decide::decide_event(world, telling, news);
}

/// Whoever brings what a case waits for locks its subject. So the subject of everything that the written cases wait for
/// must be locked here too, or the fact could slip in between: if one is not, the batch is begun anew with it.
fn require_locked(world: &World, locked: &[String], known: &Keys) -> Result<(), BatchError> {
    let written = world.cases.values().filter(|case| case.dirty && case.is_open());
    let waits = written.flat_map(|case| &case.waits_for);
    let unlocked: Vec<&String> = waits.filter(|key| locked.binary_search(key).is_err()).collect();
    if unlocked.is_empty() {
        return Ok(());
    }
    let mut more = known.clone();
    more.waits.extend(unlocked.into_iter().cloned());
    Err(BatchError::Restart(Box::new(more)))
}

fn count_decisions(world: &World) {
    for decision in &world.effects.decisions {
        let outcome = decision.reason.outcome().name();
        metrics::counter!("tally_decisions_total", "outcome" => outcome, "reason" => decision.reason.name()).increment(1);
    }
}
