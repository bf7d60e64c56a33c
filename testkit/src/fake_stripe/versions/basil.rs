//! 2025-03-31, Basil: an invoice names its subscription as its parent and its payments by objects of their own; a line
//! names its price under `pricing`; a subscription's period moved to its items; charges and payment intents no longer
//! name their invoice.

use serde_json::{Value, json};

use super::remove;
use crate::fake_stripe::world::World;

/// Puts everything back to where it was.
pub(super) fn undo(world: &World, object: &mut Value) {
    match object["object"].as_str() {
        Some("invoice") => invoice(world, object),
        Some("invoiceitem") => priced(world, object),
        Some("subscription") => subscription(object),
        Some("payment_intent") => {
            object["invoice"] = invoice_paid_by(world, &object["id"]);
        }
        Some("charge") => {
            object["invoice"] = invoice_paid_by(world, &object["payment_intent"]);
        }
        _ => {}
    }
}

fn invoice(world: &World, invoice: &mut Value) {
    let parent = remove(invoice, "parent");
    let details = &parent["subscription_details"];
    invoice["subscription"] = details["subscription"].clone();
    invoice["subscription_details"] =
        if details.is_null() { Value::Null } else { json!({ "metadata": details["metadata"] }) };
    let mut payments = world.of_kind("invoice_payment");
    let payment = payments.find(|payment| payment["invoice"] == invoice["id"]);
    let intent =
        payment.map_or(Value::Null, |payment| payment["payment"]["payment_intent"].clone());
    invoice["charge"] = world.get(intent.as_str().unwrap_or_default())["latest_charge"].clone();
    invoice["payment_intent"] = intent;
    invoice["paid"] = (invoice["status"] == "paid").into();
    invoice["tax"] = Value::Null;
    remove(invoice, "total_taxes");
    if let Some(lines) = invoice["lines"]["data"].as_array_mut() {
        for line in lines {
            priced(world, line);
            line_item(line);
        }
    }
}

/// The whole price instead of its id, and the plan that a recurring price was.
fn priced(world: &World, object: &mut Value) {
    let pricing = remove(object, "pricing");
    let price = world.get(pricing["price_details"]["price"].as_str().unwrap_or_default());
    object["price"] = price.clone();
    object["plan"] = if price["type"] == "recurring" { plan(price) } else { Value::Null };
}

fn plan(price: &Value) -> Value {
    json!({
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": price["livemode"],
        "metadata": price["metadata"],
        "nickname": price["nickname"],
        "product": price["product"],
        "usage_type": "licensed",
    })
}

fn line_item(line: &mut Value) {
    let parent = remove(line, "parent");
    remove(line, "taxes");
    remove(line, "subtotal");
    line["tax_amounts"] = json!([]);
    line["tax_rates"] = json!([]);
    let item = &parent["invoice_item_details"];
    let subscription_item = &parent["subscription_item_details"];
    if subscription_item.is_null() {
        line["type"] = "invoiceitem".into();
        line["invoice_item"] = item["invoice_item"].clone();
        line["proration"] = item["proration"].clone();
        line["subscription"] = item["subscription"].clone();
    } else {
        line["type"] = "subscription".into();
        line["subscription_item"] = subscription_item["subscription_item"].clone();
        line["proration"] = subscription_item["proration"].clone();
        line["subscription"] = subscription_item["subscription"].clone();
    }
}

fn subscription(subscription: &mut Value) {
    let mut period = [Value::Null, Value::Null];
    let names = ["current_period_start", "current_period_end"];
    if let Some(items) = subscription["items"]["data"].as_array_mut() {
        for item in items {
            item["plan"] = plan(&item["price"]);
            period = names.map(|name| remove(item, name));
        }
    }
    for (name, value) in names.into_iter().zip(period) {
        subscription[name] = value;
    }
}

/// The invoice that a payment intent pays.
fn invoice_paid_by(world: &World, intent: &Value) -> Value {
    let mut payments = world.of_kind("invoice_payment");
    let payment = payments.find(|payment| payment["payment"]["payment_intent"] == *intent);
    payment.map_or(Value::Null, |payment| payment["invoice"].clone())
}
