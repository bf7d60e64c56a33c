//! Invoice payments: what ties an invoice to its payment intent.

use serde_json::{Value, json};

use super::list;
use crate::fake_stripe::call::{Answer, Call, Method};
use crate::fake_stripe::world::World;

pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (Method::Get, []) => list(world, call, "invoice_payment", &["invoice", "status"]),
        (Method::Get, [id]) => world.find("invoice_payment", id).cloned(),
        _ => Err(call.unknown()),
    }
}

/// The payment of an invoice by a payment intent that is not confirmed yet.
pub(super) fn make(world: &mut World, invoice: &Value, intent: &str) {
    let id = world.new_id("inpay");
    let payment = json!({
        "id": id,
        "object": "invoice_payment",
        "amount_paid": null,
        "amount_requested": invoice["amount_due"],
        "created": world.now(),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": true,
        "livemode": world.livemode,
        "payment": { "payment_intent": intent, "type": "payment_intent" },
        "status": "open",
        "status_transitions": { "canceled_at": null, "paid_at": null },
    });
    world.insert(payment);
}

/// The invoice's newest payment, if it has one, is paid.
pub(super) fn told_paid(world: &mut World, invoice: &str) {
    let newest = world.of_kind("invoice_payment").find(|payment| payment["invoice"] == invoice);
    let Some(payment) = newest.cloned() else { return };
    let id = payment["id"].as_str().unwrap_or_default();
    let fields = json!({
        "amount_paid": payment["amount_requested"],
        "status": "paid",
        "status_transitions": { "canceled_at": null, "paid_at": world.now() },
    });
    world.change(id, fields);
    world.tell("invoice_payment.paid", id);
}
