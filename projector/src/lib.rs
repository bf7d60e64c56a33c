//! The worker around `rules`: read, lock, decide, commit (DESIGN, section 4).
//!
//! Any number of projectors may run; any may be killed at any instant. A batch is one transaction: its slots' row locks
//! make it the only one that decides their next events, and the decisions that it writes are the cursor. So there is no
//! lease, no leader, and a zombie cannot commit.
//!
//! | module | what |
//! |---|---|
//! | [`worker`] | the loop: which slots next, when to rest |
//! | [`lanes`] | which slots have news, by hints and by polling |
//! | `pressure` | when deliveries go first |
//! | [`batch`] | one transaction: claim, load, decide, save |
//! | [`load`] | the world of a batch, read under its locks |
//! | [`save`] | what was decided, written |
//! | [`messages`] | what the outbox tells of it |
//! | [`tries`] | tries, counted, so that no event blocks others |
//! | [`heal`] | cases that a fact released |
//! | [`deferred`] | events that older rules deferred |

pub mod batch;
pub mod deferred;
pub mod heal;
pub mod lanes;
pub mod load;
pub mod messages;
mod pressure;
pub mod save;
pub mod tries;
pub mod worker;

use jiff::Timestamp;
use rules::hashing::EvidenceKey;
use rules::policy::Policy;
use service::clock::Clock;
use store::Store;
use store::notify::Notifier;

pub use worker::{HEALERS, drain, run};

/// A tenant to project.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Whose.
    pub tenant_id: i32,
    /// What the business chose.
    pub policy: Policy,
    /// Key of the hashes of its evidence.
    pub evidence_key: EvidenceKey,
}

/// What every batch needs.
#[derive(Clone)]
pub struct Projector {
    /// The database, as the role `projector`.
    pub store: Store,
    /// Whom to tell that something was decided.
    pub notifier: Notifier,
    /// The time.
    pub clock: Clock,
}

impl Projector {
    fn now(&self) -> Timestamp {
        ledger::chain::to_microseconds(self.clock.now())
    }
}
