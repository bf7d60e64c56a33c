//! The trace of what was refused at the door, bounded in every direction: how many wait in memory, how many are written
//! in a second, and (by the store) how many are kept. Whoever refuses never waits for it. Under a flood it is a sample.

use std::net::SocketAddr;
use std::time::Duration;

use http::HeaderMap;
use service::ids::time_ordered;
use service::shutdown::Shutdown;
use sha2::{Digest as _, Sha256};
use store::rejected::{Reason, Rejected, insert_batch};
use tokio::sync::mpsc;

use crate::Outside;
use crate::event::user_agent;

/// How many may wait to be written, which is also how many are written at a time.
const WAITING_MAX: usize = 64;

/// Pause between two writes. With the size of a write it bounds what strangers can make the database do.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// A delivery that was refused.
pub(crate) struct Refused<'a> {
    pub(crate) tenant_id: i32,
    pub(crate) reason: Reason,
    pub(crate) endpoint: Option<&'a str>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) peer: Option<SocketAddr>,
    /// Its bytes, if they were read.
    pub(crate) body: Option<&'a [u8]>,
}

/// Where refusals are noted.
pub(crate) struct Rejections {
    notes: mpsc::Sender<(i32, Rejected)>,
    outside: Outside,
}

impl Rejections {
    /// Notes a refusal, unless too many wait already.
    pub(crate) fn note(&self, refused: &Refused<'_>) {
        // A place first: under a flood, hashing what nobody writes down would be the dearest part of refusing.
        let Ok(place) = self.notes.try_reserve() else {
            metrics::counter!("tally_ingest_rejections_untraced_total").increment(1);
            return;
        };
        let at = self.outside.clock.now();
        let rejected = Rejected {
            id: time_ordered(at),
            at,
            reason: refused.reason,
            endpoint: refused.endpoint.map(ToOwned::to_owned),
            user_agent: user_agent(refused.headers),
            peer: refused.peer.map(|peer| peer.ip().to_string()),
            body_sha256: refused.body.map(|body| Sha256::digest(body).into()),
        };
        place.send((refused.tenant_id, rejected));
    }
}

/// Starts the task that writes. It ends, after a last write, when the [`Rejections`] are dropped.
pub(crate) fn start(outside: &Outside, shutdown: &Shutdown) -> Rejections {
    let (notes, waiting) = mpsc::channel(WAITING_MAX);
    shutdown.spawn("ingest rejections", write_all(waiting, outside.clone(), shutdown.clone()));
    Rejections { notes, outside: outside.clone() }
}

async fn write_all(
    mut waiting: mpsc::Receiver<(i32, Rejected)>,
    outside: Outside,
    shutdown: Shutdown,
) {
    let begun = shutdown.token();
    let mut taken = Vec::with_capacity(WAITING_MAX);
    while waiting.recv_many(&mut taken, WAITING_MAX).await > 0 {
        // In order of tenant, so that each is one run.
        taken.sort_by_key(|(tenant_id, _)| *tenant_id);
        for run in taken.chunk_by(|(one, _), (other, _)| one == other) {
            write(&outside, run).await;
        }
        taken.clear();
        begun.run_until_cancelled(tokio::time::sleep(WRITE_EVERY)).await;
    }
}

/// Writes one tenant's. If that fails they are lost, and that is all right: nothing was promised.
async fn write(outside: &Outside, run: &[(i32, Rejected)]) {
    let Some((tenant, _)) = run.first() else { return };
    let rejected: Vec<_> = run.iter().map(|(_, rejected)| rejected.clone()).collect();
    if let Err(error) = insert_batch(&outside.store, *tenant, &rejected).await {
        tracing::warn!(tenant, %error, "the trace of {} refused deliveries is lost", rejected.len());
    }
}
