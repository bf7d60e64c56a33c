//! Checkout sessions, until somebody pays: that is the payment page's part.

use serde_json::{Value, json};

use super::{list, price};
use crate::fake_stripe::call::{Answer, Call, Method};
use crate::fake_stripe::lists;
use crate::fake_stripe::params::Params;
use crate::fake_stripe::refusal::Refusal;
use crate::fake_stripe::world::World;

/// Seconds after which an open session ends.
const EXPIRES_AFTER: i64 = 86_400;

pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (Method::Post, ["sessions"]) => create(world, call.params()),
        (Method::Post, ["sessions", id, "expire"]) => expire(world, id),
        (Method::Get, ["sessions"]) => {
            list(world, call, "checkout.session", &["customer", "payment_intent", "subscription"])
        }
        (Method::Get, ["sessions", id]) => world.find("checkout.session", id).cloned(),
        (Method::Get, ["sessions", id, "line_items"]) => {
            let items = &world.find("checkout.session", id)?["line_items"];
            lists::page(call, items.as_array().map_or(&[], Vec::as_slice))
        }
        _ => Err(call.unknown()),
    }
}

fn create(world: &mut World, params: Params<'_>) -> Answer {
    let mode = params.required("mode")?;
    let mut line_items = Vec::new();
    for item in params.list("line_items") {
        line_items.push(line_item(world, item)?);
    }
    if line_items.is_empty() && mode != "setup" {
        return Err(Refusal::missing("line_items"));
    }
    let total = line_items.iter().filter_map(|item| item["amount_total"].as_i64());
    let total = total.fold(0_i64, i64::saturating_add);
    let currency = line_items.first().map_or(Value::Null, |item| item["currency"].clone());
    let id = world.new_id(if world.livemode { "cs_live" } else { "cs_test" });
    let session = json!({
        "id": id,
        "object": "checkout.session",
        "amount_subtotal": total,
        "amount_total": total,
        "cancel_url": params.text("cancel_url"),
        "client_reference_id": params.text("client_reference_id"),
        "created": world.now(),
        "currency": currency,
        "customer": params.text("customer"),
        "customer_account": null,
        "customer_creation": params.text("customer_creation").unwrap_or("if_required"),
        "customer_details": null,
        "customer_email": params.text("customer_email"),
        "expires_at": world.now().saturating_add(EXPIRES_AFTER),
        "invoice": null,
        "line_items": line_items,
        "livemode": world.livemode,
        "metadata": params.metadata(&json!({})),
        "mode": mode,
        "payment_intent": null,
        "payment_link": null,
        "payment_method_types": ["card"],
        "payment_status": if total == 0 { "no_payment_required" } else { "unpaid" },
        "setup_intent": null,
        "status": "open",
        "subscription": null,
        "success_url": params.text("success_url"),
        "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
        "ui_mode": "hosted_page",
        "url": format!("https://checkout.stripe.com/c/pay/{id}"),
    });
    world.insert(session);
    let data = if mode == "subscription" { "subscription_data" } else { "payment_intent_data" };
    world.hand_down(&id, params.at(data).metadata(&json!({})));
    Ok(world.get(&id).clone())
}

fn line_item(world: &mut World, item: Params<'_>) -> Answer {
    let price = world.find("price", item.required("price")?)?.clone();
    let quantity = item.integer("quantity")?.unwrap_or(1);
    let amount = price::amount(&price, quantity)?;
    let product = world.get(price["product"].as_str().unwrap_or_default());
    let description = product["name"].clone();
    Ok(json!({
        "id": world.new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": description,
        "price": price,
        "quantity": quantity,
    }))
}

fn expire(world: &mut World, id: &str) -> Answer {
    if world.find("checkout.session", id)?["status"] != "open" {
        let message = "Only Checkout Sessions with a status in [\"open\"] can be expired.";
        return Err(Refusal::invalid("checkout_session_unexpected_state", message));
    }
    world.change(id, json!({ "status": "expired", "url": null }));
    world.tell("checkout.session.expired", id);
    Ok(world.get(id).clone())
}
