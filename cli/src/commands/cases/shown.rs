//! A case as text: what a person needs to decide, and the commands that carry the decision out.

use jiff::Timestamp;
use serde::Deserialize;

use crate::commands::paging::List;
use crate::commands::text::{fields, or_dash, when};
use crate::output::table;

#[derive(Debug, Deserialize)]
pub(super) struct Summary {
    id: String,
    status: String,
    reason: String,
    resolution: Option<String>,
    payment: Option<String>,
    credits: Option<i64>,
    unit: Option<String>,
    paid: Option<i64>,
    currency: Option<String>,
    waits_for: Vec<String>,
    created: Timestamp,
    due: Option<Timestamp>,
    closed: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Case {
    #[serde(flatten)]
    summary: Summary,
    error: Option<String>,
    evidence: Vec<Evidence>,
    candidates: Vec<Candidate>,
    events: Vec<i64>,
}

#[derive(Debug, Deserialize)]
struct Evidence {
    rank: i16,
    kind: String,
    at: String,
    value: String,
}

#[derive(Debug, Deserialize)]
struct Candidate {
    user: String,
    why: String,
}

impl Summary {
    fn worth(&self) -> Option<String> {
        let unit = self.unit.as_deref().unwrap_or(ledger::DEFAULT_UNIT);
        self.credits.map(|credits| format!("{credits} {unit}"))
    }

    fn waits_for(&self) -> Option<String> {
        (!self.waits_for.is_empty()).then(|| self.waits_for.join(", "))
    }

    /// How it stands, such as `open` or `closed: assigned`.
    fn standing(&self) -> String {
        match &self.resolution {
            Some(resolution) => format!("{}: {resolution}", self.status),
            None => self.status.clone(),
        }
    }
}

/// A list of cases.
pub(super) fn list(cases: &List<Summary>) -> String {
    cases.tell_more(|case| &case.id);
    let rows = cases.data.iter().map(|case| {
        [
            case.id.clone(),
            when(case.created),
            case.standing(),
            case.reason.clone(),
            or_dash(case.payment.as_ref()),
            or_dash(case.worth()),
            or_dash(case.waits_for()),
        ]
    });
    table(["id", "opened (UTC)", "status", "reason", "payment", "worth", "waits for"], rows, &[])
}

/// What became of a case by an act, in one line.
pub(super) fn after(case: &Case) -> String {
    let Case { summary, .. } = case;
    let still = if summary.resolution.is_none() {
        format!("still open ({})", summary.reason)
    } else {
        summary.standing()
    };
    format!("{} is {still}", summary.id)
}

/// A case with all that there is to know of it.
pub(super) fn case(case: &Case) -> String {
    let summary = &case.summary;
    let paid = summary.paid.zip(summary.currency.as_deref());
    let positions: Vec<_> = case.events.iter().map(ToString::to_string).collect();
    let facts = fields([
        ("payment", summary.payment.clone()),
        ("paid", paid.map(|(paid, currency)| format!("{paid} {currency}, in its smallest unit"))),
        ("worth", summary.worth()),
        ("opened", Some(when(summary.created))),
        ("closed", summary.closed.map(when)),
        ("waits for", summary.waits_for()),
        ("decided anew", summary.due.map(when)),
        ("error", case.error.clone()),
        ("events at", (!positions.is_empty()).then(|| positions.join(", "))),
    ]);
    let heading = format!("{}: {} ({})", summary.id, summary.standing(), summary.reason);
    let parts = [format!("{heading}\n{facts}"), evidence(case), candidates(case), to_do(summary)];
    let told: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    told.join("\n")
}

fn evidence(case: &Case) -> String {
    if case.evidence.is_empty() {
        return String::new();
    }
    let rows = case.evidence.iter().map(|piece| {
        [piece.rank.to_string(), piece.kind.clone(), piece.at.clone(), piece.value.clone()]
    });
    table(["rank", "evidence", "found in", "value"], rows, &[0])
}

fn candidates(case: &Case) -> String {
    if case.candidates.is_empty() {
        return String::new();
    }
    let rows = case.candidates.iter().map(|one| [one.user.clone(), one.why.clone()]);
    table(["candidate", "why"], rows, &[])
}

/// The commands that settle an open case.
fn to_do(summary: &Summary) -> String {
    if summary.status != "open" {
        return String::new();
    }
    let id = &summary.id;
    let story = summary.payment.as_ref().map(|payment| format!("  tally explain {payment}\n"));
    let worth = if summary.credits.is_some() { "" } else { " --credits N" };
    let assign = summary
        .payment
        .as_ref()
        .map(|_| format!("  tally cases assign {id} --user USER{worth} --reason WHY\n"));
    format!(
        "What can be done:\n{}{}  tally cases retry {id}\n  tally cases dismiss {id} --reason WHY\n",
        story.unwrap_or_default(),
        assign.unwrap_or_default(),
    )
}
