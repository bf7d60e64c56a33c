//! Waiting until something is decided: one listener, many who wait.
//!
//! A hint only says that it is worth looking; looking happens in any case, so a hint that is lost costs a moment.

use std::time::Duration;

use store::notify::{Hint, Listener};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::error::RouteError;

/// How often is looked without a hint.
pub(crate) const POLL_EVERY: Duration = Duration::from_millis(250);

/// Shortest time between two looks. Under load hints come one after the other, most of them about others.
pub(crate) const LOOK_PAUSE: Duration = Duration::from_millis(5);

/// Wakes who waits.
pub(crate) struct Waiter {
    listener: Listener,
}

impl Waiter {
    /// A waiter on the hints of `listener`.
    pub(crate) fn new(listener: Listener) -> Self {
        Self { listener }
    }

    /// What it is woken by, from now on.
    pub(crate) fn hints(&self) -> Receiver<Hint> {
        self.listener.subscribe()
    }

    /// Looks until `is_done` with what is seen, for at most `wait`; returns what was seen last. Looks at least once, and
    /// once more when the time is up.
    pub(crate) async fn until<T, Looking: Future<Output = Result<T, RouteError>>>(
        &self,
        tenant_id: i32,
        wait: Duration,
        mut look: impl FnMut() -> Looking,
        is_done: impl Fn(&T) -> bool,
    ) -> Result<T, RouteError> {
        let mut hints = self.hints();
        let end = Instant::now().checked_add(wait).unwrap_or_else(Instant::now);
        loop {
            let is_last = Instant::now() >= end;
            let seen = look().await?;
            if is_last || is_done(&seen) {
                return Ok(seen);
            }
            sleep(LOOK_PAUSE).await;
            let next_look = Instant::now().checked_add(POLL_EVERY).map_or(end, |at| at.min(end));
            // Whether it was a hint or the time does not matter.
            let _ = timeout_at(next_look, hint_for(&mut hints, tenant_id, next_look)).await;
        }
    }
}

/// Returns when something may have been decided for the tenant.
async fn hint_for(hints: &mut Receiver<Hint>, tenant_id: i32, next_look: Instant) {
    loop {
        match hints.recv().await {
            Ok(Hint::Decided { tenant_id: told }) if told == tenant_id => return,
            Ok(Hint::Reconnected) | Err(RecvError::Lagged(_)) => return,
            Ok(
                Hint::Decided { .. }
                | Hint::Events { .. }
                | Hint::Accounts { .. }
                | Hint::Pressed { .. },
            ) => {}
            Err(RecvError::Closed) => return sleep_until(next_look).await,
        }
    }
}
