//! What is watched, by account, and what of it is to be looked at.

use std::collections::{BTreeMap, BTreeSet};

use ledger::ids::AccountId;
use store::units::Unit;
use tokio::sync::watch;

use super::Seen;

/// One account in one unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) tenant_id: i32,
    pub(super) account: AccountId,
    pub(super) unit: Unit,
}

/// What is watched.
#[derive(Default)]
pub(super) struct Watched {
    entries: BTreeMap<Key, Entry>,
    /// What nobody looked at yet.
    newcomers: BTreeSet<Key>,
}

struct Entry {
    user: String,
    seen: watch::Sender<Option<Seen>>,
}

impl Watched {
    /// Somebody watches it.
    pub(super) fn add(&mut self, key: &Key, user: &str) -> watch::Receiver<Option<Seen>> {
        if let Some(entry) = self.entries.get(key) {
            return entry.seen.subscribe();
        }
        let (seen, receiver) = watch::channel(None);
        self.entries.insert(key.clone(), Entry { user: user.to_owned(), seen });
        self.newcomers.insert(key.clone());
        receiver
    }

    /// Somebody is about to watch it no more.
    pub(super) fn leave(&mut self, key: &Key) {
        if self.entries.get(key).is_some_and(|entry| entry.seen.receiver_count() <= 1) {
            self.entries.remove(key);
            self.newcomers.remove(key);
        }
    }

    /// What nobody looked at yet.
    pub(super) fn take_newcomers(&mut self) -> BTreeSet<Key> {
        std::mem::take(&mut self.newcomers)
    }

    /// All that is watched.
    pub(super) fn all(&self) -> BTreeSet<Key> {
        self.entries.keys().cloned().collect()
    }

    /// What is watched of an account.
    pub(super) fn of(&self, tenant_id: i32, account: AccountId) -> impl Iterator<Item = &Key> {
        let unit = Unit { name: String::new(), scale: 0, is_default: false };
        let own = move |key: &&Key| key.tenant_id == tenant_id && key.account == account;
        self.entries.range(Key { tenant_id, account, unit }..).map(|(key, _)| key).take_while(own)
    }

    /// Whose it is.
    pub(super) fn user(&self, key: &Key) -> Option<String> {
        Some(self.entries.get(key)?.user.clone())
    }

    /// Tells those who watch it, unless it is what they know.
    pub(super) fn tell(&self, key: &Key, seen: Seen) {
        let Some(entry) = self.entries.get(key) else { return };
        entry.seen.send_if_modified(|last| {
            let is_news = last.as_ref().is_none_or(|last| last.version != seen.version);
            if is_news {
                *last = Some(seen);
            }
            is_news
        });
    }
}
