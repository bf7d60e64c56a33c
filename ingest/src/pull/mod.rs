//! What a case needs to know from Stripe's API: ingest asks there and appends the answer, as a fact like every other.
//!
//! A case waits for the key `pull:<path>`, for Connect `pull:<account><path>`:
//!
//! ```text
//! pull:/v1/checkout/sessions/cs_1?expand[]=line_items
//! pull:acct_1/v1/charges/ch_1
//! pull:/v1/charges/ch_1@17
//! ```
//!
//! The last one is of the thin event at position 17, which only names the charge: what was asked for after it arrived says what
//! it has to say, and what was asked for before may not.
//!
//! The answer becomes an event `tally.pulled` of origin stripe and source backfill, whose body is the object as it came, and
//! whose id is the key, `#`, and the first 16 hexadecimal digits of the body's SHA-256; for a thin event the key alone, as its
//! first answer will do. So any number of processes may pull the same, and an object that did not change is not stored again.
//! It is dated by the answer's `Date`, because it competes with Stripe's events for which is newer. It bears no signature: what
//! vouches for it is the connection, which goes to `STRIPE_API_BASE` and nowhere else.
//!
//! | module | what |
//! |---|---|
//! | `path` | which keys lead somewhere |
//! | `api` | one request, within limits |
//! | `object` | an object with its lists |
//! | `event` | how it becomes an event |
//! | `failure` | why there is none |
//! | `memory` | when a key is asked for again |
//! | `rest` | when nothing is asked for |
//! | `worker` | the loop |
//!
//! Nothing here can hold up the webhook: a tenant's worker is a task of its own with one connection to the database at a
//! time, it holds no lock while it waits for Stripe, and it ends at once when the drain begins.

mod api;
mod event;
mod failure;
mod memory;
mod object;
mod path;
mod rest;
mod worker;

use std::time::Duration;

use secrecy::SecretString;
use service::shutdown::Shutdown;

use crate::Outside;
use api::Api;
use worker::Worker;

/// A tenant to pull for.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Whose cases wait.
    pub tenant_id: i32,
    /// Its mode; what says that it is of the other one is not stored.
    pub livemode: bool,
    /// Where to ask.
    pub access: Access,
}

/// Stripe's API with a key.
#[derive(Clone, Debug)]
pub struct Access {
    /// Its address, such as `https://api.stripe.com`.
    pub base: String,
    /// The secret key, or a restricted one that may read.
    pub key: SecretString,
}

/// What an answer may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the request to the end of the answer.
    pub timeout: Duration,
    /// Bytes of an answer, and of all pages of a list together.
    pub body_bytes_max: usize,
}

/// There is no way to Stripe's API.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The key cannot stand in a header.
    #[error("STRIPE_SECRET_KEY holds something that no key of Stripe's has; copy it anew")]
    Key,
    /// The client cannot be made.
    #[error("preparing to call Stripe's API: {0}")]
    Client(#[from] reqwest::Error),
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Stripe answers within a second; with parts expanded it takes two or three.
            timeout: Duration::from_secs(15),
            // An invoice with 1,000 lines has half of that.
            body_bytes_max: 4 * 1024 * 1024,
        }
    }
}

/// Starts a worker for each of these tenants. They end when the drain begins.
pub fn start(
    tenants: Vec<Tenant>,
    limits: Limits,
    outside: &Outside,
    shutdown: &Shutdown,
) -> Result<(), PullError> {
    for Tenant { tenant_id, livemode, access } in tenants {
        let api = Api::new(&access, limits)?;
        let worker = Worker::new(tenant_id, livemode, api, outside.clone());
        let begun = shutdown.token();
        shutdown.spawn("pull from Stripe", async move {
            let _cut_short = begun.run_until_cancelled(Box::pin(worker.run())).await;
        });
    }
    Ok(())
}
