//! What is watched, and what of it is to be looked at.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch::{Receiver, Sender, channel};

use super::Sight;

/// What is watched.
pub(crate) struct Watched<S: Sight> {
    entries: BTreeMap<S::Key, Entry<S>>,
    /// What nobody looked at yet.
    newcomers: BTreeSet<S::Key>,
}

struct Entry<S: Sight> {
    /// How many watch it. The channel's own count still has those who are about to leave.
    watching: usize,
    seen: Sender<Option<S::Seen>>,
}

impl<S: Sight> Default for Watched<S> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), newcomers: BTreeSet::new() }
    }
}

impl<S: Sight> Watched<S> {
    /// Somebody watches it.
    pub(super) fn add(&mut self, key: &S::Key) -> Receiver<Option<S::Seen>> {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.watching = entry.watching.saturating_add(1);
            let mut receiver = entry.seen.subscribe();
            if receiver.borrow().is_some() {
                // To him it is news.
                receiver.mark_changed();
            }
            return receiver;
        }
        let (seen, receiver) = channel(None);
        self.entries.insert(key.clone(), Entry { watching: 1, seen });
        self.newcomers.insert(key.clone());
        receiver
    }

    /// Somebody is about to watch it no more.
    pub(super) fn leave(&mut self, key: &S::Key) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.watching = entry.watching.saturating_sub(1);
        if entry.watching == 0 {
            self.entries.remove(key);
            self.newcomers.remove(key);
        }
    }

    /// What nobody looked at yet.
    pub(super) fn take_newcomers(&mut self) -> BTreeSet<S::Key> {
        std::mem::take(&mut self.newcomers)
    }

    /// All that is watched, in its order.
    pub(super) fn all(&self) -> BTreeSet<S::Key> {
        self.entries.keys().cloned().collect()
    }

    /// What is watched from this key on, in its order.
    pub(crate) fn from(&self, key: S::Key) -> impl Iterator<Item = &S::Key> {
        self.entries.range(key..).map(|(key, _)| key)
    }

    /// Tells those who watch it, unless it is what they know.
    pub(super) fn tell(&self, key: &S::Key, seen: S::Seen) {
        let Some(entry) = self.entries.get(key) else { return };
        entry.seen.send_if_modified(|last| {
            let is_news = last.as_ref().is_none_or(|last| S::is_news(last, &seen));
            if is_news {
                *last = Some(seen);
            }
            is_news
        });
    }
}

#[cfg(test)]
mod tests {
    use store::Error;
    use store::notify::Hint;

    use super::*;

    /// Numbers, of which even ones are news.
    struct Numbers;

    impl Sight for Numbers {
        type Key = (i32, i32);
        type Seen = i32;

        const NAME: &'static str = "numbers";

        const LOOK_MAX: usize = 1;

        fn tenant_id(key: &Self::Key) -> i32 {
            key.0
        }

        fn named<'a>(_: &Hint, _: &'a Watched<Self>) -> Option<Vec<&'a Self::Key>> {
            None
        }

        async fn look(&self, _: i32, keys: &[&Self::Key]) -> Result<Vec<i32>, Error> {
            Ok(keys.iter().map(|key| key.1).collect())
        }

        fn is_news(_: &i32, seen: &i32) -> bool {
            seen % 2 == 0
        }
    }

    #[test]
    fn who_comes_later_is_told_what_is_known_and_all_are_told_only_what_is_news() {
        let mut watched = Watched::<Numbers>::default();
        let mut first = watched.add(&(1, 7));
        let mut early = watched.add(&(1, 7));
        assert!(!early.has_changed().unwrap(), "nothing was seen yet");
        watched.tell(&(1, 7), 1);
        let mut late = watched.add(&(1, 7));
        for receiver in [&mut first, &mut early, &mut late] {
            assert!(receiver.has_changed().unwrap());
            assert_eq!(*receiver.borrow_and_update(), Some(1));
        }
        watched.tell(&(1, 7), 3);
        assert!(!first.has_changed().unwrap());
        watched.tell(&(1, 7), 4);
        assert_eq!(*late.borrow_and_update(), Some(4));
    }

    #[test]
    fn what_nobody_watches_any_more_is_not_looked_at() {
        let mut watched = Watched::<Numbers>::default();
        // Each lives on after he said that he leaves: two may leave at the same time.
        let _leaving = [watched.add(&(1, 7)), watched.add(&(1, 7))];
        let _third = watched.add(&(2, 8));
        watched.leave(&(1, 7));
        assert_eq!(watched.all(), BTreeSet::from([(1, 7), (2, 8)]));
        watched.leave(&(1, 7));
        assert_eq!(watched.all(), BTreeSet::from([(2, 8)]));
        assert_eq!(watched.take_newcomers(), BTreeSet::from([(2, 8)]));
    }
}
