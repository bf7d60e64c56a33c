//! Subscriptions: the first period is invoiced and paid at once.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::{Value, json};

use super::{invoice, invoice_line, list};
use crate::fake_stripe::call::{Answer, Call, Method};
use crate::fake_stripe::params::Params;
use crate::fake_stripe::refusal::Refusal;
use crate::fake_stripe::world::{World, list as embedded};

pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (Method::Post, []) => create(world, call.params()),
        (Method::Post, [id]) => {
            let events = ["customer.subscription.updated"];
            super::update_metadata(world, call, "subscription", id, &events)
        }
        (Method::Get, []) => list(world, call, "subscription", &["customer", "status"]),
        (Method::Get, [id]) => world.find("subscription", id).cloned(),
        (Method::Delete, [id]) => {
            world.find("subscription", id)?;
            let now = world.now();
            world.change(id, json!({ "status": "canceled", "canceled_at": now, "ended_at": now }));
            world.tell("customer.subscription.deleted", id);
            Ok(world.get(id).clone())
        }
        _ => Err(call.unknown()),
    }
}

fn create(world: &mut World, params: Params<'_>) -> Answer {
    let customer = params.required("customer")?;
    world.find("customer", customer)?;
    let mut items = Vec::new();
    for item in params.list("items") {
        let price = world.find("price", item.required("price")?)?;
        items.push((price.clone(), item.integer("quantity")?.unwrap_or(1)));
    }
    let metadata = params.metadata(&json!({}));
    let method = params.text("default_payment_method");
    let id = start(world, customer, &metadata, &items, method)?;
    Ok(world.get(&id).clone())
}

/// A subscription to these prices and quantities. If the first payment fails it is `incomplete`.
pub(super) fn start(
    world: &mut World,
    customer: &str,
    metadata: &Value,
    items: &[(Value, i64)],
    method: Option<&str>,
) -> Result<String, Refusal> {
    if items.iter().any(|(price, _)| price["type"] != "recurring") || items.is_empty() {
        let message = "A subscription needs items, and each a recurring price.";
        return Err(Refusal::invalid("parameter_invalid", message));
    }
    let id = world.new_id("sub");
    let items: Vec<Value> =
        items.iter().map(|(price, quantity)| item(world, &id, price, *quantity)).collect();
    let subscription = json!({
        "id": id,
        "object": "subscription",
        "billing_cycle_anchor": world.now(),
        "cancel_at": null,
        "cancel_at_period_end": false,
        "canceled_at": null,
        "collection_method": "charge_automatically",
        "created": world.now(),
        "currency": items[0]["price"]["currency"],
        "customer": customer,
        "customer_account": null,
        "default_payment_method": null,
        "description": null,
        "ended_at": null,
        "items": embedded(&format!("/v1/subscription_items?subscription={id}"), &items),
        "latest_invoice": null,
        "livemode": world.livemode,
        "metadata": metadata,
        "start_date": world.now(),
        "status": "incomplete",
        "trial_end": null,
        "trial_start": null,
    });
    world.insert(subscription);
    let method = method.map(str::to_owned);
    world.change(&id, json!({ "default_payment_method": method }));
    world.tell("customer.subscription.created", &id);
    let lines = items.iter().map(|item| invoice_line::of_subscription_item(world, item));
    let lines = lines.collect::<Result<Vec<Value>, Refusal>>()?;
    bill(world, &id, "subscription_create", lines, method);
    Ok(id)
}

fn item(world: &mut World, subscription: &str, price: &Value, quantity: i64) -> Value {
    let now = world.now();
    json!({
        "id": world.new_id("si"),
        "object": "subscription_item",
        "created": now,
        "current_period_end": period_end(now, &price["recurring"]),
        "current_period_start": now,
        "metadata": {},
        "price": price,
        "quantity": quantity,
        "subscription": subscription,
    })
}

/// When a period that starts now ends, by the calendar of UTC.
fn period_end(now: i64, recurring: &Value) -> i64 {
    let count = recurring["interval_count"].as_i64().unwrap_or(1);
    let span = match recurring["interval"].as_str() {
        Some("day") => Span::new().days(count),
        Some("week") => Span::new().weeks(count),
        Some("year") => Span::new().years(count),
        _ => Span::new().months(count),
    };
    let start = Timestamp::from_second(now).map(|now| now.to_zoned(TimeZone::UTC));
    let end = start.and_then(|start| start.checked_add(span));
    end.map_or(now, |end| end.timestamp().as_second())
}

/// One invoice, and whether the subscription is active after it.
fn bill(world: &mut World, id: &str, reason: &str, lines: Vec<Value>, method: Option<String>) {
    let subscription = world.get(id).clone();
    let customer = subscription["customer"].as_str().unwrap_or_default();
    let invoice = invoice::draft(world, customer, reason, lines);
    let parent = json!({
        "quote_details": null,
        "subscription_details": { "metadata": subscription["metadata"], "subscription": id },
        "type": "subscription_details",
    });
    world.change(&invoice, json!({ "parent": parent }));
    world.change(id, json!({ "latest_invoice": invoice }));
    world.tell("invoice.created", &invoice);
    if invoice::pay(world, &invoice, method, false).is_ok() {
        let before = world.change(id, json!({ "status": "active" }));
        world.tell_change("customer.subscription.updated", id, &before);
    }
}
