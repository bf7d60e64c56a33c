//! Watching: one task looks at whatever is watched, for everyone who watches it.
//!
//! However many watch, there is one connection that listens, and one statement that looks at all that a hint may be about;
//! hints that come while it runs are answered by the next one. A hint only says that it is worth looking: hints may be
//! lost and time passes without any, so everything that is watched is looked at now and then as well. Whoever is slow is
//! told the newest that was seen, not all of it.

mod watched;
mod worker;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use service::shutdown::Shutdown;
use store::Error;
use store::notify::Hint;
use tokio::sync::broadcast::Receiver;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

pub(crate) use watched::Watched;

/// A kind of things that can be watched.
pub(crate) trait Sight: Send + Sync + Sized + 'static {
    /// Names one of them.
    type Key: Clone + Ord + Send + Sync;
    /// What is seen of one.
    type Seen: Clone + Send + Sync;

    /// What it is called where it cannot be looked at.
    const NAME: &'static str;

    /// Most of them that one statement looks at: it takes some tens of milliseconds.
    const LOOK_MAX: usize;

    /// Whose it is.
    fn tenant_id(key: &Self::Key) -> i32;

    /// What of all that is watched a hint may be about; `None`: any of it.
    fn named<'a>(hint: &Hint, watched: &'a Watched<Self>) -> Option<Vec<&'a Self::Key>>;

    /// Looks at these of one tenant; what is seen of each, in their order.
    fn look(
        &self,
        tenant_id: i32,
        keys: &[&Self::Key],
    ) -> impl Future<Output = Result<Vec<Self::Seen>, Error>> + Send;

    /// Whether who saw this last is to be told that.
    fn is_news(last: &Self::Seen, seen: &Self::Seen) -> bool;
}

/// The task that looks at things of one kind, and what it looks at. It ends when this is dropped.
pub(crate) struct Watch<S: Sight> {
    shared: Arc<Shared<S>>,
    shutdown: Shutdown,
    task: JoinHandle<()>,
}

/// What the task and those who watch have in common.
struct Shared<S: Sight> {
    sight: S,
    watched: Mutex<Watched<S>>,
    /// Somebody watches what nobody watched before.
    newcomer: Notify,
}

/// One who watches.
pub(crate) struct Watching<S: Sight> {
    key: S::Key,
    shared: Arc<Shared<S>>,
    seen: watch::Receiver<Option<S::Seen>>,
    shutdown: Shutdown,
}

impl<S: Sight> Watch<S> {
    /// Starts the task. Must be called within a Tokio runtime.
    pub(crate) fn start(sight: S, hints: Receiver<Hint>, shutdown: &Shutdown) -> Self {
        let shared =
            Arc::new(Shared { sight, watched: Mutex::default(), newcomer: Notify::default() });
        let task = tokio::spawn(worker::run(Arc::clone(&shared), hints));
        Self { shared, shutdown: shutdown.clone(), task }
    }

    /// Watches it from now on.
    pub(crate) fn on(&self, key: S::Key) -> Watching<S> {
        let seen = self.shared.watched().add(&key);
        self.shared.newcomer.notify_one();
        let (shared, shutdown) = (Arc::clone(&self.shared), self.shutdown.clone());
        Watching { key, shared, seen, shutdown }
    }
}

impl<S: Sight> Drop for Watch<S> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<S: Sight> Shared<S> {
    fn watched(&self) -> MutexGuard<'_, Watched<S>> {
        // Whatever a panicking thread left there is still what is watched.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Sight> Watching<S> {
    /// What is seen as soon as it is looked at at all, and then whatever is news; none once the process is to end.
    pub(crate) async fn next(&mut self) -> Option<S::Seen> {
        let drain = self.shutdown.token();
        drain.run_until_cancelled(self.seen.changed()).await?.ok()?;
        self.seen.borrow_and_update().clone()
    }
}

impl<S: Sight> Drop for Watching<S> {
    fn drop(&mut self) {
        self.shared.watched().leave(&self.key);
    }
}
