//! Event → news: what one event says, in our words. Stripe's events by their type, our own facts by theirs; which of
//! the two it is, the log's origin says, never the body.

mod facts;
mod lists;
mod payers;
mod purchases;
mod references;
mod reversals;
mod stripe_events;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use ledger::decision::Reason;

use crate::hashing::EvidenceKey;
use crate::news::News;
use crate::policy::Policy;

/// Who speaks, as far as reading it is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// Stripe: signed bytes.
    Stripe,
    /// Operators, the directory, the catalogue or the clock: facts that this program appended.
    Ourselves,
}

/// An event of the log.
#[derive(Clone, Debug)]
pub struct Logged<'a> {
    /// Position.
    pub pos: i64,
    /// Who speaks.
    pub speaker: Speaker,
    /// When it happened, as the speaker says.
    pub occurred_at: Timestamp,
    /// The bytes; `None` once they were erased.
    pub body: Option<&'a [u8]>,
    /// If Stripe was asked for it: the key under which a case waits for it. The bytes are the object then, not an event.
    pub answers: Option<&'a str>,
}

/// Translates an event.
pub fn translate(event: &Logged<'_>, policy: &Policy, key: &EvidenceKey) -> News {
    let Some(body) = event.body else {
        return News::Unreadable {
            reason: Reason::Malformed,
            error: "its bytes were erased".into(),
        };
    };
    match event.speaker {
        Speaker::Stripe => stripe_events::translate(event, body, policy, key),
        Speaker::Ourselves => facts::translate(body, event.occurred_at, key),
    }
}
