//! What somebody told us, in a sentence: the beginning of every beat.

use ledger::DEFAULT_UNIT;
use ledger::ids::CaseId;
use serde_json::Value;
use store::log::{Origin, Source};
use store::read::events::Envelope;
use store::read::explain::Fact;

use super::material::Material;
use super::reversals::said;
use super::words::{catalogue_key, credits, sha256};

/// Type of what was pulled from Stripe's API.
const PULLED: &str = "tally.pulled";

/// What the event says, by whoever said it. `of_this` tells whether it is one of the story's own, or one that had an
/// influence on it.
pub(super) fn told(material: &Material, event: &Envelope, of_this: bool) -> String {
    let said = material.facts.get(&event.pos).filter(|fact| !fact.body.is_null());
    let Some(fact) = said else {
        let object = material.said.get(&event.pos);
        return if of_this { stripe(event, object) } else { elsewhere(event) };
    };
    let actor = || actor(material, fact);
    match fact.event_type.as_str() {
        "tally.user.registered" => format!("The app registered user {}.", text(fact, "user")),
        "tally.catalogue.set" => format!("{} {}.", actor(), catalogue(fact)),
        "tally.case.assigned" => {
            format!(
                "{} assigned {} to user {}{}.{}",
                actor(),
                case(fact),
                text(fact, "user"),
                worth(fact),
                reason(fact)
            )
        }
        "tally.case.dismissed" => {
            let write_off = fact.body.get("write_off").and_then(Value::as_bool).unwrap_or_default();
            let how = if write_off { " and wrote its credits off" } else { "" };
            format!("{} dismissed {}{how}.{}", actor(), case(fact), reason(fact))
        }
        "tally.case.retried" => format!("{} asked for {} to be decided anew.", actor(), case(fact)),
        "tally.case.due" => format!("The time that {} was to wait was over.", case(fact)),
        "tally.payment.reassigned" => format!(
            "{} moved payment {} to user {}.{}",
            actor(),
            text(fact, "payment"),
            text(fact, "user"),
            reason(fact)
        ),
        "tally.payment.imported" => format!(
            "{} imported payment {}: the system before had credited it to user {}{}.",
            actor(),
            text(fact, "payment"),
            text(fact, "user"),
            worth(fact)
        ),
        "tally.event.erased" => {
            let pos = fact.body.get("pos").and_then(Value::as_i64).unwrap_or_default();
            format!(
                "{} had the bytes of the event at position {pos} erased.{}",
                actor(),
                reason(fact)
            )
        }
        other => format!("We noted a fact of type {other}."),
    }
}

/// What the event is called, and how it can be proved that it was said.
pub(super) fn proof(event: &Envelope) -> String {
    let (id, pos, sha256) = (&event.source_id, event.pos, sha256(&event.body_sha256));
    let bytes = match (event.is_signed, event.body_bytes) {
        (_, None) => "bytes erased, their SHA-256 was",
        (true, Some(_)) => "signed bytes with SHA-256",
        (false, Some(_)) => "bytes with SHA-256",
    };
    format!("event {id}, position {pos}, {bytes} {sha256}")
}

/// What Stripe says happened.
fn stripe(event: &Envelope, object: Option<&Value>) -> String {
    let kind = event.event_type.as_str();
    if let (PULLED, Some(object)) = (kind, object) {
        return pulled(object);
    }
    let way = match event.source {
        Source::Webhook => "Stripe told us",
        Source::Backfill => "Stripe told us, when we asked,",
        Source::Import => "An import told us",
        Source::Api | Source::Cli => "We were told",
    };
    let words = object.and_then(|object| said(kind, object));
    match (kind, words.or_else(|| happened(kind).map(str::to_owned))) {
        ("", _) => format!("{way} something that is no event."),
        (kind, Some(words)) => format!("{way} that {words} ({kind})."),
        (kind, None) => format!("{way} of an event of type {kind}."),
    }
}

/// What we asked Stripe for.
fn pulled(object: &Value) -> String {
    let text = |member: &str| object.get(member).and_then(Value::as_str).unwrap_or_default();
    let what = text("object").replace(['.', '_'], " ");
    format!("We asked Stripe for the {what} {}, and kept what it answered.", text("id"))
}

/// An event that is not of this story, but had an influence on it.
fn elsewhere(event: &Envelope) -> String {
    let kind = event.event_type.as_str();
    match (event.origin, kind) {
        (Origin::Stripe, "customer.created" | "customer.updated") => {
            format!("Stripe told us more about the customer ({kind}).")
        }
        (Origin::Stripe, PULLED) => "Stripe answered what we asked it for.".to_owned(),
        (Origin::Stripe, kind) if kind.starts_with("customer.subscription.") => {
            format!("Stripe told us more about the subscription ({kind}).")
        }
        (Origin::Stripe, _) => format!(
            "Another payment of the same Stripe customer was settled, which tells whose the customer is ({kind})."
        ),
        (Origin::Operator | Origin::Directory | Origin::Catalogue | Origin::Clock, _) => {
            format!("We noted a fact whose words were erased ({kind}).")
        }
    }
}

/// What Stripe's type of event means, after "told us that".
fn happened(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "checkout.session.completed" => "a checkout was completed",
        "checkout.session.async_payment_succeeded" => "the payment of a checkout arrived",
        "checkout.session.async_payment_failed" => "the payment of a checkout failed",
        "checkout.session.expired" => "a checkout was abandoned",
        "payment_intent.processing" => "a payment is under way",
        "payment_intent.succeeded" => "a payment succeeded",
        "payment_intent.canceled" => "a payment was canceled",
        "charge.succeeded" => "a charge succeeded",
        "charge.captured" => "the money of a charge was taken",
        "charge.expired" => "a charge was never taken",
        "charge.refunded" => "a charge was refunded",
        "refund.created" => "money was refunded",
        "refund.failed" => "a refund failed",
        "refund.updated" | "charge.refund.updated" => "there is news of a refund",
        "charge.dispute.created" => "a charge was disputed",
        "charge.dispute.updated" => "a dispute goes on",
        "charge.dispute.closed" => "a dispute is over",
        "charge.dispute.funds_withdrawn" => "the bank took the disputed money",
        "charge.dispute.funds_reinstated" => "the bank gave the disputed money back",
        "customer.created" => "a customer was created",
        "customer.updated" => "a customer was changed",
        "customer.subscription.created" => "a subscription began",
        "customer.subscription.updated" => "a subscription was changed",
        "customer.subscription.deleted" => "a subscription ended",
        "invoice.paid" | "invoice.payment_succeeded" => "an invoice was paid",
        "invoice.voided" => "an invoice was voided",
        "invoice_payment.paid" => "an invoice was paid by this payment",
        "radar.early_fraud_warning.created" => "the card's issuer warns of fraud",
        _ => return None,
    })
}

fn actor(material: &Material, fact: &Fact) -> String {
    let key_id = text(fact, "actor");
    match material.actors.get(key_id) {
        Some(name) => format!("{name} ({key_id})"),
        None => key_id.to_owned(),
    }
}

fn case(fact: &Fact) -> String {
    let id = text(fact, "case").parse().map(|id| CaseId(id).to_string());
    id.map_or_else(|_| "a case".to_owned(), |id| format!("case {id}"))
}

fn catalogue(fact: &Fact) -> String {
    let what = catalogue_key(text(fact, "price"));
    let from = fact.body.get("valid_from").and_then(Value::as_str);
    let from =
        from.map_or_else(String::new, |moment| format!(", for what is paid from {moment} on"));
    let Some(amount) = fact.body.get("credits").and_then(Value::as_i64) else {
        return format!("declared that the {what} does not concern us{from}");
    };
    let lasting = match fact.body.get("expires").and_then(Value::as_str) {
        Some("period_end") => ", which last until the billing period ends".to_owned(),
        Some(duration) => format!(", which last for {duration}"),
        None => String::new(),
    };
    format!("set the {what} to {}{lasting}{from}", credits(amount, unit(fact)))
}

fn worth(fact: &Fact) -> String {
    let amount = fact.body.get("credits").and_then(Value::as_i64);
    amount.map_or_else(String::new, |amount| format!(", as {}", credits(amount, unit(fact))))
}

fn unit(fact: &Fact) -> &str {
    Some(text(fact, "unit")).filter(|unit| !unit.is_empty()).unwrap_or(DEFAULT_UNIT)
}

fn reason(fact: &Fact) -> String {
    let reason = text(fact, "reason").trim();
    if reason.is_empty() { String::new() } else { format!(" The reason given: “{reason}”.") }
}

fn text<'a>(fact: &'a Fact, member: &str) -> &'a str {
    fact.body.get(member).and_then(Value::as_str).unwrap_or_default()
}
