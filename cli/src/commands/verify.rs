//! `tally verify`: whether everything that is stored fits together, checked from the bytes up.

use clap::Args;
use serde::Serialize;
use store::verify::{Check, Extent, NEWEST_BODIES, Tenant, Vouched, tenants};
use store::{Role, Store};
use stripe::signature::{self, Secret, SignatureError, Tolerance};

use crate::config::{DevEnv, Settings};
use crate::exit::Exit;
use crate::output::{Format, table};

/// Prove that the log, the decisions and the books fit together
///
/// Reads everything in one snapshot, so that it may run while the service works. Ends with 3 if it found differences.
/// Needs `DATABASE_URL`, and `STRIPE_WEBHOOK_SECRET` to check Stripe's signatures: deliveries that a retired secret signed
/// are counted as not checkable, unless that secret is given as well.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Read the bytes of all events, not only of the newest 10,000
    #[arg(long)]
    full: bool,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Verified {
    checks: Vec<CheckLine>,
    /// Whether there is no difference.
    ok: bool,
}

/// One check, over all tenants.
#[derive(Debug, Serialize)]
struct CheckLine {
    name: &'static str,
    checked: u64,
    not_checkable: u64,
    differences: Vec<String>,
}

impl Verify {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        let settings = Settings::load(DevEnv::Read)?;
        let store = Store::connect(settings.require_database()?, Role::Reader, 1)?;
        let extent = if self.full { Extent::Full } else { Extent::Newest };
        let secrets = secrets(&settings);
        let vouch = |header: &str, body: &[u8]| vouch(&secrets, header, body);
        let tenants = tenants(&store.get().await?).await?;
        let mut checks = Vec::new();
        for tenant in &tenants {
            let found = store::verify::verify(&store, tenant.tenant_id, extent, &vouch).await?;
            let whose = (tenants.len() > 1).then_some(tenant);
            add(&mut checks, found, whose);
        }
        let ok = checks.iter().all(|check| check.differences.is_empty());
        format.answer(&Verified { checks, ok }, |verified| text(verified, extent))?;
        Ok(if ok { Exit::Fine } else { Exit::Differences })
    }
}

/// Every signing secret that the configuration knows, of whichever endpoint.
fn secrets(settings: &Settings) -> Vec<Secret> {
    let own = settings.webhook_secrets.iter().flat_map(|secrets| &secrets.value);
    let endpoints = settings.tenants.iter().flat_map(|tenant| &tenant.endpoints);
    own.chain(endpoints.flat_map(|endpoint| &endpoint.secrets)).cloned().collect()
}

/// Judges a stored signature. Its time was judged when it came in.
fn vouch(secrets: &[Secret], header: &str, body: &[u8]) -> Vouched {
    match signature::verify(header.as_bytes(), body, secrets, 0, Tolerance::NotChecked) {
        Ok(_) => Vouched::Fits,
        Err(SignatureError::NoMatchingSignature) => Vouched::NoSecretFits,
        Err(
            SignatureError::NoHeader
            | SignatureError::MalformedHeader
            | SignatureError::BadTime
            | SignatureError::OutsideTolerance
            | SignatureError::TooManySignatures,
        ) => Vouched::Unreadable,
    }
}

/// Adds the checks of one tenant, which come in the same order for each; `whose` if there are others.
fn add(lines: &mut Vec<CheckLine>, found: Vec<Check>, whose: Option<&Tenant>) {
    let mode = |tenant: &Tenant| if tenant.livemode { "live" } else { "test" };
    let of = whose.map(|tenant| format!("{} ({}): ", tenant.name, mode(tenant)));
    let of = of.unwrap_or_default();
    for check in found {
        let differences =
            check.differences.into_iter().map(|difference| format!("{of}{difference}"));
        let same = lines.iter_mut().find(|line| line.name == check.name);
        match same {
            Some(line) => {
                line.checked = line.checked.saturating_add(check.checked);
                line.not_checkable = line.not_checkable.saturating_add(check.not_checkable);
                line.differences.extend(differences);
            }
            None => lines.push(CheckLine {
                name: check.name,
                checked: check.checked,
                not_checkable: check.not_checkable,
                differences: differences.collect(),
            }),
        }
    }
}

fn text(verified: &Verified, extent: Extent) -> String {
    let rows = verified.checks.iter().map(|check| {
        let found = match (check.differences.len(), check.not_checkable) {
            (0, 0) => "ok".to_owned(),
            (0, unknown) => format!(
                "ok, but {unknown} were signed with a secret that is not configured, or are erased"
            ),
            (1, _) => "1 difference".to_owned(),
            (count, _) => format!("{count} differences"),
        };
        [check.name.to_owned(), check.checked.to_string(), found]
    });
    let table = table(["check", "checked", "found"], rows, &[1]);
    let bound = match extent {
        Extent::Newest => {
            format!(
                "bodies and signatures of the newest {NEWEST_BODIES} events; --full reads all\n"
            )
        }
        Extent::Full => String::new(),
    };
    let differing = verified.checks.iter().filter(|check| !check.differences.is_empty());
    let differences: Vec<_> = differing
        .map(|check| format!("\n{}:\n  {}\n", check.name, check.differences.join("\n  ")))
        .collect();
    let sum =
        if verified.ok { "Everything fits together." } else { "Not everything fits together." };
    format!("{table}{bound}{}\n{sum}\n", differences.concat())
}
