//! Doing something again and again: every second, and after a failure less and less often.

use std::time::Duration;

use store::Error;
use tokio_util::sync::CancellationToken;

/// How often is looked. Whoever waits for time to pass, or for an app to make its user, does not feel a second.
const BEAT: Duration = Duration::from_secs(1);

/// Longest pause after failures: what fails for long (a wrong query) fills no log, and what comes back is used soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Does `work` on every beat until `begun` is cancelled. What it returns is how many facts it told.
pub(crate) async fn keep(
    what: &'static str,
    tenant_id: i32,
    begun: &CancellationToken,
    mut work: impl AsyncFnMut() -> Result<u64, Error>,
) {
    let told = metrics::counter!("tally_keeper_facts_total", "work" => what);
    let mut pause = BEAT;
    loop {
        match work().await {
            Ok(facts) => {
                told.increment(facts);
                pause = BEAT;
            }
            Err(error) => {
                pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                tracing::warn!(tenant.id = tenant_id, %error, "keeping {what} failed, trying again in {pause:?}: {error}");
            }
        }
        if begun.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}
