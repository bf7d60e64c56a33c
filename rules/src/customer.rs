//! What is said of a customer or subscription, as evidence for its payments: by Stripe's own object, and by the Checkout
//! sessions that were completed with it.
//!
//! Of the object the newest event counts, by Stripe's `created`; of two at the same second, the later position. What a
//! session said, it stands for: neither another session nor the object takes it back.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::evidence::Evidence;

/// What is known of one customer or subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Position of the newest event that told of it.
    pub pos: i64,
    /// What the object itself says.
    pub object: Said,
    /// Users that sessions name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sessions: BTreeSet<Evidence>,
}

/// What an object says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// `created` of the event that said so, in seconds since 1970; 0 while none did.
    pub said_at: i64,
    /// Position of that event.
    pub pos: i64,
    /// Users that its metadata names, keyed hashes of e-mail and name.
    pub evidence: BTreeSet<Evidence>,
}

impl Facts {
    /// What the object says of itself, by the event at a position.
    pub fn of_object(pos: i64, said_at: i64, evidence: BTreeSet<Evidence>) -> Self {
        Self { pos, object: Said { said_at, pos, evidence }, ..Self::default() }
    }

    /// What a session says of it, by the event at a position.
    pub fn of_session(pos: i64, evidence: BTreeSet<Evidence>) -> Self {
        Self { pos, sessions: evidence, ..Self::default() }
    }

    /// All evidence, whoever said so.
    pub fn evidence(&self) -> impl Iterator<Item = &Evidence> {
        self.object.evidence.union(&self.sessions)
    }

    /// Joins what was said elsewhere; whether that changed what is known.
    pub fn join(&mut self, other: Self) -> bool {
        let before: Vec<Evidence> = self.evidence().cloned().collect();
        self.pos = self.pos.max(other.pos);
        self.sessions.extend(other.sessions);
        if (other.object.said_at, other.object.pos) > (self.object.said_at, self.object.pos) {
            self.object = other.object;
        }
        !self.evidence().eq(&before)
    }
}
