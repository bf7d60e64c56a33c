//! One batch: a transaction that claims slots, loads the world, decides, saves.
//!
//! Nothing is decided before its locks are held. What a batch may touch is known from its events and from what is stored
//! of their payments; should reading under the locks show a key that was not locked, the batch is begun anew with it.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use ledger::ids::{CaseId, Owner};
use rules::cases::Telling;
use rules::decide;
use rules::news::{Keys, News};
use rules::translate::{Logged, Speaker, translate};
use rules::world::World;
use store::Tx;
use store::books::PostError;
use store::log::Origin;
use store::projection::released::{Lane, Released};
use store::projection::slots;
use store::projection::slots::EventRow;
use uuid::Uuid;

use crate::tries::Counted;
use crate::{Projector, Tenant, load, save};

/// Most events of one batch.
pub const MAX_EVENTS: i64 = 256;

/// Most bytes of bodies of one batch, so that memory stays bounded when bodies are large.
pub const MAX_BYTES: i64 = 8 * 1024 * 1024;

/// Most slots of one batch where each has a backlog: a quarter, so that others find work too.
pub const MAX_SLOTS: usize = 16;

/// How often a batch is begun anew because a key showed up that was not locked. Each time there are more keys, and a
/// payment has few; more than this is a fault.
const MAX_RESTARTS: usize = 16;

/// What a batch did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Slots that it could lock.
    pub claimed: Vec<i16>,
    /// Events, or cases, that it decided.
    pub decided: usize,
    /// Whether there may be more: beyond its limit, or where another transaction is at work.
    pub more: bool,
    /// Slots of which there may be more.
    pub unfinished: Vec<i16>,
    /// Keys that it satisfied and that cases wait for.
    pub woken: usize,
    /// Last position that it looked at, where it looks for deferred events.
    pub last: Option<i64>,
}

/// What a batch is to find its work by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Task<'a> {
    /// The next events of slots.
    Slots(&'a [i16]),
    /// Cases of a lane that facts released.
    Lane(Lane),
    /// A released case that may be one that kills.
    Suspect(&'a Released),
    /// Events that older rules deferred.
    Deferred {
        /// From after this position on.
        after: i64,
    },
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
            PostError::Refused { .. } => Self::Post(error),
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
    /// A case that a fact released, and the payment that it holds up.
    Case {
        /// The case.
        id: Uuid,
        /// Position of the event that opened it.
        pos: i64,
        /// The payment.
        root_key: String,
    },
    /// An event that a released case holds alone: its revision is known once the case is locked.
    Again(Uuid, Telling, Box<News>),
}

impl Work {
    /// Position of the event, or of that which opened the case.
    pub(crate) const fn position(&self) -> i64 {
        match self {
            Self::Event(telling, _) | Self::Again(_, telling, _) | Self::Parked(telling, _) => {
                telling.pos
            }
            Self::Case { pos, .. } => *pos,
        }
    }

    /// What is told, and the position that tells it.
    pub(crate) fn told(&self) -> Option<(i64, &News)> {
        match self {
            Self::Event(telling, news) | Self::Again(_, telling, news) => {
                Some((telling.pos, news.said()))
            }
            Self::Parked(..) | Self::Case { .. } => None,
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
        self.run_counted(tenant, &Task::Slots(slots), count_first).await
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
        let tx = match task {
            Task::Slots(_) => self.store.tx().await?,
            Task::Lane(_) | Task::Suspect(_) | Task::Deferred { .. } => self.store.begin().await?,
        };
        let (work, done) = match task {
            Task::Slots(slots) => self.next_events(&tx, tenant, slots, counted).await?,
            Task::Lane(lane) => self.cases_of_lane(&tx, tenant, *lane, counted).await?,
            Task::Suspect(case) => self.suspect(&tx, tenant, case, counted).await?,
            Task::Deferred { after } => self.deferred_events(&tx, tenant, *after, counted).await?,
        };
        if work.is_empty() {
            if done.decided > 0 {
                tx.commit().await?;
            }
            return Ok(done);
        }
        let positions: Vec<i64> = work.iter().map(Work::position).collect();
        let (world, users) = match self.decide(&tx, tenant, work, keys).await {
            Err(error @ BatchError::Restart(_)) => {
                // Or the slots might still be taken when they are claimed anew, and be passed over.
                tx.rollback().await?;
                return Err(error);
            }
            decided => decided?,
        };
        let tried = if counted.is_counted() { &positions[..] } else { &[] };
        let woken = Box::pin(save::world(tx, world, tried)).await?;
        let accounts = users.into_iter().map(|user| Owner::User(user).account_id());
        self.notifier.notify_decided(tenant.tenant_id, accounts);
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
        let claimed = slots::begin_and_claim(tx, tenant.tenant_id, wanted).await?;
        let mut done = Done { claimed, ..Done::default() };
        if done.claimed.is_empty() {
            return Ok((Vec::new(), done));
        }
        let next =
            slots::events_in_tx(tx, tenant.tenant_id, &done.claimed, MAX_EVENTS, MAX_BYTES).await?;
        let Some(first) = next.events.first().map(|event| event.pos) else {
            return Ok((Vec::new(), done));
        };
        let read = next.events.len();
        let tries = self.count_try(tenant.tenant_id, &[first], counted).await?;
        let work = self.as_work(tenant, next.events, tries, |_| 0).await?;
        done.unfinished = if work.len() < read { done.claimed.clone() } else { next.unfinished };
        done.more = !done.unfinished.is_empty();
        done.decided = work.len();
        Ok((work, done))
    }

    /// Loads the world and decides all work in its order: the world as it is to be saved, and whose balances that may change.
    async fn decide(
        &self,
        tx: &Tx,
        tenant: &Tenant,
        work: Vec<Work>,
        known: &mut Keys,
    ) -> Result<(World, BTreeSet<String>), BatchError> {
        for item in &work {
            match item {
                Work::Event(_, news) => known.add_news(news),
                Work::Again(id, _, news) => {
                    known.cases.insert(CaseId(*id));
                    known.add_news(news);
                }
                Work::Case { id, root_key, .. } => {
                    known.cases.insert(CaseId(*id));
                    known.objects.insert(root_key.clone());
                }
                Work::Parked(..) => {}
            }
        }
        let now = self.now();
        let (mut world, locked) = Box::pin(load::world(tx, tenant, now, &work, known)).await?;
        let mut users = users_of(&world);
        for item in work {
            match item {
                Work::Event(telling, news) => decide::decide_event(&mut world, telling, *news),
                Work::Again(id, telling, news) => {
                    decide_again(&mut world, CaseId(id), telling, *news);
                }
                Work::Parked(telling, error) => decide::park_event(&mut world, telling, error),
                Work::Case { id, .. } => decide::decide_case(&mut world, CaseId(id)),
            }
        }
        require_locked(&world, &locked, known)?;
        count_decisions(&world);
        users.append(&mut users_of(&world));
        Ok((world, users))
    }
}

/// Users whose balances show the payments of a world, or its movements.
fn users_of(world: &World) -> BTreeSet<String> {
    let payments = world.payments.values();
    let claimants = payments.clone().filter_map(|payment| payment.claimant.as_ref());
    let owners = payments.filter_map(|payment| payment.owner.as_ref());
    let owners = owners.chain(world.effects.movements.iter().map(|movement| &movement.owner));
    let users = owners.filter_map(|owner| match owner {
        Owner::User(user) => Some(user),
        Owner::Unclaimed(_) => None,
    });
    claimants.chain(users).cloned().collect()
}

/// Type of what was fetched from Stripe. Nothing that Stripe signed has it: its types do not begin like ours.
const PULLED: &str = "tally.pulled";

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
        answers: answers(event),
    };
    translate(&logged, &tenant.policy, &tenant.evidence_key)
}

/// For what was fetched from Stripe: the key under which a case waits for it. It is the event's id, but for what may stand
/// behind a `#`.
fn answers(event: &EventRow) -> Option<&str> {
    let is_answer = event.event_type == PULLED && event.origin == Origin::Stripe.number();
    event.source_id.split('#').next().filter(|_| is_answer)
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

/// Whoever brings what a case waits for locks its subject, and so does whoever writes a case that waits for it, or the fact
/// could slip in between. If a subject of either is not locked, the batch is begun anew with it.
fn require_locked(world: &World, locked: &[String], known: &Keys) -> Result<(), BatchError> {
    let written = world.cases.values().filter(|case| case.dirty && case.is_open());
    let keys = written.flat_map(|case| &case.waits_for).chain(world.effects.woken.keys());
    let unlocked: Vec<&String> = keys.filter(|key| locked.binary_search(key).is_err()).collect();
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
