//! What Stripe says of a customer, as evidence for his payments.
//!
//! The newest event counts, by Stripe's `created`; of two at the same second, the later position.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::evidence::Evidence;

/// What is known of one customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// `created` of the event that said so, in seconds since 1970.
    pub said_at: i64,
    /// Position of that event.
    pub pos: i64,
    /// Users that its metadata names, keyed hashes of e-mail and name.
    pub evidence: BTreeSet<Evidence>,
}

impl Facts {
    /// Takes the newer of the two; whether that changed what is known.
    pub fn join(&mut self, other: Self) -> bool {
        if (other.said_at, other.pos) <= (self.said_at, self.pos) {
            return false;
        }
        let changed = self.evidence != other.evidence;
        *self = other;
        changed
    }
}
