//! This machine's side: the configuration, and the ports.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::Finding;
use crate::config::{Mode, Settings, url_of};
use crate::deliver::http_client;

/// What the configuration says, as far as something may be missing in it.
pub(super) fn configuration(settings: &Settings) -> Vec<Finding> {
    let mode = settings.mode.as_ref().map(|mode| mode.value);
    let mode = match mode {
        Some(mode) => Finding::ok("mode", mode.name()),
        None => {
            Finding::note("mode", "TALLY_MODE is not set; `tally serve` needs it (live or test)")
        }
    };
    vec![mode, secrets(settings)]
}

fn secrets(settings: &Settings) -> Finding {
    let own = settings.webhook_secrets.as_ref().map_or(0, |secrets| secrets.value.len());
    let endpoints = settings.tenants.iter().flat_map(|tenant| &tenant.endpoints);
    let (live, test): (Vec<_>, Vec<_>) = endpoints.partition(|one| one.mode == Mode::Live);
    if own == 0 && live.is_empty() && test.is_empty() {
        let what = "no signing secret: set STRIPE_WEBHOOK_SECRET to the one of the endpoint's page in Stripe's \
                    dashboard, or to what `stripe listen --print-secret` says";
        return Finding::wrong("secrets", what);
    }
    let (live, test) = (live.len(), test.len());
    let detail =
        format!("in the environment: {own}; endpoints of the TOML file: {live} live, {test} test");
    Finding::ok("secrets", detail)
}

/// Whether the listeners could open, or are ours already.
pub(super) async fn ports(settings: &Settings) -> Vec<Finding> {
    let is_ours = is_serving(settings).await;
    let listeners =
        [("public port", settings.listen.value), ("admin port", settings.admin_listen.value)];
    let mut findings = Vec::new();
    for (check, address) in listeners {
        findings.push(port(check, address, is_ours).await);
    }
    findings
}

async fn port(check: &'static str, address: SocketAddr, is_ours: bool) -> Finding {
    match TcpListener::bind(address).await {
        Ok(_) => Finding::ok(check, format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_ours => {
            Finding::ok(check, format!("a tally is serving at {address}"))
        }
        Err(error) => Finding::wrong(
            check,
            format!("{address}: {error}; choose another with TALLY_LISTEN or TALLY_ADMIN_LISTEN"),
        ),
    }
}

/// Whether a process of ours answers at the admin address.
async fn is_serving(settings: &Settings) -> bool {
    let Ok(http) = http_client() else { return false };
    let url = format!("{}/livez", url_of(settings.admin_listen.value));
    http.get(url).send().await.is_ok_and(|response| response.status().is_success())
}
