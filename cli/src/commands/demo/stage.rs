//! What the demonstration happens on: a database, a tenant of its own, all services, and whoever speaks to them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rules::reference::SigningKeys;
use secrecy::SecretString;
use service::clock::Clock;
use service::shutdown::Shutdown;
use store::keys::KeyRole;
use store::tenant::{self, Tenant};
use store::{PgUrl, Role as DatabaseRole, Store};
use stripe::signature::Secret;

use crate::client::Client;
use crate::config::tenants::{EndpointSettings, TenantSettings};
use crate::config::{Mode, Settings, url_of};
use crate::database::Database;
use crate::deliver::Sender;
use crate::output::say;
use crate::process::{self, Plan, Role, Running};
use crate::secrets;

/// How the demonstration's tenants are called.
const TENANT_PREFIX: &str = "demo-";

/// An address that nobody else has.
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Longest wait for a fact. It comes within milliseconds, or something is broken.
const FACT_MAX: Duration = Duration::from_secs(30);

/// How often is looked for it.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// All that is needed.
pub(super) struct Stage {
    /// Its tenant.
    pub(super) tenant: Tenant,
    /// To look at what stands there.
    pub(super) store: Store,
    /// Where the services are.
    pub(super) url: String,
    /// Stripe.
    pub(super) stripe: Sender,
    /// The app's server.
    pub(super) app: Client,
    /// Support staff.
    pub(super) support: Client,
    /// Whoever keeps the prices.
    pub(super) admin: Client,
    running: Running,
    database: Database,
}

impl Stage {
    /// Sets it: in the database that is given, or in a private one.
    pub(super) async fn set(settings: &Settings, shutdown: &Shutdown) -> anyhow::Result<Self> {
        let database = if let Some(given) = &settings.database {
            Database::given(&given.value)
        } else {
            say("starting a private Postgres …");
            Database::private(None).await?
        };
        prepare(&database.url, settings).await?;
        let store = Store::connect(&database.url, DatabaseRole::Login, 2)?;
        let tenant = new_tenant(&store).await?;
        say("starting ingest, projector, keeper and api …");
        let secret = Secret::parse(&secrets::webhook_secret()).context("making a secret")?;
        let direct = settings.direct_database.as_ref().map(|direct| direct.value.clone());
        let plan = Plan {
            roles: Role::ALL.into(),
            direct_url: direct.unwrap_or_else(|| database.url.clone()),
            url: database.url.clone(),
            listen: ANY_PORT,
            admin_listen: ANY_PORT,
            alias_root: false,
            stripe_api_base: settings.stripe_api_base.value.clone(),
            access: api::Access::default(),
            signing_keys: Some(
                SigningKeys::parse(&secrets::signing_key()).context("making a key")?,
            ),
            tenants: vec![tenant_settings(&tenant, secret.clone())],
            modes: vec![Mode::Test],
        };
        let running = process::start(&plan, shutdown).await?;
        let url = url_of(running.public.context("nothing is served")?);
        let client = async |role| {
            let key = secrets::make_key(&store, &tenant, role, "demo").await?;
            Client::new(&url, SecretString::from(key.expose()))
        };
        Ok(Self {
            stripe: Sender::new(&url, secret)?,
            app: client(KeyRole::App).await?,
            support: client(KeyRole::Support).await?,
            admin: client(KeyRole::Admin).await?,
            tenant,
            store,
            url,
            running,
            database,
        })
    }

    /// Looks until there is something to see.
    pub(super) async fn wait_for<T>(
        &self,
        what: &str,
        mut look: impl AsyncFnMut(&Self) -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let looking = async {
            loop {
                if let Some(seen) = look(self).await? {
                    return Ok(seen);
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let in_vain = || format!("waiting for {what}: it did not come within {FACT_MAX:?}");
        tokio::time::timeout(FACT_MAX, looking).await.with_context(in_vain)?
    }

    /// Ends everything, after the shutdown began.
    pub(super) async fn clear(self, shutdown: &Shutdown) -> anyhow::Result<()> {
        self.running.end(shutdown).await?;
        self.database.stop().await
    }
}

/// Makes the schema where there is none. One of another version is not touched: it is somebody's.
async fn prepare(url: &PgUrl, settings: &Settings) -> anyhow::Result<()> {
    let direct = settings.direct_database.as_ref().map_or(url, |direct| &direct.value);
    match migrations::version(&direct.expose_for_sqlx()).await? {
        None => {
            let _all = migrations::run(&direct.expose_for_sqlx()).await?;
            Ok(())
        }
        Some(migrations::SCHEMA_VERSION) => Ok(()),
        Some(other) => {
            bail!("the database has schema {other}, not this program's; see `tally doctor`")
        }
    }
}

/// The next tenant of a demonstration.
async fn new_tenant(store: &Store) -> anyhow::Result<Tenant> {
    let tenants = tenant::list(&store.get().await?).await?;
    let number = |tenant: &Tenant| tenant.name.strip_prefix(TENANT_PREFIX)?.parse::<u32>().ok();
    let last = tenants.iter().filter_map(number).max().unwrap_or_default();
    let name = format!("{TENANT_PREFIX}{}", last.saturating_add(1));
    Ok(tenant::ensure(store, &name, false, Clock::system().now()).await?)
}

fn tenant_settings(tenant: &Tenant, secret: Secret) -> TenantSettings {
    let endpoint = EndpointSettings { name: None, mode: Mode::Test, secrets: vec![secret] };
    TenantSettings {
        name: tenant.name.clone(),
        endpoints: vec![endpoint],
        ..TenantSettings::of_default()
    }
}
