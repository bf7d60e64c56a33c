//! The tenants that a process serves: what the configuration says of them, and what they are called in the database.

use anyhow::{Context as _, bail};
use ingest::{Config, Endpoint, Limits, Tenants, pull};
use rules::hashing::EvidenceKey;
use rules::policy::Policy;
use rules::reference::TenantKeys;
use store::directory::Directory;
use store::{PgUrl, Store, tenant};

use super::plan::Plan;
use crate::config::Mode;
use crate::config::tenants::TenantSettings;

/// A business in one mode.
#[derive(Debug)]
pub(crate) struct Served {
    /// Its row.
    pub(crate) tenant: tenant::Tenant,
    /// What the configuration says of it.
    pub(crate) settings: TenantSettings,
    /// What its checkout references are signed with and verified by.
    pub(crate) signing_keys: Option<TenantKeys>,
}

/// All tenants of the plan, as the database has them.
pub(crate) async fn find(plan: &Plan, store: &Store) -> anyhow::Result<Vec<Served>> {
    let mut served = Vec::new();
    let client = store.get().await?;
    for settings in &plan.tenants {
        for mode in &plan.modes {
            let name = &settings.name;
            let Some(tenant) = tenant::find(&client, name, mode.is_live()).await? else {
                let mode = mode.name();
                bail!(
                    "tenant {name} has no {mode} mode in the database: run tally migrate with TALLY_MODE={mode}"
                );
            };
            let keys = plan.signing_keys.clone();
            let signing_keys = keys.map(|keys| TenantKeys::new(keys, name, tenant.livemode));
            served.push(Served { tenant, settings: settings.clone(), signing_keys });
        }
    }
    Ok(served)
}

/// What ingest is to be told: every endpoint, and whose deliveries it takes.
pub(crate) fn ingest_config(plan: &Plan, served: &[Served]) -> anyhow::Result<Config> {
    let id_of = |name: &str, mode: Mode| {
        let found = served.iter().map(|one| &one.tenant);
        let mut found = found.filter(|one| one.name == name && one.livemode == mode.is_live());
        found.next().map(|tenant| tenant.tenant_id).context("an endpoint has no tenant of its mode")
    };
    let mut endpoints = Vec::new();
    for settings in &plan.tenants {
        for endpoint in &settings.endpoints {
            let test = id_of(&settings.name, Mode::Test)?;
            let tenants = match endpoint.mode {
                Mode::Test => Tenants::Test(test),
                Mode::Live => Tenants::Live { live: id_of(&settings.name, Mode::Live)?, test },
            };
            let (name, secrets) = (endpoint.name.clone(), endpoint.secrets.clone());
            endpoints.push(Endpoint { name, tenants, secrets });
        }
    }
    Ok(Config { endpoints, alias_root: plan.alias_root, limits: Limits::default() })
}

impl Served {
    /// What the projector is to be told.
    pub(crate) fn for_projector(&self) -> projector::Tenant {
        projector::Tenant {
            tenant_id: self.tenant.tenant_id,
            policy: Policy {
                signing_keys: self.signing_keys.clone(),
                ..self.settings.policy.clone()
            },
            evidence_key: EvidenceKey::new(&self.tenant.evidence_key),
        }
    }

    /// What pulls from Stripe's API is to be told; none without a key of its mode.
    pub(crate) fn for_pull(&self, base: &str) -> Option<pull::Tenant> {
        let keys = &self.settings.stripe_keys;
        let own = keys.iter().find(|one| one.mode.is_live() == self.tenant.livemode)?;
        Some(pull::Tenant {
            tenant_id: self.tenant.tenant_id,
            livemode: self.tenant.livemode,
            access: pull::Access { base: base.to_owned(), key: own.key.clone() },
        })
    }

    /// Whose tokens name its users.
    pub(crate) fn issuers(&self) -> impl Iterator<Item = (i32, api::Issuer)> {
        let own = self.settings.issuers.iter();
        own.filter(|one| one.mode.is_live() == self.tenant.livemode)
            .map(|one| (self.tenant.tenant_id, one.issuer.clone()))
    }

    /// What the keeper is to be told. `own` is the database of a directory that names none.
    pub(crate) fn for_keeper(&self, own: &PgUrl) -> anyhow::Result<keeper::Tenant> {
        let directory = self.settings.directory.as_ref().map(|directory| {
            let url = directory.url.as_ref().unwrap_or(own);
            Directory::new(url, &directory.query)
        });
        Ok(keeper::Tenant {
            tenant_id: self.tenant.tenant_id,
            directory: directory.transpose().context("opening the directory")?,
        })
    }
}
