//! The loop: workers that project slots, healers that decide released cases anew, one task that polls.
//!
//! One code path for live, catch-up and replay: a worker takes slots that may have news and decides what is beyond their
//! cursors, whatever told it so. Hints only save waiting; polling finds everything in the end. Healers are tasks of their
//! own, so that news never stand behind cases, however many were released.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use service::shutdown::Shutdown;
use store::notify::{Hint, Listener};
use store::projection::released::Lane;
use store::projection::{slots, woken};
use tokio::sync::{Notify, broadcast};

use crate::batch::{BatchError, Done, MAX_SLOTS};
use crate::lanes::{Lanes, mask_of};
use crate::pressure::Pressure;
use crate::{Projector, Tenant};

/// So many slots as there are.
const ALL_SLOTS: usize = 64;

/// Longest time that an event waits when every hint is lost (DESIGN, section 3).
const POLL_EVERY: Duration = Duration::from_millis(250);

/// Slots with news that are worth a batch beside another one of this process. Fewer wait until that one is done, and are then
/// decided together: each batch has costs of its own, whatever is in it.
const SLOTS_BESIDE: u32 = 16;

/// How long few slots wait for that batch if no further news come. If some do, they wait until they are enough, or until the
/// batch ends, which its time limits see to.
const BESIDE_WAIT: Duration = Duration::from_millis(50);

/// Pause before what another process holds is tried again.
const TAKEN_PAUSE: Duration = Duration::from_millis(10);

/// First pause after a failure; it doubles up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Longest pause after failures: a database that comes back is used within this time.
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// How often the backlog is measured: it is counted, so not at every poll.
const MEASURE_EVERY: u32 = 20;

/// Healers of a process: one prepares a batch while the database works on the other's. More would take the machine from
/// the workers.
pub const HEALERS: u32 = 2;

/// What the tasks of one process share.
struct Shared {
    projector: Projector,
    tenants: Vec<Tenant>,
    lanes: Lanes,
    pressure: Pressure,
    /// How many workers there are.
    workers: u32,
    /// Told when a batch satisfied what cases wait for.
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
    let workers = workers.max(1);
    let shared = Arc::new(Shared {
        projector,
        tenants,
        lanes: Lanes::default(),
        pressure: Pressure::default(),
        workers,
        released: Notify::new(),
    });
    for number in 0..workers {
        let worker = Worker {
            shared: Arc::clone(&shared),
            number,
            proven: BTreeMap::new(),
            width: MAX_SLOTS,
            pause: FIRST_PAUSE,
        };
        shutdown.spawn("project", worker.run(shutdown.clone()));
    }
    shutdown.spawn("hear hints", hear(Arc::clone(&shared), listener.subscribe(), shutdown.clone()));
    shutdown.spawn("decide deferred", decide_all_deferred(Arc::clone(&shared), shutdown.clone()));
    for number in 0..HEALERS {
        shutdown.spawn("heal", heal(Arc::clone(&shared), number, shutdown.clone()));
    }
    shutdown.spawn("poll", poll(shared, shutdown.clone()));
}

/// Decides everything that is there, and everything that this releases, then returns. For whoever wants to see the end
/// of it: a demonstration, a replay, a test. Other projectors may be at work at the same time.
pub async fn drain(projector: &Projector, tenant: &Tenant) -> Result<(), BatchError> {
    let mut turn = 0_u32;
    loop {
        let pending = slots::pending(&projector.store.get().await?, tenant.tenant_id).await?;
        let mut has_advanced = false;
        for some in pending.chunks(MAX_SLOTS) {
            let done = projector.project(tenant, some, true).await?;
            has_advanced |= !done.claimed.is_empty();
        }
        let healed = projector.heal(tenant, turn, &mut BTreeSet::new()).await?;
        has_advanced |= healed.decided > 0;
        if pending.is_empty()
            && !healed.more
            && !woken::any(&projector.store.get().await?, tenant.tenant_id).await?
        {
            return Ok(());
        }
        if !has_advanced {
            tokio::time::sleep(TAKEN_PAUSE).await;
        }
        turn = turn.wrapping_add(1);
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
            Ok(Hint::Pressed { .. }) => shared.pressure.tell(shared.projector.clock.mark()),
            Ok(Hint::Reconnected) | Err(broadcast::error::RecvError::Lagged(_)) => {
                for tenant in &shared.tenants {
                    shared.lanes.mark(tenant.tenant_id, u64::MAX);
                }
            }
            Ok(Hint::Decided { .. } | Hint::Accounts { .. }) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// Decides released cases anew, lane after lane, and rests when there are none.
async fn heal(shared: Arc<Shared>, number: u32, shutdown: Shutdown) {
    // Not the same lanes at the same time.
    let mut turn = number.wrapping_mul(3);
    let mut failing = FIRST_PAUSE;
    let mut proven: BTreeMap<i32, BTreeSet<Lane>> = BTreeMap::new();
    while !shutdown.has_begun() {
        let mut rest = Some(POLL_EVERY);
        for tenant in &shared.tenants {
            let proven = proven.entry(tenant.tenant_id).or_default();
            match shared.projector.heal(tenant, turn, proven).await {
                Ok(done) if done.decided > 0 => {
                    shared.released.notify_one();
                    rest = None;
                }
                // Others are at all lanes that have any.
                Ok(done) if done.more => rest = rest.map(|rest| rest.min(TAKEN_PAUSE)),
                Ok(_) => {}
                Err(error) => {
                    report(tenant.tenant_id, &error);
                    failing = failing.saturating_mul(2).min(MAX_PAUSE);
                    rest = Some(failing);
                }
            }
        }
        turn = turn.wrapping_add(1);
        let Some(rest) = rest else {
            failing = FIRST_PAUSE;
            continue;
        };
        tokio::select! {
            () = shared.released.notified() => {}
            () = tokio::time::sleep(rest) => {}
            () = shutdown.token().cancelled_owned() => {}
        }
    }
}

/// Polls for slots that have news, and measures how many.
async fn poll(shared: Arc<Shared>, shutdown: Shutdown) {
    let mut beat = 0_u32;
    let mut pause = POLL_EVERY;
    while !shutdown.has_begun() {
        let mut failed = false;
        for tenant in &shared.tenants {
            if let Err(error) = poll_once(&shared, tenant, beat.is_multiple_of(MEASURE_EVERY)).await
            {
                report(tenant.tenant_id, &error);
                failed = true;
            }
        }
        beat = beat.wrapping_add(1);
        pause = if failed { pause.saturating_mul(2).min(MAX_PAUSE) } else { POLL_EVERY };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shutdown.token().cancelled_owned() => {}
        }
    }
}

async fn poll_once(shared: &Shared, tenant: &Tenant, measured: bool) -> Result<(), BatchError> {
    let pending = slots::pending(&shared.projector.store.get().await?, tenant.tenant_id).await?;
    shared.lanes.mark(tenant.tenant_id, mask_of(&pending));
    if measured { measure(shared, tenant.tenant_id).await } else { Ok(()) }
}

/// Keeps the backlog as metrics.
async fn measure(shared: &Shared, tenant_id: i32) -> Result<(), BatchError> {
    let projector = &shared.projector;
    let backlog = slots::backlog(&projector.store.get().await?, tenant_id).await?;
    let waited = |oldest| projector.clock.now().duration_since(oldest).unsigned_abs();
    let lag = backlog.oldest.map_or(Duration::ZERO, waited);
    shared.pressure.measured(tenant_id, lag);
    let events = u32::try_from(backlog.events).unwrap_or(u32::MAX);
    let tenant = tenant_id.to_string();
    metrics::gauge!("tally_events_unprojected", "tenant" => tenant.clone()).set(f64::from(events));
    metrics::gauge!("tally_projection_lag_seconds", "tenant" => tenant).set(lag.as_secs_f64());
    Ok(())
}

/// Once, after the start: what older rules deferred, these may understand.
async fn decide_all_deferred(shared: Arc<Shared>, shutdown: Shutdown) {
    for tenant in &shared.tenants {
        shared.projector.decide_all_deferred(tenant, &shutdown).await;
    }
}

/// One worker: takes slots in turn and projects them.
struct Worker {
    shared: Arc<Shared>,
    number: u32,
    /// Slots of each tenant, as bits, of which this process decided a batch since it started or last failed there. For the
    /// others the try is counted first, so that an event that kills the process is found out.
    proven: BTreeMap<i32, u64>,
    /// How many slots it takes at most.
    width: usize,
    pause: Duration,
}

impl Worker {
    async fn run(mut self, shutdown: Shutdown) {
        let mut news = self.shared.lanes.watch();
        let mut turn = self.number.wrapping_mul(21);
        let mut beside = SLOTS_BESIDE;
        while !shutdown.has_begun() {
            news.borrow_and_update();
            let begun = self.shared.projector.clock.mark();
            let mut busy = false;
            for number in 0..self.shared.tenants.len() {
                busy |= self.step(number, turn, beside).await;
            }
            turn = turn.wrapping_add(5);
            beside = SLOTS_BESIDE;
            if busy {
                let Shared { projector, pressure, workers, .. } = &*self.shared;
                pressure.give_way(&projector.clock, begun, *workers).await;
            } else {
                tokio::select! {
                    _ = news.changed() => {}
                    () = tokio::time::sleep(BESIDE_WAIT) => beside = 1,
                    () = shutdown.token().cancelled_owned() => {}
                }
            }
        }
    }

    /// Projects some slots of one tenant; whether there were any.
    async fn step(&mut self, number: usize, turn: u32, beside: u32) -> bool {
        let shared = Arc::clone(&self.shared);
        let Some(tenant) = shared.tenants.get(number) else { return false };
        let wanted = shared.lanes.take(tenant.tenant_id, turn, self.width, beside);
        if wanted.is_empty() {
            return false;
        }
        let mask = mask_of(&wanted);
        let proven = self.proven.entry(tenant.tenant_id).or_default();
        let outcome = shared.projector.project(tenant, &wanted, *proven & mask != mask).await;
        shared.lanes.give_back(tenant.tenant_id, mask);
        match outcome {
            Ok(done) => {
                *proven |= mask_of(&done.claimed);
                self.pause = FIRST_PAUSE;
                // A few events in many slots are best decided together; a backlog is shared with others.
                self.width = if done.more { MAX_SLOTS } else { ALL_SLOTS };
                self.after(tenant, &done);
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

    /// Passes on what a batch left to do. Of slots that another process holds nothing is to be done: it has the same hints, and
    /// should it be killed, polling finds what it left.
    fn after(&self, tenant: &Tenant, done: &Done) {
        if done.woken > 0 {
            self.shared.released.notify_one();
        }
        self.shared.lanes.mark(tenant.tenant_id, mask_of(&done.unfinished));
    }
}

fn report(tenant_id: i32, error: &BatchError) {
    if error.is_transient() {
        tracing::warn!(tenant.id = tenant_id, %error, "a batch has to wait");
    } else {
        tracing::error!(tenant.id = tenant_id, %error, "a batch failed; it is tried in smaller parts");
    }
}
