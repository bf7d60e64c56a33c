//! What an operation changed, for whoever writes it.

use std::collections::BTreeMap;

use super::grant::Grant;
use super::hold::Hold;
use super::posting::Posting;
use crate::ids::{HoldId, SpendId};

/// A row as it is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row<T> {
    /// It is not stored yet.
    New(T),
    /// It replaces the stored one.
    Changed(T),
}

impl<T> Row<T> {
    /// The row itself.
    pub const fn get(&self) -> &T {
        match self {
            Self::New(row) | Self::Changed(row) => row,
        }
    }

    /// The same row as it is later: what was not stored before is still not stored.
    fn then(self, later: Self) -> Self {
        match (self, later) {
            (Self::New(_), Self::New(row) | Self::Changed(row)) => Self::New(row),
            (Self::Changed(_), later) => later,
        }
    }
}

/// What operations changed on one account: postings in their order, and each row once, as it is after the last of them.
/// The account's own row (version, posted, held, limit, frozen, head of the chain) is the [`super::Account`] itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Postings with their grant moves, along `seq`.
    pub postings: Vec<Posting>,
    /// Grants made or changed, by grant id.
    pub grants: BTreeMap<i64, Row<Grant>>,
    /// Holds made or changed.
    pub holds: BTreeMap<HoldId, Row<Hold>>,
    /// Spends that were reversed, with the `seq` of the posting that gave them back.
    pub reversed: BTreeMap<SpendId, i64>,
    /// Credits of a clawback that were written off; below zero: that had been, and came back.
    pub forgiven: i64,
}

impl Effects {
    /// Adds what a later operation on the same account changed, so that a batch is written at once.
    pub fn append(&mut self, later: Self) {
        self.postings.extend(later.postings);
        append_rows(&mut self.grants, later.grants);
        append_rows(&mut self.holds, later.holds);
        self.reversed.extend(later.reversed);
        self.forgiven = self.forgiven.saturating_add(later.forgiven);
    }
}

fn append_rows<K: Ord, T>(rows: &mut BTreeMap<K, Row<T>>, later: BTreeMap<K, Row<T>>) {
    for (key, row) in later {
        let row = match rows.remove(&key) {
            Some(earlier) => earlier.then(row),
            None => row,
        };
        rows.insert(key, row);
    }
}
