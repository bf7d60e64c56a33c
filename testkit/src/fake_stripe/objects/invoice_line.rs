//! Lines of an invoice: what is charged for, and why.

use serde_json::{Value, json};

use super::price;
use crate::fake_stripe::refusal::Refusal;
use crate::fake_stripe::world::World;

/// The line of an invoice item.
pub(super) fn of_item(world: &mut World, item: &Value) -> Value {
    let mut line = line(world, &item["pricing"], item["quantity"].as_i64().unwrap_or(1));
    line["amount"] = item["amount"].clone();
    line["subtotal"] = item["amount"].clone();
    line["currency"] = item["currency"].clone();
    line["description"] = item["description"].clone();
    line["metadata"] = item["metadata"].clone();
    line["period"] = item["period"].clone();
    line["parent"] = json!({
        "invoice_item_details": {
            "invoice_item": item["id"],
            "proration": item["proration"],
            "subscription": null,
        },
        "subscription_item_details": null,
        "type": "invoice_item_details",
    });
    line
}

/// The line of a subscription's item for one period.
pub(super) fn of_subscription_item(world: &mut World, item: &Value) -> Result<Value, Refusal> {
    let (bought, quantity) = (&item["price"], item["quantity"].as_i64().unwrap_or(1));
    let pricing = json!({
        "price_details": { "price": bought["id"], "product": bought["product"] },
        "type": "price_details",
        "unit_amount_decimal": bought["unit_amount_decimal"],
    });
    let amount = price::amount(bought, quantity)?;
    let mut line = line(world, &pricing, quantity);
    line["amount"] = amount.into();
    line["subtotal"] = amount.into();
    line["currency"] = bought["currency"].clone();
    line["metadata"] = item["metadata"].clone();
    line["period"] =
        json!({ "end": item["current_period_end"], "start": item["current_period_start"] });
    line["parent"] = json!({
        "invoice_item_details": null,
        "subscription_item_details": {
            "invoice_item": null,
            "proration": false,
            "subscription": item["subscription"],
            "subscription_item": item["id"],
        },
        "type": "subscription_item_details",
    });
    Ok(line)
}

fn line(world: &mut World, pricing: &Value, quantity: i64) -> Value {
    json!({
        "id": world.new_id("il"),
        "object": "line_item",
        "description": null,
        "discount_amounts": [],
        "discountable": true,
        "discounts": [],
        "livemode": world.livemode,
        "pricing": pricing,
        "quantity": quantity,
        "taxes": [],
    })
}
