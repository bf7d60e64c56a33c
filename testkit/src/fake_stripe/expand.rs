//! `expand[]`: objects in place of their ids, and lists that are left out unless they are asked for.

use serde_json::Value;

use super::versions::Version;
use super::world::{World, list};

/// Expands one path, such as `latest_charge.refunds`, or `data.customer` in a list.
pub(super) fn expand(world: &World, version: &Version, node: &mut Value, path: &str) {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    if name.is_empty() {
        return;
    }
    if let Some(elements) = node.as_array_mut() {
        for element in elements {
            expand(world, version, element, path);
        }
        return;
    }
    let included = included(world, node, name);
    let named = node[name].as_str().map(|id| world.get(id)).filter(|object| !object.is_null());
    if let Some(value) = included.or_else(|| named.map(|object| world.rendered(object, version))) {
        node[name] = value;
    }
    if let Some(child) = node.get_mut(name) {
        expand(world, version, child, rest);
    }
}

/// Lists that no object carries by itself.
fn included(world: &World, node: &Value, name: &str) -> Option<Value> {
    let id = node["id"].as_str()?;
    let of = |kind: &str, field: &str| -> Vec<Value> {
        world.of_kind(kind).filter(|object| object[field] == id).cloned().collect()
    };
    match (node["object"].as_str()?, name) {
        ("checkout.session", "line_items") => {
            let items = world.get(id)["line_items"].as_array().cloned().unwrap_or_default();
            Some(list(&format!("/v1/checkout/sessions/{id}/line_items"), &items))
        }
        ("charge", "refunds") => {
            Some(list(&format!("/v1/charges/{id}/refunds"), &of("refund", "charge")))
        }
        ("invoice", "payments") => {
            let payments = of("invoice_payment", "invoice");
            Some(list(&format!("/v1/invoice_payments?invoice={id}"), &payments))
        }
        _ => None,
    }
}
