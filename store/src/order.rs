//! The order in which the statements of a transaction are sent.
//!
//! Statements that are waited for together go out one behind the other, without waiting for answers in between. Each is sent
//! when it is polled first, but one that this connection has not prepared yet asks the server for that before, and would be
//! overtaken meanwhile: by what should be read under its locks, or by COMMIT. So each has its turn, from its first poll until
//! it is sent.

use tokio::sync::{Mutex, MutexGuard};
use tokio::task::unconstrained;

/// The order of one transaction's statements: that of their first polls.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// Whether a statement had its turn and was not sent. It is fair: who asks first has it first.
    has_gap: Mutex<bool>,
}

/// The turn of one statement. Unless it is [`Turn::sent`], it leaves a gap.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    has_gap: MutexGuard<'a, bool>,
    had_gap: bool,
}

impl Order {
    /// The next turn, once all before it are over.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        // Were it to yield instead of queueing, it would lose its place.
        let mut has_gap = unconstrained(self.has_gap.lock()).await;
        let had_gap = std::mem::replace(&mut *has_gap, true);
        Turn { has_gap, had_gap }
    }
}

impl Turn<'_> {
    /// Whether all that had a turn before this one was sent.
    pub(crate) fn is_next(&self) -> bool {
        !self.had_gap
    }

    /// Notes that the statement is on its way.
    pub(crate) fn sent(mut self) {
        *self.has_gap = self.had_gap;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn turns_come_in_the_order_in_which_they_were_asked_for() {
        let order = Order::default();
        let first = order.turn().await;
        let (mut second, mut third) = (Box::pin(order.turn()), Box::pin(order.turn()));
        assert!((&mut second).now_or_never().is_none());
        assert!((&mut third).now_or_never().is_none());
        first.sent();
        assert!((&mut third).now_or_never().is_none(), "it is the turn of the second");
        second.await.sent();
        assert!(third.await.is_next());
    }

    #[tokio::test]
    async fn what_was_not_sent_leaves_a_gap_for_ever() {
        let order = Order::default();
        order.turn().await.sent();
        drop(order.turn().await);
        let later = order.turn().await;
        assert!(!later.is_next());
        later.sent();
        assert!(!order.turn().await.is_next());
    }
}
