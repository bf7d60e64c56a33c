//! `tally events`: what the outside told us, and what became of it.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Deserialize;
use store::keys::KeyRole;

use super::paging::{List, Page};
use super::remote::Remote;
use super::text::{fields, or_dash, when};
use crate::exit::Exit;
use crate::output::{Format, table};

/// What the outside told us, and what became of it
#[derive(Debug, Subcommand)]
pub(crate) enum Events {
    /// List events, newest first
    List(Filter),
    /// Show one event and all that was decided of it
    Show {
        /// Stripe's id (evt_…), or the position in the log
        id: String,
    },
}

/// Which events.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// Only this type, such as checkout.session.completed
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only this outcome: pending, applied, ignored, deferred or `in_review`
    #[arg(long)]
    outcome: Option<String>,
    /// Only this reason of the latest decision, such as credited
    #[arg(long)]
    reason: Option<String>,
    /// Only what happened at this time or later, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    #[command(flatten)]
    page: Page,
}

#[derive(Debug, Deserialize)]
struct Event {
    id: String,
    position: i64,
    r#type: String,
    origin: String,
    source: String,
    account: Option<String>,
    names: Option<String>,
    endpoint: Option<String>,
    signed: bool,
    body_sha256: String,
    body_bytes: Option<i64>,
    outcome: String,
    reason: Option<String>,
    created: Timestamp,
    received: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Shown {
    #[serde(flatten)]
    event: Event,
    decisions: Vec<Decision>,
}

#[derive(Debug, Deserialize)]
struct Decision {
    revision: i32,
    outcome: String,
    reason: String,
    payment: Option<String>,
    rank: Option<i16>,
    cause_position: Option<i64>,
    rules_version: i32,
    created: Timestamp,
}

impl Events {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        let service = Remote::new(KeyRole::Support)?;
        match self {
            Self::List(filter) => {
                let since = filter.since.map(|since| since.to_string());
                let query = filter.page.query([
                    ("type", filter.event_type.as_deref()),
                    ("outcome", filter.outcome.as_deref()),
                    ("reason", filter.reason.as_deref()),
                    ("created[gte]", since.as_deref()),
                ]);
                service.get(&["events"], &query).await?.show(format, list)?;
            }
            Self::Show { id } => service.get(&["events", &id], &[]).await?.show(format, show)?,
        }
        Ok(Exit::Fine)
    }
}

fn list(events: &List<Event>) -> String {
    events.tell_more(|event| &event.id);
    let rows = events.data.iter().map(|event| {
        [
            event.position.to_string(),
            when(event.received),
            event.r#type.clone(),
            event.id.clone(),
            event.outcome.clone(),
            or_dash(event.reason.as_ref()),
        ]
    });
    table(["position", "received (UTC)", "type", "id", "outcome", "reason"], rows, &[0])
}

fn show(shown: &Shown) -> String {
    let event = &shown.event;
    let kind = if event.r#type.is_empty() { "no event" } else { &event.r#type };
    let bytes = match event.body_bytes {
        Some(bytes) => format!("{bytes}, SHA-256 {}", event.body_sha256),
        None => format!("erased, SHA-256 {}", event.body_sha256),
    };
    let way = match &event.endpoint {
        Some(endpoint) => format!("{}, endpoint {endpoint}", event.source),
        None => event.source.clone(),
    };
    let facts = fields([
        ("position", Some(event.position.to_string())),
        ("said by", Some(event.origin.clone())),
        ("came by", Some(way)),
        ("account", event.account.clone()),
        ("about", event.names.clone()),
        ("happened", Some(when(event.created))),
        ("received", Some(when(event.received))),
        ("signed", Some(if event.signed { "yes" } else { "no" }.to_owned())),
        ("bytes", Some(bytes)),
    ]);
    let rows = shown.decisions.iter().map(|decision| {
        [
            decision.revision.to_string(),
            when(decision.created),
            decision.outcome.clone(),
            decision.reason.clone(),
            or_dash(decision.payment.as_ref()),
            or_dash(decision.rank),
            or_dash(decision.cause_position),
            decision.rules_version.to_string(),
        ]
    });
    let header = [
        "revision",
        "decided (UTC)",
        "outcome",
        "reason",
        "payment",
        "rank",
        "released by",
        "rules",
    ];
    let decisions = match shown.decisions.as_slice() {
        [] => "It is not decided yet.\n".to_owned(),
        _ => table(header, rows, &[0, 5, 6, 7]),
    };
    format!("{}: {kind}\n{facts}\n{decisions}", event.id)
}
