//! 2022-11-15: a payment intent names its latest charge instead of listing all, and a charge no longer lists its
//! refunds.

use serde_json::Value;

use super::remove;
use crate::fake_stripe::world::{World, list};

/// Lists them again. Charges inside of a payment intent have their refunds inline as well.
pub(super) fn undo(world: &World, object: &mut Value) {
    let id = object["id"].as_str().unwrap_or_default().to_owned();
    if object["object"] == "payment_intent" {
        remove(object, "latest_charge");
        let charges = world.of_kind("charge").filter(|charge| charge["payment_intent"] == *id);
        let charges: Vec<Value> = charges.map(|charge| with_refunds(world, charge)).collect();
        object["charges"] = list(&format!("/v1/charges?payment_intent={id}"), &charges);
    } else if object["object"] == "charge" {
        *object = with_refunds(world, object);
    }
}

fn with_refunds(world: &World, charge: &Value) -> Value {
    let mut charge = charge.clone();
    let id = charge["id"].as_str().unwrap_or_default();
    let refunds = world.of_kind("refund").filter(|refund| refund["charge"] == id);
    let refunds: Vec<Value> = refunds.cloned().collect();
    let refunds = list(&format!("/v1/charges/{id}/refunds"), &refunds);
    charge["refunds"] = refunds;
    charge
}
