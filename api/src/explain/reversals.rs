//! Money that goes back, in words: what Stripe says of refunds and disputes, and what they come to.

use rules::reversal::{Dispute, Reversals};
use serde_json::Value;
use store::read::payments::{Leg, Payment};

use super::words::{and, credits, money, sentences};

/// What an event of this type says with its object, after "told us that"; `None` if it is about something else.
pub(super) fn said(kind: &str, object: &Value) -> Option<String> {
    let text = |member: &str| object.get(member).and_then(Value::as_str).unwrap_or_default();
    let amount = |member: &str| {
        let minor = object.get(member).and_then(Value::as_i64);
        minor.map_or_else(|| "money".to_owned(), |minor| money(minor, text("currency")))
    };
    let id = text("id");
    let status = text("status");
    let words = match kind {
        "charge.refunded" => {
            format!("{} of the charge {id} were refunded so far", amount("amount_refunded"))
        }
        "charge.dispute.created" if status.starts_with("warning_") => format!(
            "the payer's bank asks about {} ({id}): that is an inquiry, which takes no money",
            amount("amount")
        ),
        "charge.dispute.created" => format!("the payer disputes {} ({id})", amount("amount")),
        "charge.dispute.updated" => format!("the dispute {id} goes on ({status})"),
        "charge.dispute.closed" => format!("the dispute {id} is over: {}", verdict(status)),
        "charge.dispute.funds_withdrawn" => {
            format!("the bank took {} for the dispute {id}", amount("amount"))
        }
        "charge.dispute.funds_reinstated" => {
            format!("the bank gave {} of the dispute {id} back", amount("amount"))
        }
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            refund(kind, status, id, &amount("amount"))
        }
        _ => return None,
    };
    Some(words)
}

fn refund(kind: &str, status: &str, id: &str, amount: &str) -> String {
    match (status, kind) {
        ("failed", _) => format!("the refund {id} of {amount} failed, so that the money stayed"),
        ("canceled", _) => {
            format!("the refund {id} of {amount} was canceled, so that the money stayed")
        }
        ("pending" | "requires_action", _) => format!("a refund {id} of {amount} is on its way"),
        (_, "refund.created") => format!("{amount} were refunded ({id})"),
        _ => format!("there is news of the refund {id} of {amount} ({status})"),
    }
}

fn verdict(status: &str) -> String {
    match status {
        "won" => "the bank found for you".to_owned(),
        "lost" => "the bank found for the payer".to_owned(),
        "warning_closed" => "the inquiry led to nothing".to_owned(),
        "prevented" => "it was prevented".to_owned(),
        other => other.to_owned(),
    }
}

/// Whether events of this type tell of money that goes back.
pub(super) fn concerns(kind: &str) -> bool {
    ["refund.", "charge.refund", "charge.dispute."].iter().any(|prefix| kind.starts_with(prefix))
}

/// Whether events of this type tell of a dispute, but never move its money.
pub(super) fn only_tells(kind: &str) -> bool {
    kind.starts_with("charge.dispute.") && !kind.starts_with("charge.dispute.funds_")
}

/// What went back of a payment, and which disputes may still change that.
pub(super) fn standing(payment: &Payment, legs: &[Leg]) -> Option<String> {
    let bought = sum(legs, "purchase");
    let ways = [("refund", "refunds took"), ("dispute", "disputes took")];
    let gone = ways.iter().filter_map(|(leg, way)| Some(format!("{way} {}", sum(legs, leg)?)));
    let gone: Vec<String> = gone.collect();
    let gone = bought
        .filter(|_| !gone.is_empty())
        .map(|bought| format!("Of {bought} that were bought, {} back.", and(&gone)));
    let told = told_of(payment);
    let open = told.disputes.iter().filter(|(_, dispute)| dispute.is_open()).map(still_open);
    let open: Vec<String> = open.collect();
    let standing = sentences([gone, Some(open.join(" "))]);
    (!standing.is_empty()).then_some(standing)
}

/// Whether a dispute may still change what the payment is worth.
pub(super) fn has_open_dispute(payment: &Payment) -> bool {
    told_of(payment).disputes.values().any(Dispute::is_open)
}

fn told_of(payment: &Payment) -> Reversals {
    let told = payment.facts.get("reversals").cloned().unwrap_or_default();
    serde_json::from_value(told).unwrap_or_default()
}

fn still_open((id, dispute): (&String, &Dispute)) -> String {
    if dispute.withdrawn() > 0 {
        format!(
            "The dispute {id} is open: should the bank give its money back, the credits come back, too."
        )
    } else {
        format!("The dispute {id} is open, but it has taken no money.")
    }
}

/// What is posted on legs of this kind, unit by unit and without its sign; `None` if it is nothing.
fn sum(legs: &[Leg], kind: &str) -> Option<String> {
    let mut units: Vec<(&str, i64)> = Vec::new();
    for leg in legs.iter().filter(|leg| leg.leg == kind && leg.posted != 0) {
        match units.iter_mut().find(|(unit, _)| *unit == leg.unit) {
            Some((_, sum)) => *sum = sum.saturating_add(leg.posted),
            None => units.push((&leg.unit, leg.posted)),
        }
    }
    let sums: Vec<String> =
        units.iter().map(|(unit, sum)| credits(sum.saturating_abs(), unit)).collect();
    (!sums.is_empty()).then(|| and(&sums))
}
