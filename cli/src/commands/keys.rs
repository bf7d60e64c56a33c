//! `tally keys`: who may ask the API. Works on the database itself, because the first key has to come from somewhere.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, builder::PossibleValuesParser, builder::TypedValueParser as _};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::Serialize;
use service::clock::Clock;
use store::keys::{Key, KeyRole, NewKey, Rotated};
use store::tenant::Tenant;
use store::{Role, Store, keys, tenant};

use super::text::{or_dash, when};
use crate::config::{DevEnv, Mode, Settings};
use crate::exit::Exit;
use crate::output::{Format, say, table};

/// Keys of the API
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make a key; its text is shown this once and kept nowhere
    Create(Create),
    /// List keys, revoked ones too
    List {
        #[command(flatten)]
        of: Of,
    },
    /// Make a key of the same name, role and scopes in place of another, which ends some time later
    Rotate(Rotate),
    /// Revoke a key, for good, within a second
    Revoke {
        /// The key (key_…)
        id: String,
        #[command(flatten)]
        of: Of,
    },
}

/// What kind of key.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What its holder may do; each role may do what those before it may
    #[arg(long, value_parser = role_parser())]
    role: KeyRole,
    /// Narrow it to these scopes, comma separated, such as balance:read,spends:write
    #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
    scopes: Vec<String>,
    /// What it is for
    #[arg(long)]
    name: String,
    /// When it ends, such as 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "expires_in")]
    expires_at: Option<Timestamp>,
    /// How long it opens anything, such as 90d
    #[arg(long, value_name = "DURATION")]
    expires_in: Option<Span>,
    #[command(flatten)]
    of: Of,
}

/// Which key.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// The key (key_…)
    id: String,
    /// How long the old one goes on, such as 24h; 0s ends it within a second
    #[arg(long, value_name = "DURATION", default_value = "24h")]
    grace: Span,
    #[command(flatten)]
    of: Of,
}

/// Whose keys.
#[derive(Debug, Args)]
pub(crate) struct Of {
    /// The business, where there are several
    #[arg(long)]
    tenant: Option<String>,
    /// live or test, where there are both
    #[arg(long)]
    mode: Option<Mode>,
}

#[derive(Debug, Serialize)]
struct KeyLine {
    id: String,
    role: &'static str,
    /// Null: all that its role may.
    scopes: Option<Vec<String>>,
    name: String,
    created: Timestamp,
    expires: Option<Timestamp>,
    replaces: Option<String>,
    revoked: Option<Timestamp>,
    last_used: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct Listed {
    object: &'static str,
    data: Vec<KeyLine>,
}

/// A new key, with its text.
#[derive(Debug, Serialize)]
struct Created {
    #[serde(flatten)]
    line: KeyLine,
    key: String,
}

impl Keys {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        let settings = Settings::load(DevEnv::Read)?;
        let store = Store::connect(settings.require_database()?, Role::Login, 1)?;
        let now = Clock::system().now();
        match self {
            Self::Create(create) => {
                let tenant = create.of.tenant(&store, &settings).await?;
                let created = create.make(&store, &tenant, now).await?;
                created.show(format)?;
            }
            Self::Rotate(rotate) => {
                let tenant = rotate.of.tenant(&store, &settings).await?;
                rotate.make(&store, &tenant, now).await?.show(format)?;
            }
            Self::List { of } => {
                let tenant = of.tenant(&store, &settings).await?;
                let listed = keys::list(&store.get().await?, tenant.tenant_id).await?;
                let data = listed.into_iter().map(KeyLine::from).collect();
                format.answer(&Listed { object: "list", data }, |listed| list(&listed.data))?;
            }
            Self::Revoke { id, of } => {
                let tenant = of.tenant(&store, &settings).await?;
                if !keys::revoke(&store, tenant.tenant_id, &id, now).await? {
                    bail!("there is no key {id} of {} that is not revoked yet", shown(&tenant));
                }
                format.answer(&serde_json::json!({"id": id, "revoked": now}), |_| {
                    format!("{id} is revoked")
                })?;
            }
        }
        Ok(Exit::Fine)
    }
}

impl Create {
    async fn make(self, store: &Store, tenant: &Tenant, now: Timestamp) -> anyhow::Result<Created> {
        check_scopes(self.role, &self.scopes)?;
        let ends = self.expires_in.map(|span| after(now, span)).transpose();
        let new = NewKey {
            tenant_id: tenant.tenant_id,
            livemode: tenant.livemode,
            role: self.role,
            scopes: Some(self.scopes).filter(|scopes| !scopes.is_empty()),
            name: self.name,
            expires_at: ends.context("--expires-in")?.or(self.expires_at),
        };
        let (key, text) = keys::create(store, &new, now).await.context("making a key")?;
        Ok(Created { line: key.into(), key: text.expose().to_owned() })
    }
}

impl Rotate {
    async fn make(self, store: &Store, tenant: &Tenant, now: Timestamp) -> anyhow::Result<Created> {
        let Self { id, grace, .. } = self;
        let old_ends_at = after(now, grace).context("--grace")?;
        let rotated = keys::rotate(store, tenant, &id, old_ends_at, now).await;
        match rotated.context("rotating a key")? {
            Rotated::Now(key, text) => {
                say(&format!("{id} ends at {} (UTC) or before", when(old_ends_at)));
                Ok(Created { line: (*key).into(), key: text.expose().to_owned() })
            }
            Rotated::Before(successor) => bail!("{id} was rotated before: rotate {successor}"),
            Rotated::Gone => {
                bail!("there is no key {id} of {} that still opens anything", shown(tenant))
            }
        }
    }
}

impl Created {
    /// Shows the key, this once.
    fn show(&self, format: Format) -> anyhow::Result<()> {
        say(&format!("{} is shown this once; keep it where it will be used", self.line.id));
        Ok(format.answer(self, |created| created.key.clone())?)
    }
}

impl Of {
    /// The one tenant that fits; the configuration's mode counts where none is said.
    async fn tenant(&self, store: &Store, settings: &Settings) -> anyhow::Result<Tenant> {
        let all = tenant::list(&store.get().await?).await?;
        let mode = self.mode.or_else(|| settings.mode.as_ref().map(|mode| mode.value));
        let fits = |tenant: &&Tenant| {
            self.tenant.as_ref().is_none_or(|name| *name == tenant.name)
                && mode.is_none_or(|mode| mode.is_live() == tenant.livemode)
        };
        let fitting: Vec<_> = all.iter().filter(fits).collect();
        match fitting[..] {
            [tenant] => Ok(tenant.clone()),
            [] if all.is_empty() => {
                bail!("there is no tenant yet: `tally migrate` makes those of the configuration")
            }
            _ => {
                let names: Vec<_> = all.iter().map(shown).collect();
                bail!("say whose keys, with --tenant and --mode; there are {}", names.join(", "));
            }
        }
    }
}

impl From<Key> for KeyLine {
    fn from(key: Key) -> Self {
        Self {
            id: key.key_id,
            role: key.role.name(),
            scopes: key.scopes,
            name: key.name,
            created: key.created_at,
            expires: key.expires_at,
            replaces: key.replaces,
            revoked: key.revoked_at,
            last_used: key.last_used_at,
        }
    }
}

/// A tenant, as messages call it.
fn shown(tenant: &Tenant) -> String {
    format!("{} ({})", tenant.name, if tenant.livemode { "live" } else { "test" })
}

fn list(keys: &[KeyLine]) -> String {
    let rows = keys.iter().map(|key| {
        [
            key.id.clone(),
            key.role.to_owned(),
            or_dash(key.scopes.as_ref().map(|scopes| scopes.join(" "))),
            key.name.clone(),
            when(key.created),
            or_dash(key.expires.map(when)),
            or_dash(key.last_used.map(when)),
            or_dash(key.revoked.map(when)),
        ]
    });
    let head = ["id", "role", "scopes", "name", "created (UTC)", "expires", "last used", "revoked"];
    table(head, rows, &[])
}

/// Refuses scopes that nobody knows, and those of which the role may do nothing.
fn check_scopes(role: KeyRole, scopes: &[String]) -> anyhow::Result<()> {
    let known = api::scopes_of(role);
    match scopes.iter().find(|scope| !known.contains(&scope.as_str())) {
        None => Ok(()),
        Some(scope) => {
            let role = role.name();
            bail!("{scope} is no scope of role {role}; it has {}", known.join(", "))
        }
    }
}

/// This long after `now`; a day has 24 hours.
fn after(now: Timestamp, span: Span) -> anyhow::Result<Timestamp> {
    let then = now.to_zoned(TimeZone::UTC).checked_add(span)?.timestamp();
    if then < now {
        bail!("it lies in the past");
    }
    Ok(then)
}

/// Roles by their names.
fn role_parser() -> impl clap::builder::TypedValueParser<Value = KeyRole> {
    let names = PossibleValuesParser::new(KeyRole::ALL.map(KeyRole::name));
    names.try_map(|name| KeyRole::from_name(&name).ok_or("it is no role"))
}
