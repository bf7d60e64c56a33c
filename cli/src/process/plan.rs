//! What a process is to serve: the settings that concern it, checked against each other before anything is started.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use store::PgUrl;
use stripe::signature::Secret;

use super::role::Role;
use crate::config::error::ConfigError;
use crate::config::tenants::{EndpointSettings, TenantSettings};
use crate::config::{Mode, Settings, variables};

/// What a process is to serve.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What it does.
    pub(crate) roles: BTreeSet<Role>,
    /// The database.
    pub(crate) url: PgUrl,
    /// The same without a pooler in between: hints travel by it.
    pub(crate) direct_url: PgUrl,
    /// Address of the public listener.
    pub(crate) listen: SocketAddr,
    /// Address of the admin listener.
    pub(crate) admin_listen: SocketAddr,
    /// Whether `POST /` is the webhook as well.
    pub(crate) alias_root: bool,
    /// The businesses with all their endpoints.
    pub(crate) tenants: Vec<TenantSettings>,
    /// The modes in which they are served.
    pub(crate) modes: Vec<Mode>,
}

impl Plan {
    /// What the settings say, in this mode and on this database.
    pub(crate) fn new(
        settings: &Settings,
        roles: BTreeSet<Role>,
        mode: Mode,
        url: &PgUrl,
    ) -> Result<Self, ConfigError> {
        let own = settings.webhook_secrets.as_ref().map(|secrets| secrets.value.clone());
        let tenants = with_own_endpoint(settings.tenants.clone(), mode, own)?;
        let endpoints = tenants.iter().map(|tenant| tenant.endpoints.len());
        if roles.contains(&Role::Ingest) && endpoints.sum::<usize>() == 0 {
            return Err(ConfigError::Missing {
                name: variables::WEBHOOK_SECRET.name,
                what_to_do: "copy the signing secret from the endpoint's page in Stripe's dashboard, \
                             or name endpoints in the TOML file",
            });
        }
        let direct = settings.direct_database.as_ref().map(|direct| direct.value.clone());
        Ok(Self {
            roles,
            url: url.clone(),
            direct_url: direct.unwrap_or_else(|| url.clone()),
            listen: settings.listen.value,
            admin_listen: settings.admin_listen.value,
            alias_root: settings.alias_root,
            modes: settings.modes(mode),
            tenants,
        })
    }

    /// Whether it answers anybody but its operator.
    pub(crate) fn is_public(&self) -> bool {
        self.roles.contains(&Role::Ingest) || self.roles.contains(&Role::Api)
    }
}

/// The businesses, with the secrets of the environment on the endpoint that they belong to: the one without a name.
fn with_own_endpoint(
    mut tenants: Vec<TenantSettings>,
    mode: Mode,
    secrets: Option<Vec<Secret>>,
) -> Result<Vec<TenantSettings>, ConfigError> {
    let Some(secrets) = secrets else { return Ok(tenants) };
    let [only] = tenants.as_mut_slice() else {
        let problem = "it belongs to one tenant, and the TOML file has several: give each its endpoints there";
        return Err(ConfigError::invalid(variables::WEBHOOK_SECRET.name, problem));
    };
    let named = only.endpoints.iter_mut().find(|one| one.name.is_none() && one.mode == mode);
    match named {
        Some(endpoint) => endpoint.secrets.extend(secrets),
        None => only.endpoints.push(EndpointSettings { name: None, mode, secrets }),
    }
    Ok(tenants)
}
