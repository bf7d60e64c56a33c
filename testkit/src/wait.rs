//! Waiting for a fact, the one thing that tests may do with time.

use std::time::Duration;

/// Longest wait for a fact. A fact that holds comes within milliseconds; this much only passes when
/// it never comes, or when the machine is very busy.
pub const WAIT_MAX: Duration = Duration::from_secs(30);

/// How often is looked. The only sleep of all tests.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until there is something to see, and returns it.
///
/// # Panics
/// After [`WAIT_MAX`], naming `what` did not come.
pub async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let Ok(seen) = tokio::time::timeout(WAIT_MAX, looking).await else {
        panic!("waited {} s in vain for: {what}", WAIT_MAX.as_secs());
    };
    seen
}
