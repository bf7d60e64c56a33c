//! `tally migrate`: brings the schema up to date, and makes the tenants that the configuration names.

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use service::clock::Clock;
use store::{PgUrl, Role, Store, tenant};

use crate::config::{DevEnv, Mode, Settings};
use crate::exit::Exit;
use crate::output::Format;

/// Bring the database's schema up to date, and make the tenants
///
/// It may be run at any time, also twice at once, and does nothing where nothing is missing. It needs DATABASE_DIRECT_URL
/// where DATABASE_URL leads to a connection pooler. Tenants are made for TALLY_MODE (test, if it is not set); live mode
/// brings its test mode along.
#[derive(Debug, Args)]
pub(crate) struct Migrate {}

/// What was done, and what stands there then.
#[derive(Debug, Serialize)]
struct Migrated {
    /// Migrations that were applied.
    applied: Vec<i64>,
    /// Version of the schema.
    schema_version: i64,
    /// Tenants that there are for this configuration.
    tenants: Vec<TenantLine>,
}

/// One tenant.
#[derive(Debug, Serialize)]
struct TenantLine {
    id: i32,
    name: String,
    mode: &'static str,
}

impl Migrate {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        let settings = Settings::load(DevEnv::Ignore)?;
        let direct = settings.direct_database.as_ref().map(|url| &url.value);
        let url = direct.map_or_else(|| settings.require_database(), Ok)?;
        let mode = settings.mode.as_ref().map_or(Mode::Test, |mode| mode.value);
        let applied = migrations::run(&url.expose_for_sqlx()).await?.versions;
        let migrated = Migrated {
            applied,
            schema_version: migrations::SCHEMA_VERSION,
            tenants: make_tenants(url, &settings, mode).await?,
        };
        format.answer(&migrated, text)?;
        Ok(Exit::Fine)
    }
}

async fn make_tenants(
    url: &PgUrl,
    settings: &Settings,
    mode: Mode,
) -> anyhow::Result<Vec<TenantLine>> {
    let store = Store::connect(url, Role::Login, 1)?;
    let clock = Clock::system();
    let mut lines = Vec::new();
    for tenant in &settings.tenants {
        for mode in settings.modes(mode) {
            let made = tenant::ensure(&store, &tenant.name, mode.is_live(), clock.now()).await;
            let made = made.with_context(|| format!("making tenant {}", tenant.name))?;
            lines.push(TenantLine { id: made.tenant_id, name: made.name, mode: mode.name() });
        }
    }
    Ok(lines)
}

fn text(migrated: &Migrated) -> String {
    let Migrated { applied, schema_version, tenants } = migrated;
    let what = match applied.len() {
        0 => "was up to date".to_owned(),
        1 => "1 migration applied".to_owned(),
        count => format!("{count} migrations applied"),
    };
    let tenants =
        tenants.iter().map(|one| format!("\ntenant {} {} ({})", one.id, one.name, one.mode));
    format!("schema {schema_version}: {what}{}", tenants.collect::<String>())
}
