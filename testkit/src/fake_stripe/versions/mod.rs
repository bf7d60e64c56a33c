//! The shapes of older API versions: objects are kept as the newest version has them, and each change since is undone.

mod basil;
mod latest_charge;

use serde_json::Value;

use super::world::World;

/// A change of shapes: the version that it came with, and what takes an object back to before.
type Change = (&'static str, fn(&World, &mut Value));

/// Newest first, because they are undone in this order.
const CHANGES: [Change; 4] = [
    ("2026-03-25", rename_ui_mode),
    ("2025-12-15", forget_customer_account),
    ("2025-03-31", basil::undo),
    ("2022-11-15", latest_charge::undo),
];

/// Types of events that came with a version.
const NEW_EVENTS: [(&str, &str); 1] = [("2025-03-31", "invoice_payment.paid")];

/// A version of Stripe's API, such as `2020-08-27` or `2025-03-31.basil`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version(String);

impl Version {
    pub(super) fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Versions are named by their dates, so that the order of texts is theirs.
    fn is_before(&self, date: &str) -> bool {
        self.0.as_str() < date
    }

    /// Whether there are events of this type in this version.
    pub(super) fn knows_event(&self, kind: &str) -> bool {
        !NEW_EVENTS.iter().any(|(since, new)| *new == kind && self.is_before(since))
    }

    /// The object in the shape of this version.
    pub(super) fn rendered(&self, world: &World, object: &Value) -> Value {
        let mut object = object.clone();
        // Only `expand[]` shows what was bought; it is never in a webhook.
        remove(&mut object, "line_items");
        for (since, undo) in CHANGES {
            if self.is_before(since) {
                undo(world, &mut object);
            }
        }
        object
    }
}

/// 2026-03-25: the values of a session's `ui_mode` got clearer names.
fn rename_ui_mode(_: &World, object: &mut Value) {
    if object["object"] == "checkout.session" {
        object["ui_mode"] = "hosted".into();
    }
}

/// 2025-12-15: an account can be a customer.
fn forget_customer_account(_: &World, object: &mut Value) {
    remove(object, "customer_account");
}

fn remove(object: &mut Value, name: &str) -> Value {
    object.as_object_mut().and_then(|map| map.remove(name)).unwrap_or_default()
}
