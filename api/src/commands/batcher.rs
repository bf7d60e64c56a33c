//! One task per tenant between the requests and the books.
//!
//! One command per transaction would wait for one flush to disk each, and lock its account each; so whatever has come in
//! while the last batch was committed goes into the next one. Nothing waits for a batch to fill. While one batch is
//! carried out, a second one may follow it, if enough commands wait to be worth it: it is looked up and evaluated while the
//! first one is flushed. A third would only wait for the same accounts.
//!
//! What was taken into the queue is carried out, whether or not anybody waits for the answer: a client that leaves makes
//! nothing undone, and holds no connection to the database while it waits.

use std::collections::BTreeSet;
use std::iter::repeat;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use ledger::ids::{AccountId, Owner};
use service::clock::Clock;
use service::shutdown::Shutdown;
use store::commands::{Outcome, Request, execute};
use store::notify::Notifier;
use store::{Kind, Store};
use tokio::sync::{Notify, mpsc, oneshot};

use super::flights::{Flight, Flights};
use super::objects::render;

/// Most commands of one transaction.
const BATCH_COMMANDS_MAX: usize = 256;

/// Batches of a tenant under way at a time.
const BATCHES_MAX: usize = 2;

/// Commands that are worth a batch behind another one. Fewer wait until that one is done: each batch has costs of its own.
const EARLY_BATCH_COMMANDS: usize = 32;

/// Commands that wait at most: what eight batches take, which is carried out well within the time that a client waits.
pub(super) const QUEUE_COMMANDS_MAX: usize = 2048;

/// Longest transaction, tries included. Its statements have shorter limits of their own; this one is for a connection that
/// hangs.
const EXECUTE_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest wait of a request for its answer. The command is carried out all the same.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a command has no outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It was not done: too much waits already, or others are at work on its account.
    Busy,
    /// It was done or not; asked again under the same key, it is done once.
    Unknown,
    /// It was not done, and will not be: a fault of ours, which is in the log.
    Fault,
}

impl Failure {
    /// The name that metrics show.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Unknown => "unknown",
            Self::Fault => "fault",
        }
    }
}

/// A request with what became of it.
type Answer = (Request, Result<Outcome, Failure>);

/// A command on its way into the books.
struct Waiting {
    request: Request,
    asking: Asking,
}

/// Who waits for it.
struct Asking {
    answer: oneshot::Sender<Answer>,
    /// Its key is under way until it is answered.
    flight: Option<Flight>,
}

/// What was taken from the queue together.
struct Batch {
    requests: Vec<Request>,
    asking: Vec<Asking>,
}

/// The way to a tenant's batcher, which ends when the last of these is dropped and the queue is empty.
#[derive(Clone)]
pub(super) struct Queue {
    sender: mpsc::Sender<Waiting>,
    flights: Arc<Flights>,
    /// Told when [`EARLY_BATCH_COMMANDS`] wait.
    enough: Arc<Notify>,
}

impl Queue {
    /// Has a command carried out; the request with what became of it, if that is known.
    pub(super) async fn carry_out(&self, request: Request) -> Result<Answer, Failure> {
        let mut flight = None;
        if let Some(idempotency) = &request.idempotency {
            flight = self.flights.take_off(&idempotency.key).await;
            if flight.is_none() {
                return Ok((request, Ok(Outcome::KeyInFlight)));
            }
        }
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { request, asking: Asking { answer, flight } };
        self.sender.try_send(waiting).map_err(|_full_or_closed| Failure::Busy)?;
        let queued = self.sender.max_capacity().saturating_sub(self.sender.capacity());
        if queued >= EARLY_BATCH_COMMANDS {
            self.enough.notify_one();
        }
        let answered = tokio::time::timeout(ANSWER_TIMEOUT, answered).await;
        answered.ok().and_then(Result::ok).ok_or(Failure::Unknown)
    }
}

/// What carries out a tenant's commands.
pub(super) struct Batcher {
    pub(super) tenant_id: i32,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) notifier: Notifier,
}

impl Batcher {
    /// Starts it; the way to it, on which so many may wait.
    pub(super) fn start(self, queue_commands_max: usize, shutdown: &Shutdown) -> Queue {
        let (sender, queue) = mpsc::channel(queue_commands_max);
        let enough = Arc::new(Notify::new());
        shutdown.spawn("command batcher", self.run(queue, Arc::clone(&enough)));
        Queue { sender, flights: Arc::default(), enough }
    }

    async fn run(self, mut queue: mpsc::Receiver<Waiting>, enough: Arc<Notify>) {
        let tenant = self.tenant_id.to_string();
        let queued = metrics::gauge!("tally_commands_queue_depth", "tenant" => tenant);
        let size = metrics::histogram!("tally_commands_batch_size");
        let mut batches = FuturesUnordered::new();
        while let Some(first) = next(&mut queue, &mut batches, &enough).await {
            let batch = Batch::take(first, &mut queue);
            queued.set(count(queue.len()));
            size.record(count(batch.requests.len()));
            batches.push(self.carry_out(batch));
        }
    }

    /// Carries out a batch and answers everyone in it. What fails together is halved, so that a command that cannot be
    /// carried out fails alone.
    async fn carry_out(&self, batch: Batch) {
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            match self.execute(&part.requests).await {
                Ok(outcomes) => part.tell(outcomes.into_iter().map(Ok)),
                Err(Failure::Busy | Failure::Fault) if part.requests.len() > 1 => {
                    let later = part.split_off_half();
                    parts.extend([later, part]);
                }
                Err(Failure::Unknown) => {
                    // The database is gone for what would follow as well.
                    parts.push(part);
                    parts.drain(..).for_each(|part| part.tell(repeat(Err(Failure::Unknown))));
                }
                Err(failure) => part.tell(repeat(Err(failure))),
            }
        }
    }

    /// Carries out these in one transaction.
    async fn execute(&self, requests: &[Request]) -> Result<Vec<Outcome>, Failure> {
        let (tenant, count, begun) = (self.tenant_id, requests.len(), self.clock.mark());
        let executing = execute(&self.store, tenant, self.clock.now(), requests, &render);
        // A command that makes us panic fails like any other; its transaction is rolled back.
        let executing = AssertUnwindSafe(executing).catch_unwind();
        let Ok(executed) = tokio::time::timeout(EXECUTE_TIMEOUT, executing).await else {
            tracing::error!(tenant, count, "no answer to a batch of {count} commands");
            return Err(Failure::Unknown);
        };
        let outcomes = match executed {
            Ok(Ok(outcomes)) => outcomes,
            Ok(Err(error)) => {
                tracing::error!(tenant, count, %error, "cannot carry out {count} commands: {error}");
                return Err(match error.kind() {
                    Kind::Unavailable => Failure::Unknown,
                    Kind::Retry => Failure::Busy,
                    Kind::Refused | Kind::Inconsistent | Kind::Other => Failure::Fault,
                });
            }
            Err(_panic) => {
                tracing::error!(tenant, count, "carrying out {count} commands panicked");
                return Err(Failure::Fault);
            }
        };
        let elapsed = self.clock.mark().saturating_duration_since(begun);
        metrics::histogram!("tally_commands_commit_seconds").record(elapsed);
        self.notifier.accounts_changed(tenant, changed(&outcomes));
        Ok(outcomes)
    }
}

impl Batch {
    /// What waits, as much as one transaction may have.
    fn take(first: Waiting, queue: &mut mpsc::Receiver<Waiting>) -> Self {
        let mut batch = Self { requests: Vec::new(), asking: Vec::new() };
        let mut next = Some(first);
        while let Some(Waiting { request, asking }) = next {
            batch.requests.push(request);
            batch.asking.push(asking);
            let has_room = batch.requests.len() < BATCH_COMMANDS_MAX;
            next = if has_room { queue.try_recv().ok() } else { None };
        }
        batch
    }

    /// Takes the later half out.
    fn split_off_half(&mut self) -> Self {
        let half = self.requests.len() / 2;
        Self { requests: self.requests.split_off(half), asking: self.asking.split_off(half) }
    }

    /// Tells each what became of his.
    fn tell(self, outcomes: impl Iterator<Item = Result<Outcome, Failure>>) {
        for ((request, asking), outcome) in self.requests.into_iter().zip(self.asking).zip(outcomes)
        {
            // First of all: whoever has the answer and asks again under the same key does not wait.
            drop(asking.flight);
            // A client that left is told when it asks again.
            let _left = asking.answer.send((request, outcome));
        }
    }
}

/// The first command of the next batch, once it may begin; none when all is done. Sees to the batches under way meanwhile.
async fn next(
    queue: &mut mpsc::Receiver<Waiting>,
    batches: &mut FuturesUnordered<impl Future<Output = ()>>,
    enough: &Notify,
) -> Option<Waiting> {
    while !batches.is_empty() {
        let may_follow = batches.len() < BATCHES_MAX;
        if may_follow && queue.len() >= EARLY_BATCH_COMMANDS {
            return queue.try_recv().ok();
        }
        tokio::select! {
            _done = batches.next() => {}
            () = enough.notified(), if may_follow => {}
        }
    }
    let first = queue.recv().await;
    // Those that are ready to ask do so now, and come along; a command that comes alone loses some microseconds.
    tokio::task::yield_now().await;
    first
}

/// The accounts on which something was done.
fn changed(outcomes: &[Outcome]) -> BTreeSet<AccountId> {
    let done = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Done(done) => Some(Owner::User(done.user.clone()).account_id()),
        Outcome::Replayed { .. }
        | Outcome::Refused(_)
        | Outcome::UserUnknown
        | Outcome::HoldUnknown
        | Outcome::SpendUnknown
        | Outcome::KeyReused
        | Outcome::KeyInFlight => None,
    });
    done.collect()
}

/// A length as metrics take it.
fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use ledger::ids::{HoldId, derive_uuid};
    use store::commands::{Command, IdempotencyKey};

    use super::*;

    fn request(key: &str) -> Request {
        let (id, key) = (derive_uuid(&[key]), key.to_owned());
        Request {
            command_id: id,
            idempotency: Some(IdempotencyKey { key, request_hash: [0; 32] }),
            actor: "key_1".to_owned(),
            command: Command::Release { hold_id: HoldId(id) },
        }
    }

    #[tokio::test]
    async fn what_finds_no_room_is_refused_at_once_and_keeps_no_key() {
        let (sender, taken) = mpsc::channel(1);
        let queue = Queue { sender, flights: Arc::default(), enough: Arc::default() };
        let mut first = Box::pin(queue.carry_out(request("a")));
        assert!((&mut first).now_or_never().is_none());
        for _ in 0..2 {
            let refused = queue.carry_out(request("b")).now_or_never();
            assert_eq!(refused, Some(Err(Failure::Busy)));
        }
        // A batcher that ends before its answer leaves everything open.
        drop(taken);
        assert_eq!(first.await, Err(Failure::Unknown));
    }
}
