//! Credits and holds whose time is over.
//!
//! They cannot be spent or captured from their instant on, whoever is late: reads and spends look at the clock. What is
//! done here is only to post it, as of that instant, and to tell other systems.

use ledger::ids::Owner;
use service::ids::time_ordered;
use store::commands::{Command, Done, Outcome, Request, due_list, execute};
use store::{Error, Kind};

use crate::Keeper;

/// Who asks.
const ACTOR: &str = "keeper";

/// Most holds and most grants of one round: so many are one batch each.
const ROUND_MAX: i64 = 256;

/// Most rounds of one look, so that a beat ends: a million grants that end at one midnight are posted in minutes.
const ROUNDS_MAX: u32 = 100;

/// Commands of one look that cannot be carried out, and why: they are not tried again in it.
type Failed = Vec<(Command, Error)>;

impl Keeper {
    /// Posts the end of the tenant's grants and holds that are due; how many were closed here. What cannot be posted is in
    /// nobody's way: its error comes once all others were seen to.
    pub async fn expire_due(&self, tenant_id: i32) -> Result<u64, Error> {
        let (mut closed, mut failed) = (0_u64, Failed::new());
        for _ in 0..ROUNDS_MAX {
            let done = self.expire_round(tenant_id, &mut failed).await?;
            closed = closed.saturating_add(done);
            if done == 0 {
                break;
            }
        }
        failed.pop().map_or(Ok(closed), |(_, error)| Err(error))
    }

    async fn expire_round(&self, tenant_id: i32, failed: &mut Failed) -> Result<u64, Error> {
        let now = self.clock.now();
        let client = self.store.get().await?;
        let due = due_list(&client, tenant_id, now, ROUND_MAX).await?;
        // Given back before the batch asks for one.
        drop(client);
        let due = due.into_iter().filter(|one| failed.iter().all(|(command, _)| command != one));
        let requests: Vec<Request> = due
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
        self.carry_out(tenant_id, requests, failed).await
    }

    /// Carries out what is due together; how many were done. What fails together is halved, so that a command that cannot be
    /// carried out fails alone.
    async fn carry_out(
        &self,
        tenant_id: i32,
        requests: Vec<Request>,
        failed: &mut Failed,
    ) -> Result<u64, Error> {
        let (now, mut closed, mut parts) = (self.clock.now(), 0_u64, vec![requests]);
        while let Some(mut part) = parts.pop() {
            // Nobody waits for an answer.
            match execute(&self.store, tenant_id, now, &part, &|_, _| Vec::new()).await {
                Ok(outcomes) => closed = closed.saturating_add(self.told(tenant_id, &outcomes)),
                Err(error) if error.kind() == Kind::Unavailable => return Err(error),
                Err(_) if part.len() > 1 => {
                    let later = part.split_off(part.len() / 2);
                    parts.extend([later, part]);
                }
                Err(error) => {
                    let Some(Request { command, .. }) = part.pop() else { continue };
                    tracing::error!(tenant.id = tenant_id, %error, "cannot carry out {command:?}: {error}");
                    failed.push((command, error));
                }
            }
        }
        Ok(closed)
    }

    /// Names the accounts whose balances changed; how many commands were done.
    fn told(&self, tenant_id: i32, outcomes: &[Outcome]) -> u64 {
        // Where another keeper or a command on the account was faster, it is closed; where its account is locked, the next
        // look sees to it.
        let done: Vec<&Done> = outcomes.iter().filter_map(Outcome::done).collect();
        let accounts = done.iter().map(|done| Owner::User(done.user.clone()).account_id());
        self.notifier.accounts_changed(tenant_id, accounts);
        u64::try_from(done.len()).unwrap_or(u64::MAX)
    }
}
