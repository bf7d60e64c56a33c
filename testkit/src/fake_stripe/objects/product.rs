//! Products: what prices are for.

use serde_json::json;

use super::list;
use crate::fake_stripe::call::{Answer, Call, Method};
use crate::fake_stripe::world::World;

pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (Method::Post, []) => {
            let id = make(world, call.params().required("name")?);
            let mut fields = call.params().only(&["description"]);
            fields["metadata"] = call.params().metadata(&json!({}));
            world.change(&id, fields);
            world.tell("product.created", &id);
            Ok(world.get(&id).clone())
        }
        (Method::Get, []) => list(world, call, "product", &[]),
        (Method::Get, [id]) => world.find("product", id).cloned(),
        _ => Err(call.unknown()),
    }
}

/// A product of this name, of which no event tells yet.
pub(super) fn make(world: &mut World, name: &str) -> String {
    let id = world.new_id("prod");
    let product = json!({
        "id": id,
        "object": "product",
        "active": true,
        "created": world.now(),
        "description": null,
        "livemode": world.livemode,
        "metadata": {},
        "name": name,
        "updated": world.now(),
    });
    world.insert(product);
    id
}
