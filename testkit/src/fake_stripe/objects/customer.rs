//! Customers.

use serde_json::{Value, json};

use super::{list, payment_method};
use crate::fake_stripe::call::{Answer, Call, Method};
use crate::fake_stripe::world::World;

/// Fields that are taken as they are.
const PLAIN: [&str; 4] = ["description", "email", "name", "phone"];

pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (Method::Post, []) => create(world, call),
        (Method::Post, [id]) => update(world, call, id),
        (Method::Get, []) => list(world, call, "customer", &["email"]),
        (Method::Get, [id]) => world.find("customer", id).cloned(),
        (Method::Delete, [id]) => {
            world.find("customer", id)?;
            world.tell("customer.deleted", id);
            world.change(id, json!({ "deleted": true }));
            Ok(json!({ "id": id, "object": "customer", "deleted": true }))
        }
        _ => Err(call.unknown()),
    }
}

fn create(world: &mut World, call: &Call) -> Answer {
    let id = make(world);
    let fields = fields(world, call, &id)?;
    world.change(&id, fields);
    if let Some(name) = call.params().text("payment_method") {
        let payment_method = payment_method::resolve(world, name)?;
        payment_method::attach(world, &payment_method, &id);
    }
    world.tell("customer.created", &id);
    Ok(world.get(&id).clone())
}

fn update(world: &mut World, call: &Call, id: &str) -> Answer {
    world.find("customer", id)?;
    let fields = fields(world, call, id)?;
    let before = world.change(id, fields);
    world.tell_change("customer.updated", id, &before);
    Ok(world.get(id).clone())
}

/// What the call sets.
fn fields(
    world: &mut World,
    call: &Call,
    id: &str,
) -> Result<Value, super::super::refusal::Refusal> {
    let params = call.params();
    let mut fields = params.only(&PLAIN);
    fields["metadata"] = params.metadata(&world.get(id)["metadata"]);
    if let Some(name) = params.at("invoice_settings").text("default_payment_method") {
        let payment_method = payment_method::resolve(world, name)?;
        payment_method::attach(world, &payment_method, id);
        fields["invoice_settings"] = json!({ "default_payment_method": payment_method });
    }
    Ok(fields)
}

/// A customer of whom nothing is known, and of whom no event tells yet.
pub(super) fn make(world: &mut World) -> String {
    let id = world.new_id("cus");
    let customer = json!({
        "id": id,
        "object": "customer",
        "address": null,
        "balance": 0,
        "created": world.now(),
        "currency": null,
        "customer_account": null,
        "default_source": null,
        "delinquent": false,
        "description": null,
        "email": null,
        "invoice_settings": { "default_payment_method": null },
        "livemode": world.livemode,
        "metadata": {},
        "name": null,
        "phone": null,
        "preferred_locales": [],
        "shipping": null,
        "tax_exempt": "none",
    });
    world.insert(customer);
    id
}
