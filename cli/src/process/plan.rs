//! What a process is to serve: the settings that concern it, checked against each other before anything is started.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use api::Access;
use rules::reference::SigningKeys;
use secrecy::SecretString;
use store::PgUrl;
use stripe::signature::Secret;

use super::role::Role;
use crate::config::access::{AccessSettings, TokenIssuer};
use crate::config::environment::Setting;
use crate::config::error::ConfigError;
use crate::config::stripe_api::{StripeKey, check_key};
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
    /// Address of Stripe's API.
    pub(crate) stripe_api_base: String,
    /// Sign and verify checkout references.
    pub(crate) signing_keys: Option<SigningKeys>,
    /// Who is let in but the holders of keys, and how often anybody is; the issuers stand at their tenants.
    pub(crate) access: Access,
    /// The businesses with all their endpoints, keys and issuers.
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
        let tenants = with_own_key(tenants, mode, settings.stripe_key.as_ref())?;
        let tenants = with_own_issuer(tenants, mode, &settings.access)?;
        check_issuers(&tenants)?;
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
            stripe_api_base: settings.stripe_api_base.value.clone(),
            signing_keys: settings.signing_keys.as_ref().map(|keys| keys.value.clone()),
            access: Access {
                issuers: Vec::new(),
                origins: settings
                    .access
                    .origins
                    .as_ref()
                    .map_or_else(Default::default, |one| one.value.clone()),
                key_limit: settings.access.key_limit.value.0,
                user_limit: settings.access.user_limit.value.0,
            },
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

/// The businesses, with the key of the environment at the one that it belongs to.
fn with_own_key(
    mut tenants: Vec<TenantSettings>,
    mode: Mode,
    key: Option<&Setting<SecretString>>,
) -> Result<Vec<TenantSettings>, ConfigError> {
    let Some(key) = key else { return Ok(tenants) };
    let place = key.source.place(variables::STRIPE_KEY.name);
    // `up` need not be told its mode, so this was not compared yet.
    check_key(&place, &key.value, Some(mode))?;
    let [only] = tenants.as_mut_slice() else {
        let problem = "it belongs to one tenant, and the TOML file has several: give each its stripe_keys there";
        return Err(ConfigError::invalid(place, problem));
    };
    if only.stripe_keys.iter().any(|one| one.mode == mode) {
        let problem = "the TOML file has a key of this mode as well; name one of them";
        return Err(ConfigError::invalid(place, problem));
    }
    only.stripe_keys.push(StripeKey { mode, key: key.value.clone() });
    Ok(tenants)
}

/// The businesses, with the issuer of the environment at the one that it belongs to.
fn with_own_issuer(
    mut tenants: Vec<TenantSettings>,
    mode: Mode,
    access: &AccessSettings,
) -> Result<Vec<TenantSettings>, ConfigError> {
    let Some(issuer) = access.issuer.clone() else { return Ok(tenants) };
    let [only] = tenants.as_mut_slice() else {
        let problem =
            "it belongs to one tenant, and the TOML file has several: give each its jwt there";
        return Err(ConfigError::invalid(variables::JWT_ISSUER.name, problem));
    };
    only.issuers.push(TokenIssuer { mode, issuer });
    Ok(tenants)
}

/// Refuses issuers whose tokens could be of two tenants, or of two modes.
fn check_issuers(tenants: &[TenantSettings]) -> Result<(), ConfigError> {
    let mut names = BTreeSet::new();
    for TenantSettings { name, issuers, .. } in tenants {
        for TokenIssuer { mode, issuer } in issuers {
            if !names.insert(issuer.names()) {
                let place = format!("tenants.{name}.jwt.{}", mode.name());
                let problem = "another one has this issuer and this audience; give each an audience of its own";
                return Err(ConfigError::invalid(place, problem));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::environment::Environment;

    /// A plan of test mode, with this key in the environment and this TOML file.
    fn plan(key: &str, toml: &str) -> Result<Plan, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tally.toml");
        fs::write(&file, toml).unwrap();
        let set = [
            ("STRIPE_SECRET_KEY", key),
            ("STRIPE_WEBHOOK_SECRET", "whsec_9fJ2kPq7ZtXc4VbN1mLs8RwE"),
            ("TALLY_CONFIG", file.to_str().unwrap()),
        ];
        let set = set.map(|(name, value)| (name.into(), value.into()));
        let settings = Environment::of(set).and_then(|set| Settings::resolve(&set));
        let url = PgUrl::parse("postgres://localhost/tally").unwrap();
        settings
            .and_then(|settings| Plan::new(&settings, Role::ALL.into(), Mode::Test, &url))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_token_is_of_one_tenant_and_mode() {
        let with = |modes: [(&str, &str); 2]| {
            let issuer = modes.map(|(mode, audience)| {
                format!(
                    "[[tenants.jwt]]\nmode = \"{mode}\"\nissuer = \"i\"\naudience = \"{audience}\"\njwks_url = \"https://i/k\"\n"
                )
            });
            plan("", &format!("[[tenants]]\nname = \"shop\"\n{}", issuer.concat()))
        };
        let apart = with([("live", "credits"), ("test", "credits-test")]).unwrap();
        assert_eq!(apart.tenants[0].issuers.len(), 2);
        let refused = with([("live", "credits"), ("test", "credits")]).unwrap_err();
        assert!(refused.contains("tenants.shop.jwt.test: another one has this"), "{refused}");
    }

    #[test]
    fn the_key_of_the_environment_is_that_of_its_mode() {
        let file = "[[tenants]]\nname = \"shop\"\n";
        let with_key = |mode: &str| {
            format!("{file}[[tenants.stripe_keys]]\nmode = \"{mode}\"\nkey = \"rk_{mode}_1\"\n")
        };
        let modes = |plan: &Plan| -> Vec<Mode> {
            let keys = plan.tenants.iter().flat_map(|tenant| &tenant.stripe_keys);
            keys.map(|one| one.mode).collect()
        };
        assert_eq!(modes(&plan("", file).unwrap()), []);
        assert_eq!(modes(&plan("sk_test_1", file).unwrap()), [Mode::Test]);
        assert_eq!(modes(&plan("sk_test_1", &with_key("live")).unwrap()), [Mode::Live, Mode::Test]);
        for (key, file, told) in [
            ("sk_live_1", file.to_owned(), "it is a key of live mode"),
            ("sk_test_1", with_key("test"), "a key of this mode as well"),
        ] {
            let refused = plan(key, &file).unwrap_err();
            assert!(
                refused.starts_with("STRIPE_SECRET_KEY: ") && refused.contains(told),
                "{refused}"
            );
        }
    }
}
