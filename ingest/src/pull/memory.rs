//! What was asked for, and when it may be asked for again. Kept in memory: a process that starts asks everything once.
//!
//! Whatever a case still waits for is asked for again, but more and more seldom, so that nothing is hammered. The pause
//! begins short for what may pass by itself, and long for an answer that will hardly change.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::rest::doubled;

/// Most keys that are remembered. Where so many stay unanswered the API key is wrong, and a person sees to that; those
/// beyond wait until others are done.
pub(super) const KEYS_MAX: usize = 100_000;

/// What came of a request, as far as it matters for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// The object. If cases wait for it all the same, it has to change first.
    Answer,
    /// A refusal that stays one unless somebody does something.
    Refusal,
    /// Nothing, for now.
    Nothing,
}

/// When requests may be made again.
#[derive(Default)]
pub(super) struct Memory {
    asked: HashMap<String, Asked>,
    /// Counts the walks through all keys.
    walk: u64,
}

struct Asked {
    came: Came,
    /// How often the same came, one after the other.
    times: u32,
    again_at: Timestamp,
    /// The last walk in which a case waited for it.
    walk: u64,
}

impl Came {
    /// The pause after the first time, and the longest one; it doubles in between.
    const fn pauses(self) -> (SignedDuration, SignedDuration) {
        match self {
            Self::Answer | Self::Refusal => {
                (SignedDuration::from_mins(1), SignedDuration::from_hours(24))
            }
            Self::Nothing => (SignedDuration::from_secs(1), SignedDuration::from_hours(1)),
        }
    }
}

impl Memory {
    /// Whether this key, for which a case waits, may be asked for.
    pub(super) fn is_due(&mut self, key: &str, now: Timestamp) -> bool {
        match self.asked.get_mut(key) {
            Some(asked) => {
                asked.walk = self.walk;
                asked.again_at <= now
            }
            None => self.asked.len() < KEYS_MAX,
        }
    }

    /// Remembers what came. True if it is the first time, or another thing came before: then it is worth telling.
    pub(super) fn note(&mut self, key: &str, came: Came, now: Timestamp) -> bool {
        let before = self.asked.get(key).filter(|asked| asked.came == came);
        let times = before.map_or(1, |asked| asked.times.saturating_add(1));
        let (first, longest) = came.pauses();
        let again_at = now.saturating_add(doubled(first, longest, times)).unwrap_or(Timestamp::MAX);
        self.asked.insert(key.to_owned(), Asked { came, times, again_at, walk: self.walk });
        times == 1
    }

    /// Forgets what no case waited for in the walk that ends here.
    pub(super) fn end_walk(&mut self) {
        let walk = self.walk;
        self.asked.retain(|_, asked| asked.walk == walk);
        self.walk = walk.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        for (came, expected) in [
            (Came::Nothing, [1, 2, 4, 8]),
            (Came::Refusal, [60, 120, 240, 480]),
            (Came::Answer, [60, 120, 240, 480]),
        ] {
            let mut memory = Memory::default();
            let mut now = 0;
            for pause in expected {
                memory.note("k", came, at(now));
                now += pause;
                assert!(!memory.is_due("k", at(now - 1)), "{came:?} {pause}");
                assert!(memory.is_due("k", at(now)), "{came:?} {pause}");
            }
            for _ in 0..100 {
                memory.note("k", came, START);
            }
            let (_, longest) = came.pauses();
            assert!(!memory.is_due("k", at(longest.as_secs() - 1)), "{came:?}");
            assert!(memory.is_due("k", at(longest.as_secs())), "{came:?}");
        }
    }

    #[test]
    fn what_changes_is_worth_telling() {
        let mut memory = Memory::default();
        let told = [Came::Nothing, Came::Nothing, Came::Refusal, Came::Refusal, Came::Answer]
            .map(|came| memory.note("k", came, START));
        assert_eq!(told, [true, false, true, false, true]);
    }

    #[test]
    fn what_nobody_waits_for_any_more_is_forgotten() {
        let mut memory = Memory::default();
        memory.note("gone", Came::Refusal, START);
        memory.note("stays", Came::Refusal, START);
        memory.end_walk();
        assert!(!memory.is_due("stays", START));
        memory.end_walk();
        assert!(!memory.is_due("stays", START) && memory.is_due("gone", START));
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut memory = Memory::default();
        for n in 0..KEYS_MAX {
            memory.note(&n.to_string(), Came::Refusal, START);
        }
        assert!(!memory.is_due("one more", START));
        assert!(memory.is_due("7", at(60)));
    }
}
