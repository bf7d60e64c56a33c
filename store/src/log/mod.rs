//! The event log: the one door through which everything that the outside says comes in.
//!
//! writers: ingest, api, keeper (`event`, `event_key`)
//!
//! Positions are dense and their order is commit order, because every append holds the tenant's row of `log_head` from
//! before it reads `max(pos)` until its commit. Whoever sees position N therefore sees every smaller one: N's writer held
//! the lock, so the writer of each smaller position had committed before N's `max(pos)` was read. Lock and `max` are two
//! statements, because a statement's snapshot is older than the end of its wait.

mod append;
mod batch;
mod read;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::statement::Statement;

pub use append::{Appended, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_KEY_BYTES, append, append_on};
pub use read::{Event, event_get};

/// Lanes of projection.
pub const SLOTS: u8 = 64;

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&append::APPEND, &read::GET];

/// Who speaks. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// Stripe, by whatever way.
    Stripe,
    /// Our own staff.
    Operator,
    /// The app, about its users.
    Directory,
    /// Who keeps the prices.
    Catalogue,
    /// Time that has passed.
    Clock,
}

impl Origin {
    /// The number that is stored.
    pub fn number(self) -> i16 {
        match self {
            Self::Stripe => 1,
            Self::Operator => 2,
            Self::Directory => 3,
            Self::Catalogue => 4,
            Self::Clock => 5,
        }
    }

    /// What a stored number stands for.
    pub fn from_number(number: i16) -> Option<Self> {
        [Self::Stripe, Self::Operator, Self::Directory, Self::Catalogue, Self::Clock]
            .into_iter()
            .find(|one| one.number() == number)
    }
}

/// The way an event came in. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// Delivered to us.
    Webhook,
    /// Pulled by us.
    Backfill,
    /// Brought from another system.
    Import,
    /// Said through our API.
    Api,
    /// Said on the command line.
    Cli,
}

impl Source {
    /// The number that is stored.
    pub fn number(self) -> i16 {
        match self {
            Self::Webhook => 1,
            Self::Backfill => 2,
            Self::Import => 3,
            Self::Api => 4,
            Self::Cli => 5,
        }
    }

    /// What a stored number stands for.
    pub fn from_number(number: i16) -> Option<Self> {
        [Self::Webhook, Self::Backfill, Self::Import, Self::Api, Self::Cli]
            .into_iter()
            .find(|one| one.number() == number)
    }
}

/// An event that is to be appended. Text is kept as it comes, except that NUL, which Postgres cannot store in text,
/// becomes U+FFFD; `body` is kept byte for byte.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Who speaks.
    pub origin: Origin,
    /// The way it came in.
    pub source: Source,
    /// Stripe Connect account; empty for the own account.
    pub account: String,
    /// The speaker's own id of it, under which a second delivery is the same event. With `account` at most
    /// [`MAX_KEY_BYTES`] long.
    pub source_id: String,
    /// The speaker's type; empty if there is none.
    pub event_type: String,
    /// Hint: the payment intent, invoice, session, charge or subscription that it names.
    pub root_key: Option<String>,
    /// Lane of projection: [`slot_of`] its routing key.
    pub slot: i16,
    /// What the body claims.
    pub livemode: Option<bool>,
    /// Stripe's API version, as the body claims.
    pub api_version: Option<String>,
    /// Name of the webhook endpoint, or of the API operation.
    pub endpoint: Option<String>,
    /// User-Agent of the delivery.
    pub user_agent: Option<String>,
    /// Address of the other side.
    pub peer: Option<String>,
    /// When it happened, as the speaker says.
    pub occurred_at: Timestamp,
    /// When it was received.
    pub received_at: Timestamp,
    /// SHA-256 of `body`.
    pub body_sha256: [u8; 32],
    /// The exact bytes.
    pub body: Bytes,
    /// The Stripe-Signature header.
    pub signature: Option<String>,
    /// W3C trace context of the delivery.
    pub traceparent: Option<String>,
}

/// Lane of what is routed by `routing_key`: the first eight bytes of its SHA-256, modulo [`SLOTS`].
pub fn slot_of(routing_key: &str) -> i16 {
    let hash = Sha256::digest(routing_key);
    // The last of the eight decides alone, because 64 divides 256.
    i16::from(hash[7] % SLOTS)
}
