//! The only place that asks the machine what time it is.
//!
//! Everything else takes `now` as a value, or holds a [`Clock`]. A test holds the [`Hands`] of a manual one and moves
//! them; nothing in a test waits for time to pass.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

/// Tells the time: the machine's, or one that a test sets.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<Mutex<Timestamp>>),
}

/// What moves a manual clock. Every clone of its [`Clock`] follows.
#[derive(Clone, Debug)]
pub struct Hands {
    time: Arc<Mutex<Timestamp>>,
}

impl Clock {
    /// The machine's own clock.
    pub const fn system() -> Self {
        Self { source: Source::System }
    }

    /// A clock that stands still at `start` until its hands are moved.
    pub fn manual(start: Timestamp) -> (Self, Hands) {
        let time = Arc::new(Mutex::new(start));
        (Self { source: Source::Manual(Arc::clone(&time)) }, Hands { time })
    }

    /// The time of day.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that the lint points to")]
    pub fn now(&self) -> Timestamp {
        match &self.source {
            Source::System => Timestamp::now(),
            Source::Manual(time) => *time.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// A mark from which a real duration can be measured, for metrics. A manual clock does not bend it: what it
    /// measures is how long the machine worked.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that the lint points to")]
    pub fn mark(&self) -> Instant {
        Instant::now()
    }
}

impl Hands {
    /// Sets the clock, forward or back.
    pub fn set(&self, now: Timestamp) {
        *self.time.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves the clock by `step`; it stops at the ends of what a timestamp can hold.
    pub fn advance(&self, step: SignedDuration) {
        let mut time = self.time.lock().unwrap_or_else(PoisonError::into_inner);
        *time = time.saturating_add(step).unwrap_or(*time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clone_of_a_manual_clock_follows_its_hands() {
        let (clock, hands) = Clock::manual(Timestamp::UNIX_EPOCH);
        let other = clock.clone();
        hands.advance(SignedDuration::from_secs(301));
        assert_eq!(other.now().as_second(), 301);
        hands.set(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now().as_second(), 0);
    }
}
