//! A payment as text.

use jiff::Timestamp;
use serde::Deserialize;

use crate::commands::text::{fields, or_dash, when};
use crate::output::table;

/// Who owns what nobody was found for.
const NOBODY: &str = "(unclaimed)";

#[derive(Debug, Deserialize)]
pub(super) struct Payment {
    id: String,
    status: String,
    user: Option<String>,
    unclaimed: bool,
    paid: Option<i64>,
    currency: Option<String>,
    lines: Vec<Line>,
    aliases: Vec<String>,
    cases: Vec<String>,
    owners: Vec<Owner>,
    postings: Vec<Posting>,
}

#[derive(Debug, Deserialize)]
struct Line {
    #[serde(rename = "line")]
    name: String,
    unit: String,
    expected: i64,
    posted: i64,
    legs: Vec<Leg>,
}

#[derive(Debug, Deserialize)]
struct Leg {
    leg: String,
    posted: i64,
}

#[derive(Debug, Deserialize)]
struct Owner {
    user: Option<String>,
    since: Timestamp,
    position: i64,
    actor: Option<String>,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Posting {
    user: Option<String>,
    contra: String,
    amount: i64,
    balance_after: i64,
    created: Timestamp,
}

impl Payment {
    /// Whose its credits are, such as `100 credits of user u_1`.
    fn standing(&self) -> String {
        let credits = self.lines.iter().filter(|line| line.posted != 0);
        let credits: Vec<String> =
            credits.map(|line| format!("{} {}", line.posted, line.unit)).collect();
        let credits = if credits.is_empty() { "nothing".to_owned() } else { credits.join(", ") };
        match (&self.user, self.unclaimed) {
            (Some(user), _) => format!("{credits} of user {user}"),
            (None, true) => format!("{credits} unclaimed"),
            (None, false) => "nothing is credited".to_owned(),
        }
    }
}

impl Line {
    /// What another system gave of it before, such as `100 credits`: it stands in an opening balance.
    fn carried(&self) -> Option<String> {
        let carried = self.legs.iter().filter(|leg| leg.leg == "carried" && leg.posted != 0);
        carried.map(|leg| format!("{} {}", leg.posted.saturating_abs(), self.unit)).next()
    }
}

/// Whose a payment is after an act, in one line.
pub(super) fn after(payment: &Payment) -> String {
    format!("{} is {}", payment.id, payment.standing())
}

/// A payment with all that there is to know of it.
pub(super) fn payment(payment: &Payment) -> String {
    let paid = payment.paid.zip(payment.currency.as_deref());
    let facts = fields([
        ("paid", paid.map(|(paid, currency)| format!("{paid} {currency}, in its smallest unit"))),
        ("carried over", payment.lines.iter().find_map(Line::carried)),
        ("objects", Some(payment.aliases.join(", "))),
        ("cases", (!payment.cases.is_empty()).then(|| payment.cases.join(", "))),
    ]);
    let Payment { id, status, .. } = payment;
    let heading = format!("{id}: {status}, {}", payment.standing());
    let parts = [
        format!("{heading}\n{facts}"),
        lines(payment),
        owners(payment),
        postings(payment),
        to_do(payment),
    ];
    let told: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    told.join("\n")
}

fn lines(payment: &Payment) -> String {
    if payment.lines.is_empty() {
        return String::new();
    }
    let rows = payment.lines.iter().map(|line| {
        [line.name.clone(), line.unit.clone(), line.expected.to_string(), line.posted.to_string()]
    });
    table(["line", "unit", "worth", "posted"], rows, &[2, 3])
}

fn owners(payment: &Payment) -> String {
    if payment.owners.is_empty() {
        return String::new();
    }
    let rows = payment.owners.iter().map(|owner| {
        [
            when(owner.since),
            owner.position.to_string(),
            owner.user.clone().unwrap_or_else(|| NOBODY.to_owned()),
            or_dash(owner.actor.as_ref()),
            or_dash(owner.reason.as_ref()),
        ]
    });
    table(["since (UTC)", "position", "owner", "by", "reason"], rows, &[1])
}

fn postings(payment: &Payment) -> String {
    if payment.postings.is_empty() {
        return String::new();
    }
    let rows = payment.postings.iter().map(|posting| {
        [
            when(posting.created),
            posting.user.clone().unwrap_or_else(|| NOBODY.to_owned()),
            posting.contra.clone(),
            posting.amount.to_string(),
            posting.balance_after.to_string(),
        ]
    });
    table(["posted (UTC)", "account", "against", "amount", "balance"], rows, &[3, 4])
}

/// The commands that lead on.
fn to_do(payment: &Payment) -> String {
    let id = &payment.id;
    let reassign = payment
        .user
        .as_ref()
        .map(|_| format!("  tally payments reassign {id} --user USER --reason WHY\n"));
    format!("What can be done:\n  tally explain {id}\n{}", reassign.unwrap_or_default())
}
