//! What the handlers share.

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
        let (keys, waiter) = (Arc::new(Keys::new(tenants)), Arc::new(Waiter::new(listener)));
        Self { store, clock, keys, notifier, waiter }
    }

    /// A connection to the database, borrowed until it is dropped.
    pub(crate) async fn client(&self) -> Result<Client, RouteError> {
        Ok(self.store.get().await?)
    }
}
