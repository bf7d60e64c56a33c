//! Stripe events of our own making, small and in the shape of real ones, for `simulate` and `demo`.
//!
//! The id of an event follows from its type and the name of what it tells of: the same name makes the same event.

mod purchase;
mod reversal;
mod subscription;

use serde_json::{Value, json};

pub(crate) use purchase::Purchase;
pub(crate) use reversal::{Dispute, Refund, Standing};
pub(crate) use subscription::Subscription;

/// The version of Stripe's API whose shapes these are.
const API_VERSION: &str = "2026-10-28.endive";

/// An event, ready to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Stripe's id of it.
    pub(crate) id: String,
    /// Its type.
    pub(crate) kind: &'static str,
    /// The bytes.
    pub(crate) body: Vec<u8>,
}

/// A customer changed. It moves nothing, but says something of who the customer is.
pub(crate) fn customer_updated(name: &str, email: &str, created: i64) -> Event {
    let object = json!({
        "id": format!("cus_{name}"), "object": "customer", "balance": 0, "created": created, "email": email,
        "livemode": false, "metadata": {}, "name": null,
    });
    event("customer.updated", name, created, &object)
}

/// A product changed. That is none of our business.
pub(crate) fn product_updated(name: &str, created: i64) -> Event {
    let object = json!({
        "id": format!("prod_{name}"), "object": "product", "active": true, "created": created, "livemode": false,
        "metadata": {}, "name": "Credits", "updated": created,
    });
    event("product.updated", name, created, &object)
}

/// Puts these fields in the place of those that an object has.
fn overlay(object: &mut Value, fields: Value) {
    if let (Value::Object(object), Value::Object(fields)) = (object, fields) {
        object.extend(fields);
    }
}

fn event(kind: &'static str, name: &str, created: i64, object: &Value) -> Event {
    let id = format!("evt_{}_{name}", kind.replace('.', "_"));
    let event = json!({
        "id": id, "object": "event", "api_version": API_VERSION, "created": created, "data": {"object": object},
        "livemode": false, "pending_webhooks": 1, "request": {"id": null, "idempotency_key": null}, "type": kind,
    });
    // Pretty-printed, as they are on Stripe's wire.
    Event { id, kind, body: format!("{event:#}").into_bytes() }
}

#[cfg(test)]
mod tests {
    use stripe::envelope::peek;

    use super::*;

    #[test]
    fn a_purchase_is_one_payment_by_each_of_its_events() {
        let purchase = Purchase { name: "1".to_owned(), ..Purchase::default() };
        let refund = Refund { of: &purchase, number: 1, amount: 1, amount_so_far: 1, created: 2 };
        let dispute = Dispute { of: &purchase, created: 3 };
        let mut told = vec![
            purchase.session_completed(),
            purchase.session_completed_unpaid(),
            purchase.async_payment_succeeded(2),
            purchase.payment_intent_processing(),
            purchase.payment_intent_succeeded(),
            purchase.charge_succeeded(),
            refund.created(),
            refund.charge_refunded(),
            dispute.created(),
            dispute.funds_withdrawn(),
            dispute.closed(4, Standing::Lost),
            dispute.funds_reinstated(5),
        ];
        told.extend(refund.updated());
        for event in told {
            let envelope = peek(&event.body).unwrap();
            assert_eq!((envelope.id, envelope.event_type.as_str()), (event.id, event.kind));
            assert_eq!(envelope.root_key.as_deref(), Some("pi_1"), "{}", event.kind);
        }
    }

    #[test]
    fn a_subscription_is_told_of_by_events_with_ids_of_their_own() {
        let subscription = Subscription { name: "1".to_owned(), ..Subscription::default() };
        let begun = subscription.begun();
        let ids: std::collections::BTreeSet<&str> =
            begun.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids.len(), begun.len());
        for event in &begun {
            assert_eq!(peek(&event.body).unwrap().event_type, event.kind);
        }
    }

    #[test]
    fn what_is_no_purchase_is_an_event_all_the_same() {
        for event in [customer_updated("1", "ada@example.com", 7), product_updated("1", 7)] {
            assert_eq!(peek(&event.body).unwrap().id, event.id);
        }
    }
}
