//! Stripe events of our own making, small and in the shape of real ones, for `simulate` and `demo`.
//!
//! The id of an event follows from its type and the name of what it tells of: the same name makes the same event.

use std::collections::BTreeMap;

use serde_json::{Value, json};

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

/// A purchase by card through Checkout, which Stripe tells of three times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Purchase {
    /// Makes its ids: `cs_test_<name>`, `pi_<name>`, `ch_<name>`.
    pub(crate) name: String,
    /// When, in seconds since 1970.
    pub(crate) created: i64,
    /// What was paid, in cents.
    pub(crate) amount: i64,
    /// What the app's server wrote there, on the session and on the payment alike.
    pub(crate) metadata: BTreeMap<&'static str, String>,
    /// What whoever held the link wrote there.
    pub(crate) client_reference_id: Option<String>,
    /// Stripe's customer.
    pub(crate) customer: Option<String>,
    /// What the customer typed in.
    pub(crate) email: Option<String>,
}

impl Purchase {
    /// The session that it was made in.
    pub(crate) fn session_completed(&self) -> Event {
        let object = json!({
            "id": format!("cs_test_{}", self.name), "object": "checkout.session",
            "amount_subtotal": self.amount, "amount_total": self.amount, "currency": "usd",
            "client_reference_id": self.client_reference_id, "created": self.created, "customer": self.customer,
            "customer_details": {"email": self.email, "name": null, "phone": null, "tax_exempt": "none"},
            "livemode": false, "metadata": self.metadata, "mode": "payment",
            "payment_intent": format!("pi_{}", self.name), "payment_method_types": ["card"],
            "payment_status": "paid", "status": "complete", "ui_mode": "hosted_page",
        });
        event("checkout.session.completed", &self.name, self.created, &object)
    }

    /// The intent to pay it.
    pub(crate) fn payment_intent_succeeded(&self) -> Event {
        let object = json!({
            "id": format!("pi_{}", self.name), "object": "payment_intent",
            "amount": self.amount, "amount_received": self.amount, "currency": "usd", "created": self.created,
            "customer": self.customer, "latest_charge": format!("ch_{}", self.name), "livemode": false,
            "metadata": self.metadata, "payment_method_types": ["card"], "receipt_email": null, "status": "succeeded",
        });
        event("payment_intent.succeeded", &self.name, self.created, &object)
    }

    /// The movement of money.
    pub(crate) fn charge_succeeded(&self) -> Event {
        let object = json!({
            "id": format!("ch_{}", self.name), "object": "charge",
            "amount": self.amount, "amount_captured": self.amount, "amount_refunded": 0, "currency": "usd",
            "billing_details": {"email": self.email, "name": null, "phone": null}, "captured": true,
            "created": self.created, "customer": self.customer, "livemode": false, "metadata": self.metadata,
            "paid": true, "payment_intent": format!("pi_{}", self.name), "refunded": false, "status": "succeeded",
        });
        event("charge.succeeded", &self.name, self.created, &object)
    }
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
        let told = [
            purchase.session_completed(),
            purchase.payment_intent_succeeded(),
            purchase.charge_succeeded(),
        ];
        for event in told {
            let envelope = peek(&event.body).unwrap();
            assert_eq!((envelope.id, envelope.event_type.as_str()), (event.id, event.kind));
            assert_eq!(envelope.root_key.as_deref(), Some("pi_1"), "{}", event.kind);
        }
    }

    #[test]
    fn what_is_no_purchase_is_an_event_all_the_same() {
        for event in [customer_updated("1", "ada@example.com", 7), product_updated("1", 7)] {
            assert_eq!(peek(&event.body).unwrap().id, event.id);
        }
    }
}
