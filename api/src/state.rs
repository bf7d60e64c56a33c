//! What the handlers share.

use std::collections::BTreeMap;
use std::sync::Arc;

use rules::hashing::EvidenceKey;
use rules::reference::TenantKeys;
use service::clock::Clock;
use store::notify::{Listener, Notifier};
use store::tenant::Tenant;
use store::{Client, Store};

use crate::auth::Keys;
use crate::error::RouteError;
use crate::waiter::Waiter;

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    /// The database, as the API's role.
    pub(crate) store: Store,
    /// What time it is.
    pub(crate) clock: Clock,
    /// Whose key is whose.
    pub(crate) keys: Arc<Keys>,
    /// Tells the projector that something was appended.
    pub(crate) notifier: Notifier,
    /// Waits for decisions.
    pub(crate) waiter: Arc<Waiter>,
    /// Keys of the hashes of evidence, by tenant.
    pub(crate) evidence_keys: Arc<BTreeMap<i32, EvidenceKey>>,
    /// What checkout references are signed with, by tenant.
    pub(crate) signing_keys: Arc<BTreeMap<i32, TenantKeys>>,
}

impl ApiState {
    /// `store` acts as `Role::Api`; `tenants` are those that are served: keys of others open nothing.
    pub fn new(
        store: Store,
        clock: Clock,
        tenants: &[Tenant],
        notifier: Notifier,
        listener: Listener,
    ) -> Self {
        let evidence_keys = tenants
            .iter()
            .map(|tenant| (tenant.tenant_id, EvidenceKey::new(&tenant.evidence_key)))
            .collect();
        Self {
            store,
            clock,
            keys: Arc::new(Keys::new(tenants)),
            notifier,
            waiter: Arc::new(Waiter::new(listener)),
            evidence_keys: Arc::new(evidence_keys),
            signing_keys: Arc::default(),
        }
    }

    /// The same, able to sign checkout references for these tenants.
    #[must_use]
    pub fn with_signing_keys(self, signing_keys: BTreeMap<i32, TenantKeys>) -> Self {
        Self { signing_keys: Arc::new(signing_keys), ..self }
    }

    /// A connection to the database, borrowed until it is dropped.
    pub(crate) async fn client(&self) -> Result<Client, RouteError> {
        Ok(self.store.get().await?)
    }
}
