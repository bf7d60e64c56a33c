//! The services of a process's roles, each with its own connections, which act as its role in the database.

use std::collections::BTreeMap;

use anyhow::Context as _;
use api::{Access, ApiState};
use axum::Router;
use ingest::pull;
use keeper::Keeper;
use projector::Projector;
use service::clock::Clock;
use service::problem;
use service::shutdown::Shutdown;
use store::Store;
use store::notify::{Listener, Notifier};
use store::units::unit_sync;

use super::plan::Plan;
use super::role::Role;
use super::tenants::{Served, ingest_config};

/// Tasks that project at once in one process. More would wait for the same two or three lanes that are busy.
const PROJECTOR_WORKERS: u32 = 4;

/// Connections of the API, beside those of its batchers: its requests take one for some milliseconds each.
const API_CONNECTIONS: usize = 16;

/// Connections of the API through which balances are read, with plans that are kept.
const API_READ_CONNECTIONS: usize = 8;

/// Connections that a service has beyond those of its tasks: for readiness, for what is rare.
const SPARE_CONNECTIONS: usize = 2;

/// What the services of a process work with.
pub(super) struct Services {
    stores: BTreeMap<Role, Store>,
    any: Store,
    notifier: Notifier,
    clock: Clock,
}

/// What was started.
pub(super) struct Started {
    /// What the public listener serves.
    pub(super) router: Router,
    /// Hints reach the projector as long as this lives.
    pub(super) listener: Option<Listener>,
}

impl Services {
    /// Makes the pools. Nothing is opened yet.
    pub(super) fn connect(plan: &Plan) -> anyhow::Result<Self> {
        let tenants = plan.tenants.len().saturating_mul(plan.modes.len());
        let mut stores = BTreeMap::new();
        for role in &plan.roles {
            let connections = match role {
                // For each tenant one that takes deliveries, and one that pulls.
                Role::Ingest => tenants.saturating_mul(2),
                // The transaction of each worker and healer, and beside it the count of its tries.
                Role::Projector => {
                    let tasks = PROJECTOR_WORKERS.saturating_add(projector::HEALERS);
                    usize::try_from(tasks.saturating_mul(2)).unwrap_or(2)
                }
                Role::Keeper => 1,
                // For each tenant two batches of commands at a time.
                Role::Api => tenants.saturating_mul(2).saturating_add(API_CONNECTIONS),
            };
            let connections = connections.saturating_add(SPARE_CONNECTIONS);
            stores.insert(*role, Store::connect(&plan.url, role.in_database(), connections)?);
        }
        Ok(Self {
            any: stores.values().next().cloned().context("a process without a role")?,
            stores,
            notifier: Notifier::start(&plan.direct_url)?,
            clock: Clock::system(),
        })
    }

    /// A store of one of the roles, to look around with.
    pub(super) const fn any(&self) -> &Store {
        &self.any
    }

    /// Starts the services on these tenants.
    pub(super) fn start(
        &self,
        plan: &Plan,
        served: &[Served],
        shutdown: &Shutdown,
    ) -> anyhow::Result<Started> {
        let mut listener = None;
        let mut router = Router::new();
        for (role, store) in &self.stores {
            match role {
                Role::Ingest => router = router.merge(self.ingest(store, plan, served, shutdown)?),
                Role::Projector => {
                    listener = Some(self.projector(store, plan, served, shutdown)?);
                }
                Role::Keeper => self.keeper(store, plan, served, shutdown)?,
                Role::Api => router = router.merge(self.api(store, plan, served, shutdown)?),
            }
            tracing::info!(role = role.name(), "started {role}");
        }
        if !plan.roles.contains(&Role::Api) {
            router = router.fallback(problem::no_such_route);
        }
        Ok(Started { router, listener })
    }

    fn ingest(
        &self,
        store: &Store,
        plan: &Plan,
        served: &[Served],
        shutdown: &Shutdown,
    ) -> anyhow::Result<Router> {
        let outside = ingest::Outside {
            store: store.clone(),
            notifier: self.notifier.clone(),
            clock: self.clock.clone(),
        };
        let pulled: Vec<_> =
            served.iter().filter_map(|one| one.for_pull(&plan.stripe_api_base)).collect();
        pull::start(pulled, pull::Limits::default(), &outside, shutdown)?;
        Ok(ingest::router(ingest_config(plan, served)?, &outside, shutdown)?)
    }

    fn projector(
        &self,
        store: &Store,
        plan: &Plan,
        served: &[Served],
        shutdown: &Shutdown,
    ) -> anyhow::Result<Listener> {
        let listener = Listener::start(&plan.direct_url)?;
        let projector = Projector {
            store: store.clone(),
            notifier: self.notifier.clone(),
            clock: self.clock.clone(),
        };
        let tenants = served.iter().map(Served::for_projector).collect();
        projector::run(projector, tenants, &listener, PROJECTOR_WORKERS, shutdown);
        Ok(listener)
    }

    fn keeper(
        &self,
        store: &Store,
        plan: &Plan,
        served: &[Served],
        shutdown: &Shutdown,
    ) -> anyhow::Result<()> {
        let tenants = served.iter().map(|one| one.for_keeper(&plan.url));
        let tenants = tenants.collect::<anyhow::Result<Vec<_>>>()?;
        keeper::run(&self.act_as_keeper(store), tenants, shutdown);
        Ok(())
    }

    fn api(
        &self,
        store: &Store,
        plan: &Plan,
        served: &[Served],
        shutdown: &Shutdown,
    ) -> anyhow::Result<Router> {
        let tenants: Vec<_> = served.iter().map(|one| one.tenant.clone()).collect();
        let listener = Listener::start_with_accounts(&plan.direct_url)?;
        let (clock, notifier) = (self.clock.clone(), self.notifier.clone());
        let keys = |one: &Served| Some((one.tenant.tenant_id, one.signing_keys.clone()?));
        let reads =
            Store::connect_for_reads(&plan.url, Role::Api.in_database(), API_READ_CONNECTIONS)?;
        let state = ApiState::new(store.clone(), clock, &tenants, notifier, listener, shutdown)
            .with_reads(reads)
            .with_signing_keys(served.iter().filter_map(keys).collect())
            .with_access(Access {
                issuers: served.iter().flat_map(Served::issuers).collect(),
                ..plan.access.clone()
            })?;
        Ok(api::router(state))
    }

    /// Brings units and catalogue to what the configuration says. Whoever projects sees to that, because he is the one who
    /// goes by it; he may not append, so it is done as the keeper.
    pub(super) async fn prepare(&self, plan: &Plan, served: &[Served]) -> anyhow::Result<()> {
        if !plan.roles.contains(&Role::Projector) {
            return Ok(());
        }
        let store = match self.stores.get(&Role::Keeper) {
            Some(store) => store.clone(),
            None => Store::connect(&plan.url, Role::Keeper.in_database(), 1)?,
        };
        let keeper = self.act_as_keeper(&store);
        for Served { tenant, settings, .. } in served {
            if unit_sync(&store, tenant.tenant_id, &settings.units).await? {
                tracing::info!(
                    tenant.id = tenant.tenant_id,
                    "the units of the configuration are new"
                );
            }
            let told = keeper.sync_catalogue(tenant.tenant_id, &settings.catalogue).await?;
            if told > 0 {
                tracing::info!(
                    tenant.id = tenant.tenant_id,
                    told,
                    "{told} prices of the configuration are new"
                );
            }
        }
        Ok(())
    }

    fn act_as_keeper(&self, store: &Store) -> Keeper {
        Keeper { store: store.clone(), notifier: self.notifier.clone(), clock: self.clock.clone() }
    }
}
