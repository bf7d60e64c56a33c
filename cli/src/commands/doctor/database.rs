//! The database: can it be reached, does it keep what it acknowledges, is the schema ours, do the roles work.

use jiff::{SignedDuration, Timestamp};
use service::clock::Clock;
use store::status::{Server, server};
use store::tenant::list;
use store::{PgUrl, Role as DatabaseRole, Store};

use super::Finding;
use crate::config::Settings;
use crate::process::Role;

/// Difference between two clocks that is worth a word: Stripe's signatures are good for 300 s.
const SKEW_NOTED: SignedDuration = SignedDuration::from_secs(5);

/// Difference that is wrong.
const SKEW_WRONG: SignedDuration = SignedDuration::from_secs(60);

/// Looks at the database, as far as it can be reached.
pub(super) async fn look_at(settings: &Settings) -> Vec<Finding> {
    let Some(url) = settings.database.as_ref().map(|url| &url.value) else {
        let what =
            "DATABASE_URL is not set: say where Postgres is, or let `tally up` start a private one";
        return vec![Finding::wrong("database", what)];
    };
    let clock = Clock::system();
    let asked = clock.now();
    let found = match ask(url).await {
        Ok(found) => found,
        Err(error) => return vec![Finding::wrong("database", format!("{url}: {error}"))],
    };
    let mut findings = vec![Finding::ok("database", format!("{url}, Postgres {}", found.version))];
    findings.extend(url.warnings().iter().map(|warning| Finding::note("database", warning)));
    findings.push(durability(&found));
    findings.push(skew(asked, found.now, clock.now()));
    let direct = settings.direct_database.as_ref().map_or(url, |direct| &direct.value);
    let schema = schema(direct).await;
    let has_schema = schema.is_ok();
    findings.push(schema.unwrap_or_else(|wrong| wrong));
    if has_schema {
        findings.push(roles(url).await);
        findings.push(tenants(url, settings).await);
    }
    findings
}

async fn ask(url: &PgUrl) -> Result<Server, store::Error> {
    server(&Store::connect(url, DatabaseRole::Login, 1)?.get().await?).await
}

fn durability(server: &Server) -> Finding {
    let off = server.durability.iter().filter(|(_, value)| value == "off").map(|(name, _)| *name);
    let off: Vec<&str> = off.collect();
    if off.is_empty() {
        return Finding::ok("durability", "what is acknowledged is on disk");
    }
    let what = "what is acknowledged may be lost; turn it on (postgresql.conf, ALTER SYSTEM)";
    Finding::wrong("durability", format!("{} is off: {what}", off.join(" and ")))
}

/// The server's time lies between asking and being answered, if both clocks go right.
fn skew(asked: Timestamp, theirs: Timestamp, answered: Timestamp) -> Finding {
    let early = asked.duration_since(theirs);
    let late = theirs.duration_since(answered);
    let skew = early.max(late).max(SignedDuration::ZERO);
    let detail = format!("this machine's clock and the database's differ by {skew:#}");
    if skew >= SKEW_WRONG {
        Finding::wrong("clock", format!("{detail}: set both by NTP"))
    } else if skew >= SKEW_NOTED {
        Finding::note("clock", format!("{detail}: set both by NTP"))
    } else {
        Finding::ok("clock", "this machine's clock and the database's agree")
    }
}

async fn schema(direct: &PgUrl) -> Result<Finding, Finding> {
    let (ours, check) = (migrations::SCHEMA_VERSION, "schema");
    match migrations::version(&direct.expose_for_sqlx()).await {
        Ok(Some(version)) if version == ours => Ok(Finding::ok(check, format!("version {ours}"))),
        Ok(Some(version)) if version > ours => {
            let what =
                format!("version {version} is newer than this program's {ours}: run a newer tally");
            Err(Finding::wrong(check, what))
        }
        Ok(Some(version)) => {
            let what = format!("version {version}, this program's is {ours}: run `tally migrate`");
            Err(Finding::wrong(check, what))
        }
        Ok(None) => Err(Finding::wrong(check, "there is none yet: run `tally migrate`")),
        Err(error) => Err(Finding::wrong(check, format!("{:#}", anyhow::Error::from(error)))),
    }
}

/// Each process acts as a role of its own: the login has to be a member of all that it serves.
async fn roles(url: &PgUrl) -> Finding {
    for role in Role::ALL.map(Role::in_database) {
        let tried = match Store::connect(url, role, 1) {
            Ok(store) => store.get().await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = tried {
            let name = role.name().unwrap_or_default();
            let what = format!(
                "cannot act as {name}: {error}; GRANT {name} TO the login, or serve other roles"
            );
            return Finding::wrong("roles", what);
        }
    }
    Finding::ok("roles", "the login may act as every role")
}

async fn tenants(url: &PgUrl, settings: &Settings) -> Finding {
    let found = async { list(&Store::connect(url, DatabaseRole::Ingest, 1)?.get().await?).await };
    let found = match found.await {
        Ok(found) => found,
        Err(error) => return Finding::wrong("tenants", error.to_string()),
    };
    let Some(mode) = settings.mode.as_ref().map(|mode| mode.value) else {
        return Finding::ok("tenants", format!("{} in the database", found.len()));
    };
    for tenant in &settings.tenants {
        for mode in settings.modes(mode) {
            if !found.iter().any(|one| one.name == tenant.name && one.livemode == mode.is_live()) {
                let (name, mode) = (&tenant.name, mode.name());
                let what = format!(
                    "{name} has no {mode} mode: run `tally migrate` with TALLY_MODE={mode}"
                );
                return Finding::wrong("tenants", what);
            }
        }
    }
    Finding::ok("tenants", "all that the configuration names are there")
}
