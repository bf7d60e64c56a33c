//! Invoice items: what waits to be put on a customer's next invoice.

use serde_json::json;

use super::{list, price};
use crate::fake_stripe::call::{Answer, Call, Method};
use crate::fake_stripe::refusal::Refusal;
use crate::fake_stripe::world::World;

pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (Method::Post, []) => create(world, call),
        (Method::Get, []) => list(world, call, "invoiceitem", &["customer", "invoice"]),
        (Method::Get, [id]) => world.find("invoiceitem", id).cloned(),
        _ => Err(call.unknown()),
    }
}

fn create(world: &mut World, call: &Call) -> Answer {
    let params = call.params();
    let customer = params.required("customer")?.to_owned();
    world.find("customer", &customer)?;
    if let Some(invoice) = params.text("invoice") {
        world.find("invoice", invoice)?;
    }
    let quantity = params.integer("quantity")?.unwrap_or(1);
    // Newer versions name the price under `pricing`, older ones at the top.
    let named = params.at("pricing").text("price").or_else(|| params.text("price"));
    let price_id = if let Some(id) = named {
        id.to_owned()
    } else {
        let amount = params.integer("amount")?.ok_or_else(|| Refusal::missing("amount"))?;
        price::make_for_amount(world, params.required("currency")?, amount)
    };
    let price = world.find("price", &price_id)?.clone();
    let id = world.new_id("ii");
    let item = json!({
        "id": id,
        "object": "invoiceitem",
        "amount": price::amount(&price, quantity)?,
        "currency": price["currency"],
        "customer": customer,
        "customer_account": null,
        "date": world.now(),
        "description": params.text("description"),
        "discountable": true,
        "invoice": params.text("invoice"),
        "livemode": world.livemode,
        "metadata": params.metadata(&json!({})),
        "parent": null,
        "period": { "end": world.now(), "start": world.now() },
        "pricing": {
            "price_details": { "price": price["id"], "product": price["product"] },
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "proration": false,
        "quantity": quantity,
    });
    world.insert(item);
    world.tell("invoiceitem.created", &id);
    Ok(world.get(&id).clone())
}
