//! Deliveries first: the answer that Stripe waits for cannot be given later, a decision can.
//!
//! Where ingest and projector share a database that is not enough for both, ingest tells that deliveries wait for each other
//! ([`store::notify::Hint::Pressed`]), and the projector goes on with a part of its strength; it makes up for it when the
//! rush is over. Not for ever: once events have waited for [`LAG_MAX`], deciding them counts as much as taking more.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use service::clock::Clock;
use store::notify::TELLING_IN_A_RUSH;

/// How long it counts that deliveries wait. In a rush that is told more often.
const TOLD_FOR: Duration = Duration::from_millis(100);
const _: () = assert!(TELLING_IN_A_RUSH.as_millis() * 2 < TOLD_FOR.as_millis(), "one may be late");

/// How long deliveries wait for each other before it is a rush and no hiccup.
const RUSH_MIN: Duration = Duration::from_millis(500);

/// Longest time for which events stand behind deliveries.
const LAG_MAX: Duration = Duration::from_secs(10);

/// Of so many parts of the time, all workers together work one in a rush, and rest for the others.
const PARTS: u32 = 2;

/// Whether there is a rush, as all tasks of a process see it.
#[derive(Debug, Default)]
pub(crate) struct Pressure(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When it was told first and last that deliveries wait, without a pause between.
    told: Option<(Instant, Instant)>,
    /// Tenants whose events have waited too long.
    late: BTreeSet<i32>,
}

impl Pressure {
    /// Deliveries wait for each other.
    pub(crate) fn tell(&self, now: Instant) {
        let mut state = self.lock();
        let first = state.told.filter(|(_, last)| now.duration_since(*last) <= TOLD_FOR);
        state.told = Some((first.map_or(now, |(first, _)| first), now));
    }

    /// The oldest undecided event of the tenant has waited for so long.
    pub(crate) fn measured(&self, tenant_id: i32, lag: Duration) {
        let late = &mut self.lock().late;
        if lag > LAG_MAX {
            late.insert(tenant_id);
        } else {
            late.remove(&tenant_id);
        }
    }

    /// Whether deliveries go first now.
    fn is_on(&self, now: Instant) -> bool {
        let state = self.lock();
        let is_rush = state.told.is_some_and(|(first, last)| {
            now.duration_since(last) <= TOLD_FOR && last.duration_since(first) >= RUSH_MIN
        });
        is_rush && state.late.is_empty()
    }

    /// Lets deliveries go first, if there is a rush, for whoever is one of so many `workers` and has been at work since
    /// `begun`: all of them together then work for half of the time of one. Returns when the rush is over.
    pub(crate) async fn give_way(&self, clock: &Clock, begun: Instant, workers: u32) {
        let worked = clock.mark().duration_since(begun);
        let rests = workers.saturating_mul(PARTS).saturating_sub(1);
        let mut left = worked.saturating_mul(rests);
        while !left.is_zero() && self.is_on(clock.mark()) {
            let pause = left.min(TOLD_FOR);
            tokio::time::sleep(pause).await;
            left = left.saturating_sub(pause);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Whatever a panicking thread left there is still true.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "instants of a test, a second apart")]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(50);

    /// Tells every 50 ms for so long; when it told last.
    fn rush(pressure: &Pressure, begun: Instant, lasting: Duration) -> Instant {
        let mut now = begun;
        while now < begun + lasting {
            pressure.tell(now);
            now += STEP;
        }
        pressure.tell(now);
        now
    }

    #[test]
    fn only_what_lasts_is_a_rush_and_it_ends_with_the_last_word() {
        let (pressure, begun) = (Pressure::default(), Clock::system().mark());
        let now = rush(&pressure, begun, RUSH_MIN.saturating_sub(STEP));
        assert!(!pressure.is_on(now), "a hiccup");
        let now = rush(&pressure, now, STEP);
        assert!(pressure.is_on(now));
        assert!(pressure.is_on(now + TOLD_FOR));
        assert!(!pressure.is_on(now + TOLD_FOR + STEP), "nothing was told since");
        pressure.tell(now + TOLD_FOR + STEP);
        assert!(!pressure.is_on(now + TOLD_FOR + STEP), "what comes after a pause begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_way_rests_in_a_rush_alone() {
        let (pressure, clock) = (Pressure::default(), Clock::system());
        let (now, worked) = (clock.mark(), Duration::from_millis(10));
        let rested = async || {
            let before = tokio::time::Instant::now();
            pressure.give_way(&clock, now.checked_sub(worked).unwrap(), 2).await;
            before.elapsed()
        };
        assert_eq!(rested().await, Duration::ZERO);
        rush(&pressure, now.checked_sub(RUSH_MIN).unwrap(), RUSH_MIN);
        assert!(
            rested().await >= worked * 3,
            "two of them rest three times as long as they worked"
        );
    }

    #[test]
    fn events_that_waited_too_long_stand_behind_nothing() {
        let (pressure, begun) = (Pressure::default(), Clock::system().mark());
        let now = rush(&pressure, begun, RUSH_MIN);
        pressure.measured(1, LAG_MAX + STEP);
        pressure.measured(2, LAG_MAX);
        assert!(!pressure.is_on(now));
        pressure.measured(1, LAG_MAX);
        assert!(pressure.is_on(now));
    }
}
