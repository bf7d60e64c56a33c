//! What the app and staff have done to accounts: credits are spent, held, captured, released, given and given back.
//!
//! ```text
//! asked     who, key, body; the command that they make       refused: 400
//! flights   one command at a time under each key             409 after 2 s
//! batcher   one per tenant: queue, carry out, answer         503 when full, or when it is not known what became of it
//! objects   what was done: saved with it, answered           402 403 404 409 422 when it was not
//! ```
//!
//! Every operation here needs an `Idempotency-Key`. An answer is saved if and only if its effect happened: whoever asks again
//! under the same key gets the same bytes, and a refusal can be asked again.

mod amount;
mod answer;
mod asked;
mod batcher;
pub(crate) mod capture;
mod flights;
pub(crate) mod freeze;
pub(crate) mod grant;
pub(crate) mod hold;
pub(crate) mod key;
pub(crate) mod objects;
pub(crate) mod overdraft;
pub(crate) mod release;
pub(crate) mod reverse;
pub(crate) mod said;
pub(crate) mod show;
pub(crate) mod spend;

use std::collections::BTreeMap;

use service::clock::Clock;
use service::shutdown::Shutdown;
use store::Store;
use store::commands::{Outcome, Request};
use store::notify::Notifier;
use store::tenant::Tenant;

pub(crate) use answer::REPLAYED;
use batcher::{Batcher, Failure, QUEUE_COMMANDS_MAX, Queue};

/// The ways into the books of the tenants that are served.
pub(crate) struct Commands {
    queues: BTreeMap<i32, Queue>,
}

impl Commands {
    /// Starts a batcher for each tenant. They end, with nothing left to do, once this is dropped.
    pub(crate) fn start(
        store: &Store,
        clock: &Clock,
        notifier: &Notifier,
        tenants: &[Tenant],
        shutdown: &Shutdown,
    ) -> Self {
        let start = |tenant: &Tenant| {
            let batcher = Batcher {
                tenant_id: tenant.tenant_id,
                store: store.clone(),
                clock: clock.clone(),
                notifier: notifier.clone(),
            };
            (tenant.tenant_id, batcher.start(QUEUE_COMMANDS_MAX, shutdown))
        };
        Self { queues: tenants.iter().map(start).collect() }
    }

    /// Has a command carried out; the request with what became of it.
    async fn carry_out(
        &self,
        tenant_id: i32,
        request: Request,
    ) -> Result<(Request, Outcome), Failure> {
        // A caller's tenant is one that is served: keys of others open nothing.
        let queue = self.queues.get(&tenant_id).ok_or(Failure::Fault)?;
        let carried_out = queue.carry_out(request).await;
        let carried_out = carried_out.and_then(|(request, outcome)| Ok((request, outcome?)));
        if let Err(failure) = &carried_out {
            metrics::counter!("tally_commands_failed_total", "failure" => failure.name())
                .increment(1);
        }
        carried_out
    }
}
