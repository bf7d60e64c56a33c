//! Refunds: in full, in parts, and such that fail after they succeeded.

use serde_json::json;

use super::payment_method::{self, Behaviour};
use super::{list, update_metadata};
use crate::fake_stripe::call::{Answer, Call, Method};
use crate::fake_stripe::refusal::Refusal;
use crate::fake_stripe::world::World;

/// Both names tell of the same change.
const UPDATED: [&str; 2] = ["refund.updated", "charge.refund.updated"];

pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (Method::Post, []) => create(world, call),
        (Method::Post, [id]) => update_metadata(world, call, "refund", id, &UPDATED),
        (Method::Get, []) => list(world, call, "refund", &["charge", "payment_intent"]),
        (Method::Get, [id]) => world.find("refund", id).cloned(),
        _ => Err(call.unknown()),
    }
}

fn create(world: &mut World, call: &Call) -> Answer {
    let params = call.params();
    let charge = match params.text("payment_intent") {
        Some(intent) => {
            let charge = &world.find("payment_intent", intent)?["latest_charge"];
            charge.as_str().unwrap_or_default().to_owned()
        }
        None => params.required("charge")?.to_owned(),
    };
    let charge = world.find("charge", &charge)?.clone();
    let captured = charge["amount_captured"].as_i64().unwrap_or_default();
    let refunded = charge["amount_refunded"].as_i64().unwrap_or_default();
    let left = captured.saturating_sub(refunded);
    let amount = params.integer("amount")?.unwrap_or(left);
    if left == 0 {
        let message = "The charge has already been refunded, or was never captured.";
        return Err(Refusal::invalid("charge_already_refunded", message));
    }
    if !(1..=left).contains(&amount) {
        let message = format!("Refund amount ({amount}) is not between 1 and {left}.");
        return Err(Refusal::invalid("amount_too_large", message));
    }
    let id = world.new_id("re");
    let refund = json!({
        "id": id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": null,
        "charge": charge["id"],
        "created": world.now(),
        "currency": charge["currency"],
        "destination_details": { "card": { "type": "refund" }, "type": "card" },
        "metadata": params.metadata(&json!({})),
        "payment_intent": charge["payment_intent"],
        "reason": params.text("reason"),
        "receipt_number": null,
        "status": "succeeded",
    });
    world.insert(refund);
    let charge_id = charge["id"].as_str().unwrap_or_default();
    world.tell("refund.created", &id);
    count(world, charge_id, refunded.saturating_add(amount));
    world.tell_change("charge.refunded", charge_id, &charge);
    let method = charge["payment_method"].as_str().unwrap_or_default();
    if payment_method::behaviour(world, method) == Behaviour::RefundFails {
        fail(world, &id, charge_id, refunded);
    }
    Ok(world.get(&id).clone())
}

/// The bank could not pay it out: the money is the charge's again.
fn fail(world: &mut World, id: &str, charge: &str, refunded: i64) {
    count(world, charge, refunded);
    let fields = json!({ "status": "failed", "failure_reason": "expired_or_canceled_card" });
    let before = world.change(id, fields);
    world.tell_change("refund.failed", id, &before);
    for event in UPDATED {
        world.tell_change(event, id, &before);
    }
}

fn count(world: &mut World, charge: &str, refunded: i64) {
    let is_all = world.get(charge)["amount"] == refunded;
    world.change(charge, json!({ "amount_refunded": refunded, "refunded": is_all }));
}
