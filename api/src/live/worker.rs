//! The task that looks: at what hints name, and now and then at everything.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ledger::chain::to_microseconds;
use service::clock::Clock;
use store::notify::Hint;
use store::read::balance::{Parts, balance_list};
use store::{Error, Store};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};

use super::watched::Key;
use super::{Seen, Shared};
use crate::users::balance::Balance;
use crate::waiter::{LOOK_PAUSE, POLL_EVERY};

/// Most balances that one statement reads: it takes some tens of milliseconds.
const READ_MAX: usize = 1_000;

/// Looking at everything may take this part of the time; where so much is watched that it takes longer, it is done less often.
const SWEEP_SHARE: u32 = 8;

/// Looks until it is aborted.
pub(super) async fn run(
    shared: Arc<Shared>,
    reads: Store,
    clock: Clock,
    mut hints: Receiver<Hint>,
) {
    let mut next_sweep = Instant::now();
    let mut next_look = Instant::now();
    let mut hinted = Hinted::default();
    loop {
        tokio::select! {
            hint = hints.recv() => hinted.hear(hint, &shared),
            () = shared.newcomer.notified() => {}
            () = sleep_until(next_sweep) => hinted.everything = true,
        }
        // Under load hints come every few milliseconds: what they name meanwhile is read together.
        sleep_until(next_look).await;
        while let Ok(hint) = hints.try_recv() {
            hinted.hear(Ok(hint), &shared);
        }
        let (is_sweep, keys) = std::mem::take(&mut hinted).keys(&shared);
        let begun = Instant::now();
        if let Err(error) = look(&shared, &reads, &clock, &keys).await {
            tracing::warn!(%error, "balances that are watched cannot be read");
            next_sweep = later(POLL_EVERY);
        } else if is_sweep {
            next_sweep = later(POLL_EVERY.max(begun.elapsed().saturating_mul(SWEEP_SHARE)));
        }
        next_look = later(LOOK_PAUSE);
    }
}

fn later(pause: Duration) -> Instant {
    Instant::now().checked_add(pause).unwrap_or_else(Instant::now)
}

/// What is to be looked at.
#[derive(Default)]
struct Hinted {
    everything: bool,
    keys: BTreeSet<Key>,
}

impl Hinted {
    fn hear(&mut self, hint: Result<Hint, RecvError>, shared: &Shared) {
        match hint {
            Ok(Hint::Accounts { tenant_id, accounts }) if !accounts.is_empty() => {
                let watched = shared.watched();
                let named = accounts.iter().flat_map(|account| watched.of(tenant_id, *account));
                self.keys.extend(named.cloned());
            }
            Ok(Hint::Accounts { .. } | Hint::Reconnected) | Err(RecvError::Lagged(_)) => {
                self.everything = true;
            }
            // Whoever decides names the accounts as well. Without a listener time alone tells when to look.
            Ok(Hint::Decided { .. } | Hint::Events { .. } | Hint::Pressed { .. })
            | Err(RecvError::Closed) => {}
        }
    }

    /// Whether it is all that is watched, and what it is.
    fn keys(mut self, shared: &Shared) -> (bool, BTreeSet<Key>) {
        let mut watched = shared.watched();
        self.keys.append(&mut watched.take_newcomers());
        if self.everything { (true, watched.all()) } else { (false, self.keys) }
    }
}

async fn look(
    shared: &Shared,
    reads: &Store,
    clock: &Clock,
    keys: &BTreeSet<Key>,
) -> Result<(), Error> {
    let keys: Vec<&Key> = keys.iter().collect();
    // Sorted by tenant: each has its own statements.
    for of_tenant in keys.chunk_by(|one, other| one.tenant_id == other.tenant_id) {
        for some in of_tenant.chunks(READ_MAX) {
            let users = some.iter().map(|key| shared.watched().user(key));
            let wanted: Vec<_> =
                users.zip(some).filter_map(|(user, key)| Some((user?, *key))).collect();
            read(shared, reads, clock, &wanted).await?;
        }
    }
    Ok(())
}

/// Reads balances of one tenant, and tells those who watch them.
async fn read(
    shared: &Shared,
    reads: &Store,
    clock: &Clock,
    wanted: &[(String, &Key)],
) -> Result<(), Error> {
    let Some((_, Key { tenant_id, .. })) = wanted.first() else { return Ok(()) };
    let now = to_microseconds(clock.now());
    let names: Vec<_> =
        wanted.iter().map(|(user, key)| (user.as_str(), key.unit.name.as_str())).collect();
    let found = balance_list(&reads.get().await?, *tenant_id, &names, now).await?;
    for ((user, key), parts) in wanted.iter().zip(found) {
        let seen = seen(user, key, parts, now);
        shared.watched().tell(key, seen);
    }
    Ok(())
}

fn seen(user: &str, key: &Key, parts: Option<Parts>, now: Timestamp) -> Seen {
    let is_known = parts.is_some();
    let balance = Balance::new(user, &key.unit, &parts.unwrap_or_default(), now);
    // Texts and integers: there is nothing here that could fail to be written.
    let json = serde_json::to_string(&balance).unwrap_or_default().into();
    Seen { is_known, version: balance.version(), json }
}
