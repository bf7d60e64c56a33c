//! Balances as they change: one task reads what is watched, for everyone who watches it.
//!
//! However many watch, there is one connection that listens and one statement that looks. A hint says whose balance may
//! have changed; hints may be lost and time passes without any, so everything that is watched is looked at now and then
//! as well. Whoever is slow is told the newest balance, not each that there was.

mod watched;
mod worker;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ledger::ids::Owner;
use service::clock::Clock;
use service::problem::{Code, Problem};
use service::shutdown::Shutdown;
use store::Store;
use store::notify::Hint;
use store::units::Unit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;

use crate::users::balance::Version;
use watched::{Key, Watched};

/// Most streams of a process. A listener has some thousand connections, of which the rest are for those who ask.
const STREAMS_MAX: usize = 3_000;

/// Seconds after which to come again when there are too many.
const FULL_RETRY_AFTER_SECONDS: u32 = 5;

/// Longest wait for the first look.
const FIRST_LOOK_MAX: Duration = Duration::from_secs(2);

/// The task, and what it looks at.
pub(crate) struct Live {
    shared: Arc<Shared>,
    places: Arc<Semaphore>,
    shutdown: Shutdown,
    task: JoinHandle<()>,
}

/// What the task and those who watch have in common.
#[derive(Default)]
struct Shared {
    watched: Mutex<Watched>,
    /// Somebody watches what nobody watched before.
    newcomer: Notify,
}

/// A balance as it was seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Whether anybody told of the user, and it was decided.
    pub(crate) is_known: bool,
    /// Which version it is.
    pub(crate) version: Version,
    /// The balance object.
    pub(crate) json: Arc<str>,
}

/// One who watches a balance.
pub(crate) struct Watching {
    key: Key,
    shared: Arc<Shared>,
    seen: watch::Receiver<Option<Seen>>,
    shutdown: Shutdown,
    _place: OwnedSemaphorePermit,
}

impl Live {
    /// Starts the task; it ends when this is dropped. Must be called within a Tokio runtime.
    pub(crate) fn start(
        reads: &Store,
        clock: &Clock,
        hints: Receiver<Hint>,
        shutdown: &Shutdown,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let task = worker::run(Arc::clone(&shared), reads.clone(), clock.clone(), hints);
        Self {
            shared,
            places: Arc::new(Semaphore::new(STREAMS_MAX)),
            shutdown: shutdown.clone(),
            task: tokio::spawn(task),
        }
    }

    /// The same, looking through other connections.
    pub(crate) fn through(&self, reads: &Store, clock: &Clock, hints: Receiver<Hint>) -> Self {
        Self::start(reads, clock, hints, &self.shutdown)
    }

    /// Watches a user's balance in a unit.
    pub(crate) fn watch(
        &self,
        tenant_id: i32,
        user: &str,
        unit: Unit,
    ) -> Result<Watching, Problem> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            let detail = format!("{STREAMS_MAX} streams are open here; ask for the balance.");
            Problem::new(Code::Unavailable).detail(detail).retry_after(FULL_RETRY_AFTER_SECONDS)
        })?;
        let account = Owner::User(user.to_owned()).account_id();
        let key = Key { tenant_id, account, unit };
        let seen = self.shared.watched().add(&key, user);
        self.shared.newcomer.notify_one();
        let (shared, shutdown) = (Arc::clone(&self.shared), self.shutdown.clone());
        Ok(Watching { key, shared, seen, shutdown, _place: place })
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn watched(&self) -> MutexGuard<'_, Watched> {
        // Whatever a panicking thread left there is still what is watched.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watching {
    /// The balance as soon as it was seen at all.
    pub(crate) async fn first(&mut self) -> Result<Seen, Problem> {
        let seen = tokio::time::timeout(FIRST_LOOK_MAX, self.seen.wait_for(Option::is_some)).await;
        let seen = seen.ok().and_then(Result::ok).and_then(|seen| seen.clone());
        seen.ok_or_else(|| Problem::new(Code::Unavailable).retry_after(FULL_RETRY_AFTER_SECONDS))
    }

    /// The next other one; none once the process is to end.
    pub(crate) async fn next(&mut self) -> Option<Seen> {
        let drain = self.shutdown.token();
        drain.run_until_cancelled(self.seen.changed()).await?.ok()?;
        self.seen.borrow_and_update().clone()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.shared.watched().leave(&self.key);
    }
}
