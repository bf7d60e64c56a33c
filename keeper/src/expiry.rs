//! Credits and holds whose time is over.
//!
//! They cannot be spent or captured from their instant on, whoever is late: reads and spends look at the clock. What is
//! done here is only to post it, as of that instant, and to tell other systems.

use ledger::ids::Owner;
use service::ids::time_ordered;
use store::Error;
use store::commands::{Done, Outcome, Request, due_list, execute};

use crate::Keeper;

/// Who asks.
const ACTOR: &str = "keeper";

/// Most holds and most grants of one round: so many are one batch each.
const ROUND_MAX: i64 = 256;

/// Most rounds of one look, so that a beat ends: a million grants that end at one midnight are posted in minutes.
const ROUNDS_MAX: u32 = 100;

impl Keeper {
    /// Posts the end of the tenant's grants and holds that are due; how many were closed here.
    pub async fn expire_due(&self, tenant_id: i32) -> Result<u64, Error> {
        let mut closed: u64 = 0;
        for _ in 0..ROUNDS_MAX {
            let done = self.expire_round(tenant_id).await?;
            closed = closed.saturating_add(done);
            if done == 0 {
                break;
            }
        }
        Ok(closed)
    }

    async fn expire_round(&self, tenant_id: i32) -> Result<u64, Error> {
        let now = self.clock.now();
        let client = self.store.get().await?;
        let due = due_list(&client, tenant_id, now, ROUND_MAX).await?;
        // Given back before the batch asks for one.
        drop(client);
        let requests: Vec<Request> = due
            .into_iter()
            .map(|command| Request {
                command_id: time_ordered(now),
                idempotency: None,
                actor: ACTOR.to_owned(),
                command,
            })
            .collect();
        if requests.is_empty() {
            return Ok(0);
        }
        // Nobody waits for an answer.
        let outcomes = execute(&self.store, tenant_id, now, &requests, &|_, _| Vec::new()).await?;
        // Where another keeper or a command on the account was faster, it is closed; where its account is locked, the next
        // look sees to it.
        let done: Vec<&Done> = outcomes.iter().filter_map(Outcome::done).collect();
        let accounts = done.iter().map(|done| Owner::User(done.user.clone()).account_id());
        self.notifier.accounts_changed(tenant_id, accounts);
        Ok(u64::try_from(done.len()).unwrap_or(u64::MAX))
    }
}
