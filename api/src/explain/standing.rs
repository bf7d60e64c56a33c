//! Where it stands now, and what can be done about it.

use ledger::decision::Reason;
use ledger::ids::Owner;
use rules::world::Detail;
use store::read::cases::{Case, Resolution};
use store::read::payments::{Leg, Payment, Status};

use super::material::Material;
use super::reversals::{self, has_open_dispute};
use super::words::{and, catalogue_key, credits, is_contested, money, or, sentences};

/// What the story is about, in one line.
pub(super) fn title(material: &Material) -> String {
    let Some(payment) = &material.payment else {
        let event = material.events.values().next();
        return event.map_or_else(String::new, |event| {
            format!("Event {} at position {}", event.source_id, event.pos)
        });
    };
    let price = payment.paid.zip(payment.currency.as_deref());
    let price =
        price.map(|(paid, currency)| format!(" of {}", money(paid, currency))).unwrap_or_default();
    format!("Payment {}{price}: {}", payment.root_key, summary(material, payment))
}

fn summary(material: &Material, payment: &Payment) -> String {
    let (posted, expected) =
        (total(&material.legs, |leg| leg.posted), total(&material.legs, |leg| leg.expected));
    match (&payment.owner, material.open_case(), payment.status) {
        (_, Some(case), _) => format!("waits in case {}", case.id),
        (Some(Owner::User(user)), None, _) => posted.map_or_else(
            || format!("user {user}'s, but all of its credits were taken back"),
            |posted| format!("{posted} for user {user}"),
        ),
        (_, None, Status::Pending) => expected.map_or_else(
            || "the money is not in yet".to_owned(),
            |expected| format!("worth {expected}, the money is not in yet"),
        ),
        (_, None, Status::NotOurs) => "does not concern us".to_owned(),
        (_, None, Status::Failed) => "failed".to_owned(),
        (_, None, Status::Unknown | Status::Paid) => "nothing is credited".to_owned(),
    }
}

/// Where it stands.
pub(super) fn now(material: &Material) -> String {
    if let Some(case) = material.open_case() {
        return waiting(material, case);
    }
    let Some(payment) = &material.payment else { return alone(material) };
    let (posted, expected) =
        (total(&material.legs, |leg| leg.posted), total(&material.legs, |leg| leg.expected));
    match (&payment.owner, payment.status) {
        (Some(Owner::User(user)), _) => {
            let stands = match posted {
                Some(posted) => format!(
                    "Settled: {posted} of this payment stand on the account of user {user}."
                ),
                None => format!(
                    "Settled: it is user {user}'s, but none of its credits stand on the account any more."
                ),
            };
            let nothing = (!has_open_dispute(payment)).then(|| "Nothing is open.".to_owned());
            sentences([Some(stands), reversals::standing(payment, &material.legs), nothing])
        }
        (_, Status::Pending) => {
            let worth = expected.unwrap_or_else(|| "its credits".to_owned());
            let whose = payment.claimant.as_ref();
            let whose =
                whose.map_or_else(|| "to whose it is".to_owned(), |user| format!("to user {user}"));
            format!(
                "The money is not in yet. As soon as Stripe tells us that it is, {worth} go {whose}."
            )
        }
        (_, Status::NotOurs) => {
            "Nothing is open: it does not concern the credits that we keep.".to_owned()
        }
        (_, Status::Failed) => {
            "Nothing is open: the payment failed, and nothing was credited.".to_owned()
        }
        (Some(Owner::Unclaimed(_)) | None, Status::Unknown | Status::Paid) => {
            let is_dismissed = |case: &Case| case.resolution == Some(Resolution::Dismissed);
            let why =
                if material.cases.iter().any(is_dismissed) { "it was dismissed, and " } else { "" };
            format!("Nothing is open: {why}nothing of it is credited.")
        }
    }
}

/// What an event that belongs to no payment came to.
fn alone(material: &Material) -> String {
    match material.decisions.last() {
        Some(last) => format!(
            "Nothing is open: the event is {} ({}).",
            last.verdict.outcome.name(),
            last.verdict.reason.name()
        ),
        None => "It is not decided yet.".to_owned(),
    }
}

/// What an open case waits for, and what staff can do.
fn waiting(material: &Material, case: &Case) -> String {
    let id = case.id;
    let detail: Detail = serde_json::from_value(case.detail.clone()).unwrap_or_default();
    let aside = match &material.payment {
        Some(Payment { owner: Some(owner), .. }) => {
            let stand = match owner {
                Owner::User(user) => format!("stay with user {user}"),
                Owner::Unclaimed(_) => "stand unclaimed".to_owned(),
            };
            total(&material.legs, |leg| leg.posted)
                .map(|posted| format!(" {posted} {stand} meanwhile."))
        }
        Some(_) | None => None,
    };
    let heals: Vec<String> =
        material.waits_of(case).into_iter().map(|key| healing(case.reason, key)).collect();
    let heals = if heals.is_empty() {
        String::new()
    } else {
        format!(" It settles by itself {}.", heals.join(", or "))
    };
    let aside = aside.unwrap_or_default();
    format!(
        "It waits in case {id} ({}).{aside}{heals} {}",
        case.reason.name(),
        to_do(case, &detail)
    )
}

/// What would release a case, from the key that it waits for.
fn healing(reason: Reason, key: &str) -> String {
    match key.split_once(':') {
        Some(("user", user)) => {
            format!("once the app registers user {user} (PUT /v1/users/{user})")
        }
        Some(("customer", customer)) => {
            format!("once it is known whose the Stripe customer {customer} is")
        }
        Some(("price", price)) if reason == Reason::CreditsMismatch => {
            let what = catalogue_key(price);
            format!("once the catalogue says something else of the {what} for when it was paid")
        }
        Some(("price", price)) => format!("once the catalogue has the {}", catalogue_key(price)),
        Some(("pull", path)) => {
            let path = path.split(['?', '@']).next().unwrap_or_default();
            format!("once Stripe answers what we ask it for ({path})")
        }
        Some(("payment", payment)) => format!("once more is told of the payment {payment}"),
        _ => format!("once something is told of {key}"),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only reasons of cases come here")]
fn to_do(case: &Case, detail: &Detail) -> String {
    let candidates: Vec<String> =
        detail.candidates.iter().map(|candidate| candidate.user.clone()).collect();
    let text = match case.reason {
        Reason::UnknownUser => "If that id is wrong, find the right user and assign the case.",
        Reason::NoEvidence => "Find out who paid, and assign the case to that user.",
        Reason::Conflict if is_contested(&detail.evidence) => {
            return format!(
                "Find out whether it was {} who paid, and assign the case; if it stands with the right user, dismiss it.",
                or(&candidates)
            );
        }
        Reason::Conflict => {
            return format!(
                "Find out whether it was {} who paid, and assign the case.",
                or(&candidates)
            );
        }
        Reason::UnsignedOnly => {
            return format!("If it was {} who paid, assign the case to them.", or(&candidates));
        }
        Reason::UnknownPrice => "Or assign the case, saying how many credits it is worth.",
        Reason::CreditsMismatch => {
            "Or assign the case, saying how many credits it is really worth."
        }
        Reason::Malformed | Reason::UnsupportedShape => {
            "Look at the bytes: if they concern credits, see to them in Stripe; then dismiss the case, or retry it with a newer version."
        }
        Reason::Error => "Once the cause is mended, retry the case.",
        Reason::Waiting => {
            let due = case.due.map(|due| format!(" at {due}")).unwrap_or_default();
            return format!(
                "If nothing comes, it is put aside as not ours{due}. Somebody who knows better can assign it."
            );
        }
        _ => "Assign it, dismiss it, or retry it.",
    };
    text.to_owned()
}

/// The sum over the lines, unit by unit; `None` if it is nothing.
fn total(legs: &[Leg], amount: impl Fn(&Leg) -> i64) -> Option<String> {
    let mut units: Vec<(&str, i64)> = Vec::new();
    for leg in legs {
        match units.iter_mut().find(|(unit, _)| *unit == leg.unit) {
            Some((_, sum)) => *sum = sum.saturating_add(amount(leg)),
            None => units.push((&leg.unit, amount(leg))),
        }
    }
    let sums: Vec<String> = units
        .into_iter()
        .filter(|(_, sum)| *sum != 0)
        .map(|(unit, sum)| credits(sum, unit))
        .collect();
    (!sums.is_empty()).then(|| and(&sums))
}
