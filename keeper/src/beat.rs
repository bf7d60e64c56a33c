//! The pause between two looks: a second, and after failures longer and longer.

use std::time::Duration;

use service::shutdown::Shutdown;
use store::Error;
use tokio_util::sync::CancellationToken;

/// How often is looked. Whoever waits for time to pass, or for an app to make its user, does not feel a second.
const BEAT: Duration = Duration::from_secs(1);

/// Longest pause after failures: what fails for long (a wrong query) fills no log, and what comes back is used soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// When one of the keeper's tasks looks again.
pub(crate) struct Beat {
    /// What the task does, for logs and metrics.
    what: &'static str,
    tenant_id: i32,
    begun: CancellationToken,
    pause: Duration,
}

impl Beat {
    pub(crate) fn new(what: &'static str, tenant_id: i32, shutdown: &Shutdown) -> Self {
        Self { what, tenant_id, begun: shutdown.token(), pause: BEAT }
    }

    /// Waits after a look that told so many facts, or failed. False once the shutdown has begun.
    pub(crate) async fn after(&mut self, told: Result<u64, Error>) -> bool {
        match told {
            Ok(facts) => {
                metrics::counter!("tally_keeper_facts_total", "task" => self.what).increment(facts);
                self.pause = BEAT;
            }
            Err(error) => {
                self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
                let Self { what, tenant_id, pause, .. } = self;
                tracing::warn!(tenant.id = tenant_id, %error, "{what}: trying again in {pause:?}: {error}");
            }
        }
        self.begun.run_until_cancelled(tokio::time::sleep(self.pause)).await.is_some()
    }
}
