//! The resolved configuration as people may see it: every setting, where it comes from, and no secret.

use std::collections::BTreeSet;

use serde::Serialize;
use store::PgUrl;

use super::Settings;
use super::access::TokenIssuer;
use super::catalogue::described;
use super::environment::{Setting, Source};
use super::tenants::{EndpointSettings, TenantSettings};
use super::variables::{self, Variable};
use crate::data_dir;

/// One line of the configuration.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    /// Variable, or place in the TOML file.
    pub(crate) name: String,
    /// Its value; of a secret only that it is set. `None`: it is not.
    pub(crate) value: Option<String>,
    /// Where it comes from.
    pub(crate) source: String,
}

impl Settings {
    /// All settings, those that are not set too.
    pub(crate) fn show(&self) -> Vec<Shown> {
        let mut shown = vec![
            line(&variables::MODE, self.mode.as_ref(), |mode| mode.name().to_owned()),
            line(&variables::CONFIG, self.file.as_ref(), |path| path.display().to_string()),
            // Its text form has no password.
            line(&variables::DATABASE_URL, self.database.as_ref(), PgUrl::to_string),
            line(&variables::DATABASE_DIRECT_URL, self.direct_database.as_ref(), PgUrl::to_string),
            line(&variables::LISTEN, Some(&self.listen), ToString::to_string),
            line(&variables::ADMIN_LISTEN, Some(&self.admin_listen), ToString::to_string),
            line(&variables::WEBHOOK_SECRET, self.webhook_secrets.as_ref(), |secrets| {
                count_secrets(secrets.len())
            }),
            line(&variables::STRIPE_KEY, self.stripe_key.as_ref(), |_| hidden()),
            line(&variables::STRIPE_API_BASE, Some(&self.stripe_api_base), Clone::clone),
            line(&variables::SIGNING_KEY, self.signing_keys.as_ref(), |keys| {
                format!("(hidden, {})", keys.ids().join(", "))
            }),
        ];
        shown.extend(self.show_access());
        shown.extend([
            line(&variables::DATA_DIR, self.data_dir.as_ref(), |path| path.display().to_string()),
            line(&variables::PG_BIN, self.pg_bin.as_ref(), Clone::clone),
            line(&variables::RUST_LOG, self.log_filter.as_ref(), Clone::clone),
            line(&variables::LOG_FORMAT, Some(&self.log_format), |format| {
                format!("{format:?}").to_lowercase()
            }),
            line(&variables::URL, Some(&self.url), Clone::clone),
        ]);
        shown.extend(
            data_dir::KEYS.iter().map(|(role, name)| line(name, self.keys.get(role), |_| hidden())),
        );
        let source =
            self.file.as_ref().map_or(Source::Default, |file| Source::File(file.value.clone()));
        let source = source.to_string();
        let mut add = |name: String, value: String| {
            shown.push(Shown { name, value: Some(value), source: source.clone() });
        };
        add("alias_root".to_owned(), self.alias_root.to_string());
        for tenant in &self.tenants {
            show_tenant(tenant, &mut add);
        }
        shown
    }
}

impl Settings {
    /// Whom it lets in, and how often.
    fn show_access(&self) -> impl Iterator<Item = Shown> {
        let said = self.access.said.iter().map(|(variable, said)| {
            let show = |value: &String| if variable.is_secret { hidden() } else { value.clone() };
            line(variable, said.as_ref(), show)
        });
        let origins = self.access.origins.as_ref();
        let limits = [
            line(&variables::JWT_RATE_LIMIT, Some(&self.access.user_limit), ToString::to_string),
            line(&variables::CORS_ORIGINS, origins, |origins| {
                origins.names().collect::<Vec<_>>().join(", ")
            }),
            line(&variables::RATE_LIMIT, Some(&self.access.key_limit), ToString::to_string),
        ];
        said.chain(limits)
    }
}

fn show_tenant(tenant: &TenantSettings, add: &mut impl FnMut(String, String)) {
    let place = |what: &str| format!("tenants.{}.{what}", tenant.name);
    add(place("user_id_keys"), tenant.policy.user_id_keys.join(", "));
    add(place("email_keys"), tenant.policy.email_keys.join(", "));
    let accepted = tenant.policy.accept_unsigned_reference;
    add(place("accept_unsigned_reference"), accepted.to_string());
    add(place("create_users"), tenant.policy.create_users.to_string());
    let trusted = tenant.policy.trusted_accounts.as_ref();
    let listed =
        |accounts: &BTreeSet<String>| accounts.iter().cloned().collect::<Vec<_>>().join(", ");
    add(place("trusted_accounts"), trusted.map_or_else(|| "all".to_owned(), listed));
    let proration = if tenant.policy.prorates { "proportional" } else { "ignore" };
    add(place("proration"), proration.to_owned());
    add(place("clawback"), tenant.policy.clawback.name().to_owned());
    for EndpointSettings { name, mode, secrets } in &tenant.endpoints {
        let name = name.as_deref().unwrap_or("(no name)");
        let value = format!("{}, {}", mode.name(), count_secrets(secrets.len()));
        add(place(&format!("endpoints.{name}")), value);
    }
    for key in &tenant.stripe_keys {
        add(place(&format!("stripe_keys.{}", key.mode.name())), hidden());
    }
    for TokenIssuer { mode, issuer } in &tenant.issuers {
        add(place(&format!("jwt.{}", mode.name())), issuer.to_string());
    }
    for unit in &tenant.units {
        let usual = if unit.is_default { ", the default one" } else { "" };
        add(place(&format!("units.{}", unit.name)), format!("scale {}{usual}", unit.scale));
    }
    for entry in &tenant.catalogue {
        let from = entry.valid_from.map(|moment| format!(", from {moment} on")).unwrap_or_default();
        let value = described(entry.worth.as_ref()) + &from;
        add(place(&format!("catalogue.{}", entry.key)), value);
    }
    if let Some(directory) = &tenant.directory {
        add(place("directory.query"), directory.query.clone());
        let url = directory.url.as_ref();
        let own = || "that of DATABASE_URL".to_owned();
        add(place("directory.url"), url.map_or_else(own, PgUrl::to_string));
    }
}

fn line<T>(
    variable: &Variable,
    setting: Option<&Setting<T>>,
    show: impl FnOnce(&T) -> String,
) -> Shown {
    let source = setting.map_or_else(|| "not set".to_owned(), |setting| setting.source.to_string());
    let value = setting.map(|setting| show(&setting.value));
    Shown { name: variable.name.to_owned(), value, source }
}

fn hidden() -> String {
    "(hidden)".to_owned()
}

fn count_secrets(count: usize) -> String {
    if count == 1 { "(hidden)".to_owned() } else { format!("(hidden, {count} secrets)") }
}
