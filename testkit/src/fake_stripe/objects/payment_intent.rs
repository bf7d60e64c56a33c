//! Payment intents, and how a payment goes: paid, declined, or under way first.

use serde_json::{Value, json};

use super::payment_method::{self, Behaviour};
use super::{charge, dispute, list, update_metadata};
use crate::fake_stripe::call::{Answer, Call, Method};
use crate::fake_stripe::params::Params;
use crate::fake_stripe::refusal::Refusal;
use crate::fake_stripe::world::World;

/// How far a confirmed payment came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// It is paid.
    Paid,
    /// It is authorised: the money is taken by a capture.
    Authorized,
    /// The bank decides later: see [`settle`].
    Processing,
}

pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (Method::Post, []) => create(world, call),
        (Method::Post, [id]) => update_metadata(world, call, "payment_intent", id, &[]),
        (Method::Post, [id, "confirm"]) => {
            let intent = world.find("payment_intent", id)?;
            let own = intent["payment_method"].as_str().map(str::to_owned);
            let given = call.params().text("payment_method").map(str::to_owned);
            let name = given.or(own).ok_or_else(|| Refusal::missing("payment_method"))?;
            confirm_and_settle(world, id, &name)
        }
        (Method::Post, [id, "capture"]) => capture(world, call.params(), id),
        (Method::Post, [id, "cancel"]) => cancel(world, call.params(), id),
        (Method::Get, []) => list(world, call, "payment_intent", &["customer"]),
        (Method::Get, [id]) => world.find("payment_intent", id).cloned(),
        _ => Err(call.unknown()),
    }
}

fn create(world: &mut World, call: &Call) -> Answer {
    let params = call.params();
    let amount = params.integer("amount")?.ok_or_else(|| Refusal::missing("amount"))?;
    let plain = ["capture_method", "customer", "description", "receipt_email"];
    let mut fields = params.only(&plain);
    fields["amount"] = amount.into();
    fields["currency"] = params.required("currency")?.into();
    fields["metadata"] = params.metadata(&json!({}));
    fields["shipping"] = params.json("shipping");
    let id = make(world, fields);
    match params.text("payment_method") {
        Some(name) if params.is_set("confirm") => confirm_and_settle(world, &id, name),
        Some(name) => {
            let payment_method = payment_method::resolve(world, name)?;
            let fields =
                json!({ "payment_method": payment_method, "status": "requires_confirmation" });
            world.change(&id, fields);
            Ok(world.get(&id).clone())
        }
        None => Ok(world.get(&id).clone()),
    }
}

/// A payment intent with these fields, and the event that tells of it.
pub(super) fn make(world: &mut World, fields: Value) -> String {
    let id = world.new_id("pi");
    let intent = json!({
        "id": id,
        "object": "payment_intent",
        "amount": 0,
        "amount_capturable": 0,
        "amount_received": 0,
        "canceled_at": null,
        "cancellation_reason": null,
        "capture_method": "automatic_async",
        "client_secret": format!("{id}_secret_fake"),
        "confirmation_method": "automatic",
        "created": world.now(),
        "currency": "usd",
        "customer": null,
        "customer_account": null,
        "description": null,
        "last_payment_error": null,
        "latest_charge": null,
        "livemode": world.livemode,
        "metadata": {},
        "next_action": null,
        "payment_method": null,
        "payment_method_types": ["card"],
        "receipt_email": null,
        "setup_future_usage": null,
        "shipping": null,
        "status": "requires_payment_method",
    });
    world.insert(intent);
    world.change(&id, fields);
    world.tell("payment_intent.created", &id);
    id
}

fn confirm_and_settle(world: &mut World, id: &str, payment_method: &str) -> Answer {
    if confirm(world, id, payment_method)? == Progress::Processing {
        settle(world, id);
    }
    Ok(world.get(id).clone())
}

/// Tries to take the money by this payment method.
pub(super) fn confirm(
    world: &mut World,
    id: &str,
    payment_method: &str,
) -> Result<Progress, Refusal> {
    let status = world.get(id)["status"].as_str().unwrap_or_default();
    if !matches!(status, "requires_payment_method" | "requires_confirmation") {
        let message = format!("You cannot confirm this PaymentIntent: its status is {status}.");
        return Err(Refusal::invalid("payment_intent_unexpected_state", message));
    }
    let method = payment_method::resolve(world, payment_method)?;
    let types = json!([world.get(&method)["type"]]);
    world.change(id, json!({ "payment_method": method, "payment_method_types": types }));
    match payment_method::behaviour(world, &method) {
        Behaviour::Declines => {
            fail(world, id);
            Err(Refusal::declined())
        }
        Behaviour::PaysLater | Behaviour::FailsLater => {
            let charge = charge::make(world, id, "pending");
            world.change(id, json!({ "status": "processing", "latest_charge": charge }));
            world.tell("charge.pending", &charge);
            world.tell("payment_intent.processing", id);
            Ok(Progress::Processing)
        }
        Behaviour::Pays | Behaviour::Disputed | Behaviour::Inquired | Behaviour::RefundFails => {
            if world.get(id)["capture_method"] == "manual" {
                authorize(world, id);
                return Ok(Progress::Authorized);
            }
            let charge = charge::make(world, id, "succeeded");
            succeed(world, id, &charge, "charge.succeeded");
            Ok(Progress::Paid)
        }
    }
}

/// The end of a payment that was under way: whether it is paid.
pub(super) fn settle(world: &mut World, id: &str) -> bool {
    let intent = world.get(id).clone();
    let method = intent["payment_method"].as_str().unwrap_or_default();
    if payment_method::behaviour(world, method) == Behaviour::FailsLater {
        fail(world, id);
        return false;
    }
    let charge = intent["latest_charge"].as_str().unwrap_or_default();
    world.change(charge, charge::paid(&intent["amount"]));
    succeed(world, id, charge, "charge.succeeded");
    true
}

/// The bank promises the money: the charge succeeded, but nothing is paid.
fn authorize(world: &mut World, id: &str) {
    let charge = charge::make(world, id, "succeeded");
    world.change(&charge, json!({ "captured": false, "amount_captured": 0 }));
    let amount = world.get(id)["amount"].clone();
    let fields = json!({
        "status": "requires_capture",
        "latest_charge": charge,
        "amount_capturable": amount,
    });
    world.change(id, fields);
    world.tell("charge.succeeded", &charge);
    world.tell("payment_intent.amount_capturable_updated", id);
}

/// Takes what was promised, the whole of it.
fn capture(world: &mut World, params: Params<'_>, id: &str) -> Answer {
    let intent = world.find("payment_intent", id)?.clone();
    if intent["status"] != "requires_capture" {
        let message = "This PaymentIntent could not be captured: there is nothing to capture.";
        return Err(Refusal::invalid("payment_intent_unexpected_state", message));
    }
    if params.integer("amount_to_capture")?.is_some_and(|amount| intent["amount"] != amount) {
        let message = "The fake Stripe captures all or nothing.";
        return Err(Refusal::invalid("parameter_invalid", message));
    }
    let charge = intent["latest_charge"].as_str().unwrap_or_default();
    world.change(charge, charge::paid(&intent["amount"]));
    succeed(world, id, charge, "charge.captured");
    Ok(world.get(id).clone())
}

/// The money came; `event` tells of it from the charge's side.
fn succeed(world: &mut World, id: &str, charge: &str, event: &str) {
    let fields = json!({
        "status": "succeeded",
        "latest_charge": charge,
        "amount_capturable": 0,
        "amount_received": world.get(id)["amount"],
    });
    world.change(id, fields);
    world.tell(event, charge);
    world.tell("payment_intent.succeeded", id);
    let method = world.get(id)["payment_method"].as_str().unwrap_or_default();
    match payment_method::behaviour(world, method) {
        Behaviour::Disputed => dispute::open(world, charge, dispute::Kind::Dispute),
        Behaviour::Inquired => dispute::open(world, charge, dispute::Kind::Inquiry),
        Behaviour::Pays
        | Behaviour::Declines
        | Behaviour::RefundFails
        | Behaviour::PaysLater
        | Behaviour::FailsLater => {}
    }
}

fn fail(world: &mut World, id: &str) {
    let latest = world.get(world.get(id)["latest_charge"].as_str().unwrap_or_default());
    let pending = (latest["status"] == "pending").then(|| latest["id"].as_str()).flatten();
    let charge = pending.map(str::to_owned);
    let charge = charge.unwrap_or_else(|| charge::make(world, id, "failed"));
    world.change(&charge, json!({ "status": "failed", "failure_code": "card_declined" }));
    let error = json!({ "type": "card_error", "code": "card_declined", "charge": charge });
    let fields = json!({
        "status": "requires_payment_method",
        "latest_charge": charge,
        "last_payment_error": error,
        "payment_method": null,
    });
    world.change(id, fields);
    world.tell("charge.failed", &charge);
    world.tell("payment_intent.payment_failed", id);
}

fn cancel(world: &mut World, params: Params<'_>, id: &str) -> Answer {
    if world.find("payment_intent", id)?["status"] == "succeeded" {
        let message = "You cannot cancel this PaymentIntent because it has a status of succeeded.";
        return Err(Refusal::invalid("payment_intent_unexpected_state", message));
    }
    let mut fields = params.only(&["cancellation_reason"]);
    fields["status"] = "canceled".into();
    fields["canceled_at"] = world.now().into();
    world.change(id, fields);
    world.tell("payment_intent.canceled", id);
    Ok(world.get(id).clone())
}
