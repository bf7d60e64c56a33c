//! What the handlers share.

use std::ops::Deref;
use std::sync::Arc;

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
    inner: Arc<Shared>,
}

/// The inside of an [`ApiState`].
pub struct Shared {
    /// The database, as the API's role.
    pub(crate) store: Store,
    /// What time it is.
    pub(crate) clock: Clock,
    /// Whose key is whose.
    pub(crate) keys: Keys,
    /// Tells the projector that something was appended.
    pub(crate) notifier: Notifier,
    /// Waits for decisions.
    pub(crate) waiter: Waiter,
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
        let waiter = Waiter::new(listener);
        let inner = Shared { store, clock, keys: Keys::new(tenants), notifier, waiter };
        Self { inner: Arc::new(inner) }
    }

    /// A connection to the database, borrowed until it is dropped.
    pub(crate) async fn client(&self) -> Result<Client, RouteError> {
        Ok(self.store.get().await?)
    }
}

impl Deref for ApiState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.inner
    }
}
