//! A webhook endpoint as Stripe sees it: does it refuse what nobody signed, and take what somebody did.

use reqwest::StatusCode;
use service::clock::Clock;

use super::Finding;
use crate::config::Settings;
use crate::deliver::{Answer, Sender};
use crate::events::product_updated;

/// Tries an endpoint out, with the first signing secret of the environment.
pub(super) async fn try_out(settings: &Settings, url: &str) -> anyhow::Result<Vec<Finding>> {
    let secrets = settings.webhook_secrets.as_ref();
    let Some(secret) = secrets.and_then(|secrets| secrets.value.first()) else {
        let what = "STRIPE_WEBHOOK_SECRET is not set, so nothing can be signed for it";
        return Ok(vec![Finding::wrong("endpoint", what)]);
    };
    let sender = Sender::new(url, secret.clone())?;
    let mut findings = Vec::new();
    if let Some(finding) = transport(sender.url()) {
        findings.push(finding);
    }
    let unsigned = match sender.deliver_unsigned().await {
        Ok(status) => status,
        Err(error) => {
            let what = format!("{}: {:#}", sender.url(), anyhow::Error::from(error));
            findings.push(Finding::wrong("endpoint", what));
            return Ok(findings);
        }
    };
    findings.push(judge_unsigned(unsigned));
    if unsigned == StatusCode::BAD_REQUEST {
        let now = Clock::system().now();
        let probe = product_updated(&format!("doctor_{}", now.as_microsecond()), now.as_second());
        findings.push(judge_signed(sender.deliver(probe.body).await?));
    }
    Ok(findings)
}

fn transport(url: &str) -> Option<Finding> {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let is_plain = url.starts_with("http://") && !local.iter().any(|start| url.starts_with(start));
    is_plain
        .then(|| Finding::note("endpoint", "plain HTTP: Stripe delivers live events to https only"))
}

fn judge_unsigned(status: StatusCode) -> Finding {
    let check = "unsigned delivery";
    match status {
        StatusCode::BAD_REQUEST => Finding::ok(check, "refused (400), as it must be"),
        status if status.is_redirection() => Finding::wrong(
            check,
            format!(
                "{status}: Stripe follows no redirect; give Stripe the address that it leads to"
            ),
        ),
        status if status.is_success() => Finding::wrong(
            check,
            format!(
                "{status}: whoever answers there takes what nobody signed; it is not this program"
            ),
        ),
        StatusCode::NOT_FOUND => Finding::wrong(
            check,
            "404: the path is /v1/webhooks/stripe, or /v1/webhooks/stripe/<endpoint>",
        ),
        status => Finding::wrong(
            check,
            format!(
                "{status}: expected 400; a proxy or a firewall in front of it may answer instead"
            ),
        ),
    }
}

fn judge_signed(answer: Answer) -> Finding {
    let check = "signed delivery";
    match answer {
        Answer::Stored(pos) | Answer::Duplicate(pos) => {
            Finding::ok(check, format!("accepted (200), stored at position {pos}"))
        }
        Answer::Other(StatusCode::BAD_REQUEST) => Finding::wrong(
            check,
            "400: the endpoint has another secret than STRIPE_WEBHOOK_SECRET here, a proxy changes the body, or a clock \
             is wrong by more than 300 s",
        ),
        Answer::Other(StatusCode::SERVICE_UNAVAILABLE) => Finding::wrong(
            check,
            "503: it cannot store now; look at the service's log and its database",
        ),
        Answer::Other(status) => Finding::wrong(check, format!("{status}: expected 200")),
    }
}
