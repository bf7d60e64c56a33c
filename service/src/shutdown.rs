//! How a process ends: it is asked to, it says so, it finishes what it holds, and it does not take for ever.
//!
//! The order is the same everywhere. A signal begins the drain: `/readyz` answers 503 from that instant, listeners stop
//! to accept and finish what is under way, and whatever stands behind them ends by itself when its last sender is gone
//! or when it sees the token. [`Shutdown::drained`] waits for all of that, up to a limit.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a process may take to finish what it holds. Container platforms kill after 10 s by default.
pub const DRAIN_MAX: Duration = Duration::from_secs(9);

/// The end of a process: whether it has begun, and who is still at work. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    begun: CancellationToken,
    tasks: TaskTracker,
}

/// The drain took longer than it may; what was not committed by then will be sent or read again.
#[derive(Debug, thiserror::Error)]
#[error("{tasks} task(s) were still at work after {limit:?} of draining; ending without them")]
pub struct Overdue {
    /// How many had not ended.
    pub tasks: usize,
    /// What they were given.
    pub limit: Duration,
}

impl Shutdown {
    /// One that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins the drain at SIGTERM (platforms) or SIGINT (a person).
    pub fn on_signals(&self) -> io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let begun = self.begun.clone();
        tokio::spawn(async move {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            tracing::info!(signal = name, "{name} received, draining");
            begun.cancel();
        });
        Ok(())
    }

    /// Begins the drain.
    pub fn begin(&self) {
        self.begun.cancel();
    }

    /// Whether the drain has begun.
    pub fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// A token that is cancelled when the drain begins.
    pub fn token(&self) -> CancellationToken {
        self.begun.clone()
    }

    /// Runs a task that the drain waits for. The process has no use for half of its tasks, so one that panics begins
    /// the drain: whatever supervises the process starts it again whole.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let begun = self.begun.clone();
        self.tasks.spawn(async move {
            if let Err(error) = tokio::spawn(task).await {
                tracing::error!(task = name, %error, "task {name} ended unexpectedly, draining");
                begun.cancel();
            }
        });
    }

    /// Waits until every task has ended, at most for `limit`. Call it after the drain has begun.
    pub async fn drained(&self, limit: Duration) -> Result<(), Overdue> {
        self.tasks.close();
        tokio::time::timeout(limit, self.tasks.wait())
            .await
            .map_err(|_elapsed| Overdue { tasks: self.tasks.len(), limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_drain_waits_for_its_tasks() {
        let shutdown = Shutdown::new();
        let token = shutdown.token();
        shutdown.spawn("waiter", async move { token.cancelled().await });
        shutdown.begin();
        assert!(shutdown.has_begun());
        shutdown.drained(DRAIN_MAX).await.unwrap();
    }

    #[tokio::test]
    async fn a_drain_is_bounded() {
        let shutdown = Shutdown::new();
        shutdown.spawn("stuck", std::future::pending());
        shutdown.begin();
        let overdue = shutdown.drained(Duration::ZERO).await.unwrap_err();
        assert_eq!(overdue.tasks, 1);
    }

    #[tokio::test]
    async fn a_task_that_panics_begins_the_drain() {
        let shutdown = Shutdown::new();
        shutdown.spawn("faulty", async { panic!("on purpose") });
        shutdown.token().cancelled().await;
        shutdown.drained(DRAIN_MAX).await.unwrap();
    }
}
