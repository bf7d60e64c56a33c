//! `tally up`: everything, on one machine, for whoever builds an app against it. A private Postgres unless one is given,
//! the schema, a webhook secret and API keys, all services.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use rules::reference::SigningKeys;
use service::clock::Clock;
use service::shutdown::Shutdown;
use service::telemetry::init_logs;
use store::keys::{self, KeyText};
use store::tenant::{self, Tenant};
use store::{Role as DatabaseRole, Store};
use stripe::signature::Secret;

use crate::config::environment::{Setting, Source};
use crate::config::error::ConfigError;
use crate::config::variables::{DATA_DIR, DATABASE_URL, SIGNING_KEY, URL, WEBHOOK_SECRET};
use crate::config::{DevEnv, Mode, Settings, parse_address, url_of};
use crate::data_dir::{self, DEV_ENV, KEYS, POSTGRES};
use crate::database::Database;
use crate::exit::Exit;
use crate::process::{self, Plan, Role};
use crate::{output, secrets};

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
        let mut settings = Settings::load(DevEnv::Ignore)?;
        let filter = settings.log_filter.as_ref().map(|filter| filter.value.as_str());
        init_logs(filter, settings.log_format.value)?;
        if settings.mode.as_ref().is_some_and(|mode| mode.value.is_live()) {
            bail!(
                "`up` is for test mode: live money wants `tally serve` on a database that is backed up"
            );
        }
        if let Some(listen) = self.listen {
            settings.listen = Setting { value: listen, source: Source::Option("--listen") };
        }
        let usual = settings.data_dir.as_ref().map(|folder| folder.value.clone());
        let folder = self.data_dir.or(usual).ok_or(ConfigError::Missing {
            name: DATA_DIR.name,
            what_to_do: "there is no home folder; say where to keep data, here or with --data-dir",
        })?;
        data_dir::make(&folder).with_context(|| format!("making {}", folder.display()))?;

        let shutdown = Shutdown::new();
        shutdown.on_signals()?;
        let database = match &settings.database {
            Some(given) => Database::given(&given.value),
            None => Database::private(Some(folder.join(POSTGRES))).await?,
        };
        let served = Box::pin(serve(settings, &folder, &database, &shutdown)).await;
        database.stop().await?;
        served?;
        Ok(Exit::Fine)
    }
}

/// Makes what is missing, and serves until the shutdown begins.
async fn serve(
    mut settings: Settings,
    folder: &Path,
    database: &Database,
    shutdown: &Shutdown,
) -> anyhow::Result<()> {
    let mut lines = data_dir::read_dev_env(&folder.join(DEV_ENV))?;
    if settings.tenants.len() == 1 {
        add_webhook_secret(&mut settings, &mut lines)?;
    }
    add_signing_key(&mut settings, &mut lines)?;
    let _applied = migrations::run(&database.url.expose_for_sqlx()).await?;
    let plan = Plan::new(&settings, Role::ALL.into(), Mode::Test, &database.url)?;
    let store = Store::connect(&database.url, DatabaseRole::Login, 1)?;
    let mut tenants = Vec::new();
    for named in &plan.tenants {
        let now = Clock::system().now();
        tenants.push(tenant::ensure(&store, &named.name, false, now).await?);
    }
    if let Some(first) = tenants.first() {
        make_keys(&store, first, &mut lines).await?;
    }
    drop(store);

    let running = process::start(&plan, shutdown).await?;
    if let Some(public) = running.public.filter(|_| !shutdown.has_begun()) {
        let url = url_of(public);
        lines.insert(URL.name.to_owned(), url.clone());
        match &database.private_url {
            Some(url) => lines.insert(DATABASE_URL.name.to_owned(), url.clone()),
            None => lines.remove(DATABASE_URL.name),
        };
        data_dir::write_dev_env(folder, &lines)
            .with_context(|| format!("writing {}", folder.join(DEV_ENV).display()))?;
        output::data(&format!("ready {url}"))?;
    }
    running.end(shutdown).await
}

/// Accepts what is signed with a secret of our own making as well, so that `tally simulate` needs no setting, also where
/// Stripe's CLI has another.
fn add_webhook_secret(
    settings: &mut Settings,
    lines: &mut BTreeMap<String, String>,
) -> anyhow::Result<()> {
    let text = lines.entry(WEBHOOK_SECRET.name.to_owned()).or_insert_with(secrets::webhook_secret);
    let own = Secret::parse(text).with_context(|| format!("reading {DEV_ENV}"))?;
    let given = settings.webhook_secrets.get_or_insert_with(|| Setting::default(Vec::new()));
    given.value.push(own);
    Ok(())
}

/// Signs with a key of our own making where none is given.
fn add_signing_key(
    settings: &mut Settings,
    lines: &mut BTreeMap<String, String>,
) -> anyhow::Result<()> {
    let text = lines.entry(SIGNING_KEY.name.to_owned()).or_insert_with(secrets::signing_key);
    if settings.signing_keys.is_none() {
        let own = SigningKeys::parse(text).with_context(|| format!("reading {DEV_ENV}"))?;
        settings.signing_keys = Some(Setting::default(own));
    }
    Ok(())
}

/// Makes an API key of each role, unless there is one that still opens something.
async fn make_keys(
    store: &Store,
    tenant: &Tenant,
    lines: &mut BTreeMap<String, String>,
) -> anyhow::Result<()> {
    let now = Clock::system().now();
    for (role, variable) in KEYS {
        let kept = lines.get(variable.name).and_then(|text| KeyText::parse(text));
        if let Some(text) = kept {
            let key = keys::find(&store.get().await?, &[tenant.tenant_id], &text).await?;
            if key.is_some_and(|key| key.role == role && key.is_valid(now)) {
                continue;
            }
        }
        let text = secrets::make_key(store, tenant, role, "up").await?;
        lines.insert(variable.name.to_owned(), text.expose().to_owned());
    }
    Ok(())
}
