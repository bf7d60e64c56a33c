//! `tally up`: everything, on one machine, for whoever builds an app against it. A private Postgres unless one is given,
//! the schema, a webhook secret and API keys, all services.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use secrecy::ExposeSecret as _;
use service::clock::Clock;
use service::shutdown::Shutdown;
use service::telemetry::init_logs;
use store::keys::{self, KeyText, NewKey};
use store::tenant::{self, Tenant};
use store::{Role as DatabaseRole, Store};

use crate::config::environment::{Setting, Source};
use crate::config::{DevEnv, Mode, Settings, parse_address, url_of, variables};
use crate::data_dir::{self, DEV_ENV, KEYS, POSTGRES};
use crate::database::Database;
use crate::exit::Exit;
use crate::output;
use crate::process::{self, Plan, Role};
use crate::secrets;

/// Serve everything on this machine, in test mode, until stopped
///
/// Starts a private Postgres in the data folder unless DATABASE_URL names one, brings the schema up to date, makes a
/// webhook secret and one API key of each role where they are missing, and keeps them in dev.env in the data folder, where
/// other commands find them. Prints `ready http://…` on stdout as soon as it serves.
#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Folder that keeps the database and dev.env [default: TALLY_DATA_DIR, else a folder of this user's]
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Address to serve at [default: TALLY_LISTEN, else 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    listen: Option<SocketAddr>,
}

impl Up {
    pub(crate) async fn run(self) -> anyhow::Result<Exit> {
        let mut settings = match &self.data_dir {
            Some(folder) => Settings::load(DevEnv::In(folder))?,
            None => Settings::load(DevEnv::Read)?,
        };
        if let Some(listen) = self.listen {
            settings.listen = Setting { value: listen, source: Source::Option("--listen") };
        }
        let filter = settings.log_filter.as_ref().map(|filter| filter.value.as_str());
        init_logs(filter, settings.log_format.value)?;
        if settings.mode.as_ref().is_some_and(|mode| mode.value.is_live()) {
            bail!("`up` is for test mode: live money wants `tally serve` on a database that is backed up");
        }
        let shutdown = Shutdown::new();
        shutdown.on_signals()?;
        let database = open_database(&settings).await?;
        let served = serve(settings, &database, &shutdown).await;
        database.stop().await?;
        served?;
        Ok(Exit::Fine)
    }
}

/// The database that is given, else a private one in the data folder. What `dev.env` says of one is of a former run.
async fn open_database(settings: &Settings) -> anyhow::Result<Database> {
    let is_given = |url: &&Setting<_>| !matches!(url.source, Source::File(_));
    if let Some(url) = settings.database.as_ref().filter(is_given) {
        return Ok(Database::given(&url.value));
    }
    let folder = &settings.data_dir.value;
    data_dir::make(folder).with_context(|| format!("making {}", folder.display()))?;
    Database::private(Some(folder.join(POSTGRES))).await
}

async fn serve(
    mut settings: Settings,
    database: &Database,
    shutdown: &Shutdown,
) -> anyhow::Result<()> {
    let _applied = migrations::run(database.url.expose()).await?;
    let store = Store::connect(&database.url, DatabaseRole::Login, 1)?;
    let mut lines = BTreeMap::new();
    make_webhook_secret(&mut settings, &mut lines)?;
    let signing_key = settings.signing_key.as_ref().map(|key| key.value.expose_secret().to_owned());
    lines.insert(variables::SIGNING_KEY.name, signing_key.unwrap_or_else(secrets::signing_key));
    let plan = Plan::new(&settings, Role::ALL.into(), Mode::Test, &database.url)?;
    for (number, named) in plan.tenants.iter().enumerate() {
        let tenant = tenant::ensure(&store, &named.name, false, Clock::system().now()).await?;
        if number == 0 {
            make_keys(&settings, &store, &tenant, &mut lines).await?;
        }
    }
    drop(store);

    let running = process::start(&plan, shutdown).await?;
    if let Some(public) = running.public.filter(|_| !shutdown.has_begun()) {
        let url = url_of(public);
        lines.insert(variables::URL.name, url.clone());
        if database.is_private() {
            lines.insert(variables::DATABASE_URL.name, database.url.expose().to_owned());
        }
        let folder = &settings.data_dir.value;
        data_dir::make(folder).and_then(|()| data_dir::write_dev_env(folder, &lines)).with_context(
            || format!("writing {}", folder.join(DEV_ENV).display()),
        )?;
        output::data(&format!("ready {url}"))?;
    }
    running.end(shutdown).await
}

/// Makes a webhook secret if none is set, and keeps the one that `dev.env` has. One of the environment's is kept there.
fn make_webhook_secret(
    settings: &mut Settings,
    lines: &mut BTreeMap<&'static str, String>,
) -> anyhow::Result<()> {
    Ok(())
}

/// Makes an API key of each role, unless `dev.env` has one that still opens something.
async fn make_keys(
    settings: &Settings,
    store: &Store,
    tenant: &Tenant,
    lines: &mut BTreeMap<&'static str, String>,
) -> anyhow::Result<()> {
    let now = Clock::system().now();
    for (role, variable) in KEYS {
        let kept = settings.keys.get(&role).and_then(|key| KeyText::parse(key.value.expose_secret()));
        let found = match &kept {
            Some(text) => keys::find(&store.get().await?, &[tenant.tenant_id], text).await?,
            None => None,
        };
        let text = match kept.filter(|_| found.is_some_and(|key| key.is_valid(now) && key.role == role)) {
            Some(text) => text,
            None => {
                let new = NewKey {
                    tenant_id: tenant.tenant_id,
                    livemode: false,
                    role,
                    name: format!("up: {}", role.name()),
                    expires_at: None,
                };
                keys::create(store, &new, now).await?.1
            }
        };
        lines.insert(variable.name, text.expose().to_owned());
    }
    Ok(())
}
