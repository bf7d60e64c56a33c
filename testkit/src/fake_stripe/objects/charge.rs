//! Charges: each is one movement of money, made by a payment intent.

use serde_json::{Value, json};

use super::{list, update_metadata};
use crate::fake_stripe::call::{Answer, Call, Method};
use crate::fake_stripe::world::World;

pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (Method::Post, [id]) => update_metadata(world, call, "charge", id, &["charge.updated"]),
        (Method::Get, []) => list(world, call, "charge", &["customer", "payment_intent"]),
        (Method::Get, [id]) => world.find("charge", id).cloned(),
        _ => Err(call.unknown()),
    }
}

/// A charge of this payment intent, which copies its metadata once. No event tells of it yet.
pub(super) fn make(world: &mut World, intent: &str, status: &str) -> String {
    let id = world.new_id("ch");
    let intent = world.get(intent).clone();
    let method = world.get(intent["payment_method"].as_str().unwrap_or_default()).clone();
    let kind = method["type"].as_str().unwrap_or("card");
    let charge = json!({
        "id": id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "balance_transaction": null,
        "billing_details": method["billing_details"],
        "captured": false,
        "created": world.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "customer_account": null,
        "description": intent["description"],
        "disputed": false,
        "failure_code": null,
        "failure_message": null,
        "fraud_details": {},
        "livemode": world.livemode,
        "metadata": intent["metadata"],
        "outcome": { "network_status": "approved_by_network", "type": "authorized" },
        "paid": false,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": { "type": kind, kind: method[kind] },
        "receipt_email": intent["receipt_email"],
        "refunded": false,
        "shipping": intent["shipping"],
        "status": status,
    });
    world.insert(charge);
    if status == "succeeded" {
        world.change(&id, paid(&intent["amount"]));
    }
    id
}

/// What a charge says when its money came.
pub(super) fn paid(amount: &Value) -> Value {
    json!({ "status": "succeeded", "paid": true, "captured": true, "amount_captured": amount })
}
