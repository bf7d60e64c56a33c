//! The sending side: collects what was told within some milliseconds and sends it in one statement.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ledger::ids::AccountId;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tokio_postgres::types::Type;

use super::{ACCOUNT_CHANNEL, Background, DECIDED_CHANNEL, EVENT_CHANNEL, PRESSED_CHANNEL};
use crate::connect::{Role, Store};
use crate::error::Error;
use crate::statement::{Statement, query};
use crate::url::PgUrl;

/// Shortest time between two sendings. A hint that comes alone is sent at once; under load it comes with some more. It is less
/// than a batch of decisions takes: who is at work hears of what came meanwhile, and decides that together.
const DEBOUNCE: Duration = Duration::from_millis(4);

/// Shortest time between two sendings while deliveries wait for each other: who decides has more to do than he can, and need not
/// be told so often. Within the time for which [`super::Hint::Pressed`] counts it is told again.
pub const TELLING_IN_A_RUSH: Duration = Duration::from_millis(40);

/// Pause after the database could not be told.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(250);

/// Most accounts of a tenant that are named in one go: beyond it whoever listens looks at all that he watches, which is
/// hardly more.
const ACCOUNTS_MAX: usize = 2_000;

/// Most accounts of one notification, whose payload Postgres limits to 8,000 bytes: 33 for each.
const ACCOUNTS_EACH: usize = 200;

/// A transaction that notifies has a commit record of its own. Nothing of it is to outlive a crash, so it does not wait for the
/// disk, which has deliveries to flush.
pub(super) const SEND: Statement = Statement {
    sql: "-- notify.send
SELECT set_config('synchronous_commit', 'off', true), pg_notify(n.channel, n.payload)
FROM unnest($1, $2) n (channel, payload)",
    params: &[Type::TEXT_ARRAY, Type::TEXT_ARRAY],
    columns: &[Type::TEXT, Type::VOID],
};

/// Tells other processes that there is something to read. Cheap to clone; telling never waits.
#[derive(Clone)]
pub struct Notifier {
    shared: Arc<Shared>,
    _task: Arc<Background>,
}

#[derive(Default)]
struct Shared {
    pending: Mutex<Pending>,
    wake: Notify,
}

#[derive(Default)]
struct Pending {
    events: BTreeMap<i32, u64>,
    decided: BTreeSet<i32>,
    pressed: BTreeSet<i32>,
    accounts: BTreeMap<i32, BTreeSet<AccountId>>,
}

impl Notifier {
    /// Starts the task that sends, on a connection of its own. It ends when the last clone is dropped. Must be called
    /// within a Tokio runtime.
    pub fn start(url: &PgUrl) -> Result<Self, Error> {
        let store = Store::connect(url, Role::Login, 1)?;
        let shared = Arc::new(Shared::default());
        let task = tokio::spawn(send_all(store, Arc::clone(&shared)));
        Ok(Self { shared, _task: Arc::new(Background(task)) })
    }

    /// Events were committed to these slots of the tenant's log: bit n stands for slot n.
    pub fn notify_events(&self, tenant_id: i32, slot_mask: u64) {
        self.shared.add(|pending| *pending.events.entry(tenant_id).or_default() |= slot_mask);
    }

    /// Decisions were committed for the tenant, which change the balances of these accounts.
    pub fn notify_decided(&self, tenant_id: i32, accounts: impl IntoIterator<Item = AccountId>) {
        self.shared.add(|pending| {
            pending.decided.insert(tenant_id);
            pending.accounts.entry(tenant_id).or_default().extend(accounts);
        });
    }

    /// So many deliveries to the tenant come in that they wait for each other.
    pub fn notify_pressed(&self, tenant_id: i32) {
        self.shared.add(|pending| {
            pending.pressed.insert(tenant_id);
        });
    }

    /// Something else was committed that changes the balances of these accounts. Whoever posts or holds tells it after
    /// COMMIT: balances are shown live.
    pub fn accounts_changed(&self, tenant_id: i32, accounts: impl IntoIterator<Item = AccountId>) {
        self.shared.add(|pending| {
            pending.accounts.entry(tenant_id).or_default().extend(accounts);
        });
    }
}

impl Shared {
    fn add(&self, add: impl FnOnce(&mut Pending)) {
        // Whatever a panicking thread left there is still a set of hints.
        add(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.notify_one();
    }

    fn take(&self) -> Pending {
        std::mem::take(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn send_all(store: Store, shared: Arc<Shared>) {
    let mut pauses = tokio::time::interval(DEBOUNCE);
    pauses.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        shared.wake.notified().await;
        pauses.tick().await;
        let pending = shared.take();
        let is_rush = !pending.pressed.is_empty();
        if let Err(error) = send(&store, pending).await {
            // Whoever would have been told polls as well.
            tracing::debug!(%error, "hints were dropped");
            tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
        } else if is_rush {
            tokio::time::sleep(TELLING_IN_A_RUSH).await;
        }
    }
}

async fn send(store: &Store, pending: Pending) -> Result<(), Error> {
    let accounts = pending.accounts.iter().flat_map(|(tenant, accounts)| name(*tenant, accounts));
    let events = pending.events.iter().map(|(tenant, slots)| format!("{tenant}:{slots:x}"));
    let decided = pending.decided.iter().map(ToString::to_string);
    let pressed = pending.pressed.iter().map(ToString::to_string);
    let (channels, payloads): (Vec<_>, Vec<_>) = events
        .map(|payload| (EVENT_CHANNEL, payload))
        .chain(decided.map(|payload| (DECIDED_CHANNEL, payload)))
        .chain(pressed.map(|payload| (PRESSED_CHANNEL, payload)))
        .chain(accounts.map(|payload| (ACCOUNT_CHANNEL, payload)))
        .unzip();
    query(&store.get().await?, &SEND, &[&channels, &payloads]).await.map(drop)
}

/// Payloads that name the accounts of a tenant.
fn name(tenant_id: i32, accounts: &BTreeSet<AccountId>) -> Vec<String> {
    if accounts.len() > ACCOUNTS_MAX {
        return vec![format!("{tenant_id}:")];
    }
    let named: Vec<_> = accounts.iter().map(|account| account.0.simple().to_string()).collect();
    named.chunks(ACCOUNTS_EACH).map(|few| format!("{tenant_id}:{}", few.join(","))).collect()
}
