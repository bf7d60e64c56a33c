//! Events, as they can be listed afterwards: in the account's version, whatever an endpoint was told.

use serde_json::Value;

use crate::fake_stripe::call::{Answer, Call, Method};
use crate::fake_stripe::lists;
use crate::fake_stripe::params::Params;
use crate::fake_stripe::refusal::Refusal;
use crate::fake_stripe::told::Told;
use crate::fake_stripe::world::World;

/// Most types that one call may ask for.
const TYPES_MAX: usize = 20;

pub(super) fn answer(world: &World, call: &Call, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (Method::Get, []) => list(world, call),
        (Method::Get, [id]) => {
            let told = world.told().find(|told| told.id == **id);
            let told = told.ok_or_else(|| Refusal::no_such("event", id))?;
            Ok(told.json(world.account_version()))
        }
        _ => Err(call.unknown()),
    }
}

fn list(world: &World, call: &Call) -> Answer {
    let params = call.params();
    let types: Vec<&str> = params.list("types").filter_map(Params::leaf).collect();
    if types.len() > TYPES_MAX {
        let message = format!("You may only specify up to {TYPES_MAX} event types.");
        return Err(Refusal::invalid("parameter_invalid", message));
    }
    let kind = params.text("type");
    let is_delivered = params.text("delivery_success");
    let wanted = |told: &Told| {
        kind.is_none_or(|kind| kind == told.kind)
            && (types.is_empty() || types.contains(&told.kind.as_str()))
            && is_delivered.is_none_or(|wanted| (wanted == "true") == (told.pending() == 0))
    };
    let told = world.told().filter(|told| wanted(told));
    let events = told.map(|told| told.json(world.account_version()));
    let events: Vec<Value> = events.filter(|event| lists::fits(call, event, &[])).collect();
    lists::page(call, &events)
}
