//! The loop: workers that project slots, one healer that polls and decides released cases anew.
//!
//! One code path for live, catch-up and replay: a worker takes slots that may have news and decides what is beyond their
//! cursors, whatever told it so. Hints only save waiting; the healer's poll finds everything in the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use service::shutdown::Shutdown;
use store::notify::{Hint, Listener};
use store::projection::slots;
use tokio::sync::{Notify, broadcast};

use crate::batch::{BatchError, Done, MAX_SLOTS};
use crate::lanes::{Lanes, bit};
use crate::{Projector, Tenant};

/// Longest time that an event waits when every hint is lost (DESIGN, section 3).
const POLL_EVERY: Duration = Duration::from_millis(250);

/// Pause before slots that another process holds are tried again.
const TAKEN_PAUSE: Duration = Duration::from_millis(10);

/// First pause after a failure; it doubles up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Longest pause after failures: a database that comes back is used within this time.
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// How often the backlog is measured: it is counted, so not at every poll.
const MEASURE_EVERY: u32 = 20;

/// What the tasks of one process share.
struct Shared {
    projector: Projector,
    tenants: Vec<Tenant>,
    lanes: Lanes,
    /// Told when a batch released cases.
    released: Notify,
}

/// Starts the tasks of a projector; they end when the shutdown begins, each after its transaction.
pub fn run(
    projector: Projector,
    tenants: Vec<Tenant>,
    listener: &Listener,
    workers: u32,
    shutdown: &Shutdown,
) {
    let shared =
        Arc::new(Shared { projector, tenants, lanes: Lanes::default(), released: Notify::new() });
    for number in 0..workers.max(1) {
        let worker = Worker {
            shared: Arc::clone(&shared),
            number,
            proven: BTreeMap::new(),
            pause: FIRST_PAUSE,
        };
        shutdown.spawn("project", worker.run(shutdown.clone()));
    }
    shutdown.spawn("hear hints", hear(Arc::clone(&shared), listener.subscribe(), shutdown.clone()));
    shutdown.spawn("decide deferred", decide_all_deferred(Arc::clone(&shared), shutdown.clone()));
    shutdown.spawn("heal", heal(shared, shutdown.clone()));
}

/// Decides everything that is there, and everything that this releases, then returns. For whoever wants to see the end
/// of it: a demonstration, a replay, a test. Other projectors may be at work at the same time.
pub async fn drain(projector: &Projector, tenant: &Tenant) -> Result<(), BatchError> {
    loop {
        let pending = slots::pending(&projector.store.get().await?, tenant.tenant_id).await?;
        let mut claimed = pending.is_empty();
        for some in pending.chunks(MAX_SLOTS) {
            claimed |= !projector.project(tenant, some, true).await?.claimed.is_empty();
        }
        let healed = projector.heal(tenant).await?;
        if pending.is_empty() && healed.decided == 0 {
            return Ok(());
        }
        if !claimed {
            tokio::time::sleep(TAKEN_PAUSE).await;
        }
    }
}

async fn hear(shared: Arc<Shared>, mut hints: broadcast::Receiver<Hint>, shutdown: Shutdown) {
    loop {
        let hint = tokio::select! {
            hint = hints.recv() => hint,
            () = shutdown.token().cancelled_owned() => return,
        };
        match hint {
            Ok(Hint::Events { tenant_id, slots }) => shared.lanes.mark(tenant_id, slots),
            Ok(Hint::Reconnected) | Err(broadcast::error::RecvError::Lagged(_)) => {
                for tenant in &shared.tenants {
                    shared.lanes.mark(tenant.tenant_id, u64::MAX);
                }
            }
            Ok(Hint::Decided { .. }) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// Polls for slots that have news and for cases that were released, and decides the latter.
async fn heal(shared: Arc<Shared>, shutdown: Shutdown) {
    let mut beat = 0_u32;
    let mut pause = POLL_EVERY;
    while !shutdown.has_begun() {
        let mut failed = false;
        for tenant in &shared.tenants {
            if let Err(error) = beat_once(&shared, tenant, beat.is_multiple_of(MEASURE_EVERY)).await
            {
                report(tenant.tenant_id, &error);
                failed = true;
            }
        }
        beat = beat.wrapping_add(1);
        pause = if failed { pause.saturating_mul(2).min(MAX_PAUSE) } else { POLL_EVERY };
        tokio::select! {
            () = shared.released.notified() => {}
            () = tokio::time::sleep(pause) => {}
            () = shutdown.token().cancelled_owned() => {}
        }
    }
}

async fn beat_once(shared: &Shared, tenant: &Tenant, measured: bool) -> Result<(), BatchError> {
    let pending = slots::pending(&shared.projector.store.get().await?, tenant.tenant_id).await?;
    shared.lanes.mark_slots(tenant.tenant_id, &pending);
    loop {
        let done = shared.projector.heal(tenant).await?;
        if done.decided > 0 {
            shared.projector.notifier.notify_decided(tenant.tenant_id);
        }
        if done.decided == 0 || (!done.more && done.woken == 0) {
            break;
        }
    }
    if measured { measure(&shared.projector, tenant.tenant_id).await } else { Ok(()) }
}

/// Keeps the backlog as metrics.
async fn measure(projector: &Projector, tenant_id: i32) -> Result<(), BatchError> {
    let backlog = slots::backlog(&projector.store.get().await?, tenant_id).await?;
    let waited = |oldest| projector.clock.now().duration_since(oldest).as_secs_f64().max(0.0);
    let events = u32::try_from(backlog.events).unwrap_or(u32::MAX);
    let tenant = tenant_id.to_string();
    metrics::gauge!("tally_events_unprojected", "tenant" => tenant.clone()).set(f64::from(events));
    metrics::gauge!("tally_projection_lag_seconds", "tenant" => tenant)
        .set(backlog.oldest.map_or(0.0, waited));
    Ok(())
}

/// Once, after the start: what older rules deferred, these may understand.
async fn decide_all_deferred(shared: Arc<Shared>, shutdown: Shutdown) {
    for tenant in &shared.tenants {
        decide_deferred(&shared.projector, tenant, &shutdown).await;
    }
}

async fn decide_deferred(projector: &Projector, tenant: &Tenant, shutdown: &Shutdown) {
    let mut after = 0;
    while !shutdown.has_begun() {
        match projector.decide_deferred(tenant, after).await {
            Ok(Some(last)) => after = last,
            Ok(None) => return,
            Err(error) => {
                report(tenant.tenant_id, &error);
                tokio::time::sleep(MAX_PAUSE).await;
                if !error.is_transient() {
                    return;
                }
            }
        }
    }
}

/// One worker: takes slots in turn and projects them.
struct Worker {
    shared: Arc<Shared>,
    number: u32,
    /// Slots of each tenant, as bits, of which this process decided a batch since it started or last failed there. For the
    /// others the try is counted first, so that an event that kills the process is found out.
    proven: BTreeMap<i32, u64>,
    pause: Duration,
}

impl Worker {
    async fn run(mut self, shutdown: Shutdown) {
        let mut news = self.shared.lanes.watch();
        let mut turn = self.number.wrapping_mul(21);
        while !shutdown.has_begun() {
            news.borrow_and_update();
            let mut busy = false;
            for number in 0..self.shared.tenants.len() {
                busy |= self.step(number, turn).await;
            }
            turn = turn.wrapping_add(5);
            if !busy {
                tokio::select! {
                    _ = news.changed() => {}
                    () = shutdown.token().cancelled_owned() => {}
                }
            }
        }
    }

    /// Projects some slots of one tenant; whether there were any.
    async fn step(&mut self, number: usize, turn: u32) -> bool {
        let shared = Arc::clone(&self.shared);
        let Some(tenant) = shared.tenants.get(number) else { return false };
        let wanted = shared.lanes.take(tenant.tenant_id, turn);
        if wanted.is_empty() {
            return false;
        }
        let mask = wanted.iter().fold(0_u64, |mask, slot| mask | bit(*slot));
        let proven = self.proven.entry(tenant.tenant_id).or_default();
        match shared.projector.project(tenant, &wanted, *proven & mask != mask).await {
            Ok(done) => {
                *proven |= done.claimed.iter().fold(0, |mask, slot| mask | bit(*slot));
                self.pause = FIRST_PAUSE;
                self.after(tenant, &wanted, &done).await;
            }
            Err(error) => {
                *proven &= !mask;
                report(tenant.tenant_id, &error);
                tokio::time::sleep(self.pause).await;
                self.pause = self.pause.saturating_mul(2).min(MAX_PAUSE);
                shared.lanes.mark(tenant.tenant_id, mask);
            }
        }
        true
    }

    async fn after(&self, tenant: &Tenant, wanted: &[i16], done: &Done) {
        if done.decided > 0 {
            self.shared.projector.notifier.notify_decided(tenant.tenant_id);
        }
        if done.woken > 0 {
            self.shared.released.notify_one();
        }
        if done.more {
            self.shared.lanes.mark_slots(tenant.tenant_id, &done.claimed);
        }
        let taken: Vec<i16> =
            wanted.iter().filter(|slot| !done.claimed.contains(slot)).copied().collect();
        if done.claimed.is_empty() {
            tokio::time::sleep(TAKEN_PAUSE).await;
        }
        self.shared.lanes.mark_slots(tenant.tenant_id, &taken);
    }
}

fn report(tenant_id: i32, error: &BatchError) {
    if error.is_transient() {
        tracing::warn!(tenant.id = tenant_id, %error, "a batch has to wait");
    } else {
        tracing::error!(tenant.id = tenant_id, %error, "a batch failed; it is tried in smaller parts");
    }
}
