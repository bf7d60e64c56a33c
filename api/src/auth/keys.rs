//! API keys, looked up and remembered for a moment.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use moka::future::Cache;
use store::keys::{Key, KeyText};
use store::tenant::Tenant;
use store::{Store, keys};

use crate::error::RouteError;

/// How long an answer is remembered: a key that is revoked opens nothing after this time.
const REMEMBERED: Duration = Duration::from_secs(1);

/// Most keys that are remembered, those that do not exist included.
const REMEMBERED_MAX: u64 = 10_000;

/// How exactly the time of a key's last use is kept. A write for each request would be the only one of most requests.
const LAST_USED_STEP: SignedDuration = SignedDuration::from_secs(60);

/// The keys of the tenants that are served.
pub(crate) struct Keys {
    live: Vec<i32>,
    test: Vec<i32>,
    /// By the SHA-256 of the key's text, so that no text stays in memory.
    remembered: Cache<[u8; 32], Option<Arc<Key>>>,
}

impl Keys {
    /// Keys of these tenants; those of others open nothing.
    pub(crate) fn new(tenants: &[Tenant]) -> Self {
        let of_mode = |livemode: bool| {
            let tenants = tenants.iter().filter(|tenant| tenant.livemode == livemode);
            tenants.map(|tenant| tenant.tenant_id).collect()
        };
        let remembered =
            Cache::builder().time_to_live(REMEMBERED).max_capacity(REMEMBERED_MAX).build();
        Self { live: of_mode(true), test: of_mode(false), remembered }
    }

    /// The key with this text, if it opens anything at `now`.
    pub(crate) async fn look_up(
        &self,
        store: &Store,
        text: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<Key>>, RouteError> {
        let Some(text) = KeyText::parse(text) else { return Ok(None) };
        // Of those who come with it at once one looks it up: a connection for each would be more than there are.
        let key = self.remembered.try_get_with(text.hash(), self.read(store, &text, now)).await?;
        Ok(key.filter(|key| key.is_valid(now)))
    }

    async fn read(
        &self,
        store: &Store,
        text: &KeyText,
        now: Timestamp,
    ) -> Result<Option<Arc<Key>>, store::Error> {
        let tenants = if text.livemode() { &self.live } else { &self.test };
        let client = store.get().await?;
        let Some(key) = keys::find(&client, tenants, text).await? else { return Ok(None) };
        let is_fresh =
            key.last_used_at.is_some_and(|last| now.duration_since(last) < LAST_USED_STEP);
        if key.is_valid(now) && !is_fresh {
            // A database that only reads still answers who may read.
            if let Err(error) = keys::touch(&client, key.tenant_id, &key.key_id, now).await {
                tracing::warn!(%error, key = key.key_id, "cannot note that a key was used: {error}");
            }
        }
        Ok(Some(Arc::new(key)))
    }
}
