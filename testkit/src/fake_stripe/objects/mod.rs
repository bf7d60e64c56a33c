//! The kinds of objects, one file each, and which of them a call is for.

mod charge;
mod checkout_session;
mod customer;
mod dispute;
mod event;
mod invoice;
mod invoice_item;
mod invoice_line;
mod invoice_payment;
mod payment_intent;
mod payment_method;
mod payment_page;
mod price;
mod product;
mod refund;
mod subscription;

use super::call::{Answer, Call};
use super::world::World;

pub(super) use payment_method::Behaviour;

/// Does what the call asks for.
pub(super) fn answer(world: &mut World, call: &Call) -> Answer {
    let parts = call.parts();
    let Some((noun, rest)) = parts.split_first() else { return Err(call.unknown()) };
    match *noun {
        "products" => product::answer(world, call, rest),
        "prices" => price::answer(world, call, rest),
        "customers" => customer::answer(world, call, rest),
        "payment_methods" => payment_method::answer(world, call, rest),
        "payment_intents" => payment_intent::answer(world, call, rest),
        "charges" => charge::answer(world, call, rest),
        "refunds" => refund::answer(world, call, rest),
        "disputes" => dispute::answer(world, call, rest),
        "checkout" => checkout_session::answer(world, call, rest),
        "payment_pages" => payment_page::answer(world, call, rest),
        "invoiceitems" => invoice_item::answer(world, call, rest),
        "invoices" => invoice::answer(world, call, rest),
        "invoice_payments" => invoice_payment::answer(world, call, rest),
        "subscriptions" => subscription::answer(world, call, rest),
        "events" => event::answer(world, call, rest),
        _ => Err(call.unknown()),
    }
}

/// Changes metadata and nothing else, and tells of it by these events.
fn update_metadata(
    world: &mut World,
    call: &Call,
    kind: &str,
    id: &str,
    events: &[&str],
) -> Answer {
    let metadata = call.params().metadata(&world.find(kind, id)?["metadata"]);
    let before = world.change(id, serde_json::json!({ "metadata": metadata }));
    for event in events {
        world.tell_change(event, id, &before);
    }
    Ok(world.get(id).clone())
}

/// The page of the caller's objects of this kind that have what the call asks for under these names.
fn list(world: &World, call: &Call, kind: &str, names: &[&str]) -> Answer {
    let all = world.of_kind(kind).filter(|object| object["deleted"].is_null());
    let all = all.filter(|object| super::lists::fits(call, object, names));
    super::lists::page(call, &all.cloned().collect::<Vec<_>>())
}
