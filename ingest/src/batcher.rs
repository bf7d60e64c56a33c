//! One task per tenant between the deliveries and the log.
//!
//! One event per transaction would wait for one flush to disk each; so whatever has come in while the last batch was
//! committed goes into the next one. Nothing waits for a batch to fill: when the queue is empty, what was taken is
//! appended at once. While one batch is appended, a second one may follow it down the same connection, if enough events wait
//! to fill it: the database finds it in its hands when it has committed the first, and need not wait for us to answer, wake
//! up and send. A third would only wait.
//!
//! A delivery is answered through its channel after the commit. A channel that is dropped without an answer means: not
//! known to be stored, send it again.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use service::shutdown::Shutdown;
use store::Client;
use store::log::{Appended, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, NewEvent, append_on};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::Outside;
use crate::answer::Refusal;
use crate::body::Share;

/// Longest append. Its statements have shorter limits of their own; this one is for a connection that hangs. Nobody waits
/// for it by then, and giving it up frees the queue.
const APPEND_TIMEOUT: Duration = Duration::from_secs(5);

/// Batches of a tenant on their way at a time: one at work, one behind it.
const APPENDS_MAX: usize = 2;

/// Events that are worth a batch behind another one. Fewer wait until that one is done: each batch has costs of its own.
const EARLY_BATCH_EVENTS: usize = 16;

/// An event on its way into the log.
struct Delivery {
    event: NewEvent,
    /// Held until the event needs no memory of ours.
    share: Share,
    answer: oneshot::Sender<Appended>,
}

/// The way to a tenant's batcher. It ends when the last of these is dropped and the queue is empty.
#[derive(Clone)]
pub(crate) struct Queue {
    sender: mpsc::Sender<Delivery>,
    /// Told when [`EARLY_BATCH_EVENTS`] wait.
    enough: Arc<Notify>,
}

impl Queue {
    /// Hands an event over. From then on it is appended, whether or not anybody waits for the answer.
    pub(crate) fn push(
        &self,
        event: NewEvent,
        share: Share,
    ) -> Result<oneshot::Receiver<Appended>, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.sender
            .try_send(Delivery { event, share, answer })
            .map_err(|_full_or_closed| Refusal::Overloaded)?;
        let waiting = self.sender.max_capacity().saturating_sub(self.sender.capacity());
        if waiting >= EARLY_BATCH_EVENTS {
            self.enough.notify_one();
        }
        Ok(answered)
    }
}

/// Starts the batcher of a tenant.
pub(crate) fn start(
    tenant_id: i32,
    queue_events_max: usize,
    outside: &Outside,
    shutdown: &Shutdown,
) -> Queue {
    let (sender, queue) = mpsc::channel(queue_events_max);
    let enough = Arc::new(Notify::new());
    let batcher = Batcher { tenant_id, outside: outside.clone(), enough: Arc::clone(&enough) };
    shutdown.spawn("ingest batcher", batcher.run(queue));
    Queue { sender, enough }
}

/// Whether a connection has shown that it works.
type IsFit = bool;

struct Batcher {
    tenant_id: i32,
    outside: Outside,
    enough: Arc<Notify>,
}

/// An append of which nothing is known to be stored.
enum Failure {
    /// The database cannot take anything now.
    Unavailable,
    /// It can, but not these events together.
    Refused,
}

impl Batcher {
    async fn run(self, mut queue: mpsc::Receiver<Delivery>) {
        let tenant = self.tenant_id.to_string();
        let queued = metrics::gauge!("tally_ingest_queue_depth", "tenant" => tenant);
        let size = metrics::histogram!("tally_ingest_batch_size");
        let mut appends = FuturesUnordered::new();
        // The appends have it; with the last of them it goes back to the pool.
        let mut connection = Weak::new();
        while let Some(first) = self.next(&mut queue, &mut appends, &mut connection).await {
            let batch = Batch::take(first, &mut queue);
            if !appends.is_empty() {
                // More come in than can be appended: who can wait is to let them go first.
                self.outside.notifier.notify_pressed(self.tenant_id);
            }
            queued.set(count(queue.len()));
            size.record(count(batch.events.len()));
            let open = match connection.upgrade().filter(|client| !client.is_closed()) {
                None => self.connect(batch.events.len()).await,
                open => open,
            };
            if let Some(open) = open {
                connection = Arc::downgrade(&open);
                appends.push(self.store_and_answer(open, batch));
            }
        }
    }

    /// The first delivery of the next batch, once it may be sent; none when all is done. Sees to the appends meanwhile: what
    /// comes after one that failed takes another connection.
    async fn next(
        &self,
        queue: &mut mpsc::Receiver<Delivery>,
        appends: &mut FuturesUnordered<impl Future<Output = IsFit>>,
        connection: &mut Weak<Client>,
    ) -> Option<Delivery> {
        while !appends.is_empty() {
            let may_follow = appends.len() < APPENDS_MAX;
            if may_follow && queue.len() >= EARLY_BATCH_EVENTS {
                return queue.try_recv().ok();
            }
            tokio::select! {
                is_fit = appends.next() => if is_fit == Some(false) {
                    *connection = Weak::new();
                },
                () = self.enough.notified(), if may_follow => {}
            }
        }
        let first = queue.recv().await;
        // The first delivery after a pause wakes this task before its neighbours have had their turn. Those that are
        // ready to deliver do so now; a delivery that comes alone loses some microseconds.
        tokio::task::yield_now().await;
        first
    }

    /// A connection for a batch of so many events, and for those that follow it.
    async fn connect(&self, count: usize) -> Option<Arc<Client>> {
        match self.outside.store.get().await {
            Ok(client) => Some(Arc::new(client)),
            Err(error) => {
                let tenant = self.tenant_id;
                tracing::error!(tenant, count, %error, "cannot append {count} deliveries: {error}");
                None
            }
        }
    }

    async fn store_and_answer(&self, connection: Arc<Client>, batch: Batch) -> IsFit {
        let Batch { events, waiting } = batch;
        let outcomes = self.store(&connection, &events).await;
        let is_fit = outcomes.iter().any(Option::is_some);
        drop(connection);
        // Before the answers: then each connection finds its read buffer free for the next request.
        drop(events);
        for ((answer, _share), outcome) in waiting.into_iter().zip(outcomes) {
            if let Some(appended) = outcome {
                // A client that left is told when it sends again.
                let _left = answer.send(appended);
            }
        }
        is_fit
    }

    /// Appends all of them; none where it is not known whether it is stored.
    async fn store(&self, connection: &Client, events: &[NewEvent]) -> Vec<Option<Appended>> {
        match self.append(connection, events).await {
            Ok(appended) => appended.into_iter().map(Some).collect(),
            Err(Failure::Refused) if events.len() > 1 => {
                // Something in one of them cannot be stored. The others must not suffer for it.
                let mut outcomes = Vec::with_capacity(events.len());
                for event in events {
                    let alone = self.append(connection, std::slice::from_ref(event)).await;
                    outcomes.push(alone.ok().and_then(|appended| appended.first().copied()));
                }
                outcomes
            }
            Err(Failure::Refused | Failure::Unavailable) => vec![None; events.len()],
        }
    }

    async fn append(
        &self,
        connection: &Client,
        events: &[NewEvent],
    ) -> Result<Vec<Appended>, Failure> {
        let Outside { notifier, clock, .. } = &self.outside;
        let (tenant, count) = (self.tenant_id, events.len());
        let begun = clock.mark();
        match tokio::time::timeout(APPEND_TIMEOUT, append_on(connection, tenant, events)).await {
            Ok(Ok(appended)) => {
                let elapsed = clock.mark().saturating_duration_since(begun);
                metrics::histogram!("tally_ingest_commit_seconds").record(elapsed);
                notifier.notify_events(tenant, slot_mask(events));
                Ok(appended)
            }
            Ok(Err(error)) => {
                tracing::error!(tenant, count, %error, "cannot append {count} deliveries: {error}");
                Err(if error.is_transient() { Failure::Unavailable } else { Failure::Refused })
            }
            Err(_elapsed) => {
                tracing::error!(tenant, count, "no answer to the append of {count} deliveries");
                Err(Failure::Unavailable)
            }
        }
    }
}

/// What was taken from the queue together.
struct Batch {
    events: Vec<NewEvent>,
    waiting: Vec<(oneshot::Sender<Appended>, Share)>,
}

impl Batch {
    /// Takes what waits, as much as one append may have.
    fn take(first: Delivery, queue: &mut mpsc::Receiver<Delivery>) -> Self {
        let mut batch = Self { events: Vec::new(), waiting: Vec::new() };
        let mut bytes: usize = 0;
        let mut next = Some(first);
        while let Some(delivery) = next {
            bytes = bytes.saturating_add(delivery.event.body.len());
            batch.events.push(delivery.event);
            batch.waiting.push((delivery.answer, delivery.share));
            let has_room = batch.events.len() < MAX_BATCH_EVENTS && bytes <= MAX_BATCH_BYTES;
            next = if has_room { queue.try_recv().ok() } else { None };
        }
        batch
    }
}

/// The slots that have something new, duplicates included: a hint too many costs a look.
pub(crate) fn slot_mask(events: &[NewEvent]) -> u64 {
    let bits = events.iter().filter_map(|event| 1_u64.checked_shl(u32::try_from(event.slot).ok()?));
    bits.fold(0, |mask, bit| mask | bit)
}

/// A length as metrics take it.
fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
