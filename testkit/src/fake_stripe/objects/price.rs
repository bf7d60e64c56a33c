//! Prices, one-time and recurring.

use serde_json::{Value, json};

use super::{list, product};
use crate::fake_stripe::call::{Answer, Call, Method};
use crate::fake_stripe::refusal::Refusal;
use crate::fake_stripe::world::World;

pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (Method::Post, []) => create(world, call),
        (Method::Get, []) => list(world, call, "price", &["product", "currency", "type"]),
        (Method::Get, [id]) => world.find("price", id).cloned(),
        _ => Err(call.unknown()),
    }
}

fn create(world: &mut World, call: &Call) -> Answer {
    let params = call.params();
    let product = params.required("product")?.to_owned();
    world.find("product", &product)?;
    let unit_amount =
        params.integer("unit_amount")?.ok_or_else(|| Refusal::missing("unit_amount"))?;
    let id = make(world, params.required("currency")?, unit_amount, &product);
    let mut fields = params.only(&["nickname", "lookup_key"]);
    fields["metadata"] = params.metadata(&json!({}));
    if let Some(interval) = params.at("recurring").text("interval") {
        let interval_count = params.at("recurring").integer("interval_count")?.unwrap_or(1);
        fields["type"] = "recurring".into();
        fields["recurring"] = json!({
            "interval": interval,
            "interval_count": interval_count,
            "usage_type": "licensed",
        });
    }
    world.change(&id, fields);
    world.tell("price.created", &id);
    Ok(world.get(&id).clone())
}

/// A one-time price that nobody can buy a second time, as Stripe makes it for a bare amount.
pub(super) fn make_for_amount(world: &mut World, currency: &str, amount: i64) -> String {
    let product = product::make(world, "(for one invoice item)");
    let id = make(world, currency, amount, &product);
    world.change(&id, json!({ "active": false }));
    id
}

fn make(world: &mut World, currency: &str, unit_amount: i64, product: &str) -> String {
    let id = world.new_id("price");
    let price = json!({
        "id": id,
        "object": "price",
        "active": true,
        "billing_scheme": "per_unit",
        "created": world.now(),
        "currency": currency,
        "livemode": world.livemode,
        "lookup_key": null,
        "metadata": {},
        "nickname": null,
        "product": product,
        "recurring": null,
        "tax_behavior": "unspecified",
        "type": "one_time",
        "unit_amount": unit_amount,
        "unit_amount_decimal": unit_amount.to_string(),
    });
    world.insert(price);
    id
}

/// What so many of a price cost.
pub(super) fn amount(price: &Value, quantity: i64) -> Result<i64, Refusal> {
    let unit_amount = price["unit_amount"].as_i64().unwrap_or_default();
    let amount = unit_amount.checked_mul(quantity);
    amount.ok_or_else(|| Refusal::invalid("amount_too_large", "The amount is too large."))
}
