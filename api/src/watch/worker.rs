//! The task that looks: at what hints are about, and now and then at everything.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use store::Error;
use store::notify::Hint;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};

use super::{Shared, Sight};
use crate::waiter::{LOOK_PAUSE, POLL_EVERY};

/// Looking at everything may take this part of the time; where so much is watched that it takes longer, it is done less often.
const SWEEP_SHARE: u32 = 8;

/// Looks until it is aborted.
pub(super) async fn run<S: Sight>(shared: Arc<Shared<S>>, mut hints: Receiver<Hint>) {
    let mut next_sweep = Instant::now();
    let mut next_look = Instant::now();
    let mut heard = Heard::default();
    loop {
        tokio::select! {
            hint = hints.recv() => heard.hear(hint),
            () = shared.newcomer.notified() => {}
            () = sleep_until(next_sweep) => heard.everything = true,
        }
        // Under load hints come every few milliseconds: what they are about is looked at together.
        sleep_until(next_look).await;
        while let Ok(hint) = hints.try_recv() {
            heard.hear(Ok(hint));
        }
        let (is_sweep, keys) = std::mem::take(&mut heard).keys(&shared);
        let begun = Instant::now();
        if let Err(error) = look(&shared, &keys).await {
            tracing::warn!(%error, "{} that are watched cannot be read", S::NAME);
            next_sweep = later(POLL_EVERY);
        } else if is_sweep {
            next_sweep = later(POLL_EVERY.max(begun.elapsed().saturating_mul(SWEEP_SHARE)));
        }
        next_look = later(LOOK_PAUSE.max(begun.elapsed()));
    }
}

fn later(pause: Duration) -> Instant {
    Instant::now().checked_add(pause).unwrap_or_else(Instant::now)
}

/// What was heard since the last look.
#[derive(Default)]
struct Heard {
    everything: bool,
    hints: Vec<Hint>,
}

impl Heard {
    fn hear(&mut self, hint: Result<Hint, RecvError>) {
        match hint {
            Ok(Hint::Reconnected) | Err(RecvError::Lagged(_)) => self.everything = true,
            Ok(hint) => {
                // Of many that say the same, one is enough.
                if self.hints.last() != Some(&hint) {
                    self.hints.push(hint);
                }
            }
            // Without a listener time alone tells when to look.
            Err(RecvError::Closed) => {}
        }
    }

    /// Whether everything is to be looked at, and what that, or else what was heard of, is.
    fn keys<S: Sight>(self, shared: &Shared<S>) -> (bool, BTreeSet<S::Key>) {
        let mut watched = shared.watched();
        let mut keys = watched.take_newcomers();
        let mut everything = self.everything;
        for hint in &self.hints {
            match S::named(hint, &watched) {
                Some(named) => keys.extend(named.into_iter().cloned()),
                None => everything = true,
            }
        }
        if everything { (true, watched.all()) } else { (false, keys) }
    }
}

/// Looks at these, and tells those who watch them.
async fn look<S: Sight>(shared: &Shared<S>, keys: &BTreeSet<S::Key>) -> Result<(), Error> {
    let keys: Vec<&S::Key> = keys.iter().collect();
    // Sorted by tenant: each has its own statements.
    for of_tenant in keys.chunk_by(|one, other| S::tenant_id(one) == S::tenant_id(other)) {
        let Some(tenant_id) = of_tenant.first().map(|key| S::tenant_id(key)) else { continue };
        for some in of_tenant.chunks(S::LOOK_MAX) {
            let seen = shared.sight.look(tenant_id, some).await?;
            let watched = shared.watched();
            for (key, seen) in some.iter().zip(seen) {
                watched.tell(key, seen);
            }
        }
    }
    Ok(())
}
