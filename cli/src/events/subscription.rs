//! A subscription that is begun through Checkout: session, subscription and invoice, each with its money.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Event, event};

/// Seconds that a period takes.
const PERIOD_SECONDS: i64 = 30 * 24 * 60 * 60;

/// A subscription whose first period is paid.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subscription {
    /// Makes its ids: `sub_<name>`, `cs_test_<name>`, `in_<name>`, `pi_<name>`, `ch_<name>`, `cus_<name>`.
    pub(crate) name: String,
    /// When, in seconds since 1970.
    pub(crate) created: i64,
    /// What was paid, in cents.
    pub(crate) amount: i64,
    /// What is subscribed to.
    pub(crate) price: String,
    /// What the app's server wrote on the subscription; its invoices repeat it.
    pub(crate) metadata: BTreeMap<&'static str, String>,
}

impl Subscription {
    /// Everything that Stripe tells of its beginning, in its order. What is bought stands on the invoice's line.
    pub(crate) fn begun(&self) -> [Event; 7] {
        let invoice = self.invoice();
        [
            self.tell("customer.subscription.created", &self.subscription()),
            self.tell("charge.succeeded", &self.charge()),
            self.tell("payment_intent.succeeded", &self.payment_intent()),
            self.tell("checkout.session.completed", &self.session()),
            self.tell("invoice.paid", &invoice),
            self.tell("invoice.payment_succeeded", &invoice),
            self.tell("invoice_payment.paid", &self.invoice_payment()),
        ]
    }

    fn tell(&self, kind: &'static str, object: &Value) -> Event {
        event(kind, &self.name, self.created, object)
    }

    fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{}", self.name)
    }

    fn subscription(&self) -> Value {
        let end = self.created.saturating_add(PERIOD_SECONDS);
        let item = json!({
            "id": self.id("si"), "object": "subscription_item", "created": self.created, "current_period_end": end,
            "current_period_start": self.created, "metadata": {}, "price": {"id": self.price, "object": "price"},
            "quantity": 1, "subscription": self.id("sub"),
        });
        json!({
            "id": self.id("sub"), "object": "subscription", "billing_cycle_anchor": self.created,
            "collection_method": "charge_automatically", "created": self.created, "currency": "usd",
            "customer": self.id("cus"), "items": {"object": "list", "data": [item], "has_more": false},
            "latest_invoice": self.id("in"), "livemode": false, "metadata": self.metadata, "start_date": self.created,
            "status": "active",
        })
    }

    fn session(&self) -> Value {
        json!({
            "id": self.id("cs_test"), "object": "checkout.session",
            "amount_subtotal": self.amount, "amount_total": self.amount, "client_reference_id": null,
            "created": self.created, "currency": "usd", "customer": self.id("cus"), "invoice": self.id("in"),
            "livemode": false, "metadata": {}, "mode": "subscription", "payment_intent": null,
            "payment_method_types": ["card"], "payment_status": "paid", "status": "complete",
            "subscription": self.id("sub"), "ui_mode": "hosted_page",
        })
    }

    fn invoice(&self) -> Value {
        let end = self.created.saturating_add(PERIOD_SECONDS);
        let line = json!({
            "id": self.id("il"), "object": "line_item", "amount": self.amount, "currency": "usd",
            "description": "Credits", "invoice": self.id("in"), "livemode": false, "metadata": {},
            "parent": {"type": "subscription_item_details", "subscription_item_details": {
                "proration": false, "subscription": self.id("sub"), "subscription_item": self.id("si"),
            }},
            "period": {"start": self.created, "end": end},
            "pricing": {"type": "price_details", "price_details": {"price": self.price, "product": self.id("prod")}},
            "quantity": 1,
        });
        json!({
            "id": self.id("in"), "object": "invoice", "amount_due": self.amount, "amount_paid": self.amount,
            "amount_remaining": 0, "billing_reason": "subscription_create", "collection_method": "charge_automatically",
            "created": self.created, "currency": "usd", "customer": self.id("cus"),
            "lines": {"object": "list", "data": [line], "has_more": false}, "livemode": false, "metadata": {},
            "parent": {"type": "subscription_details", "quote_details": null, "subscription_details": {
                "metadata": self.metadata, "subscription": self.id("sub"),
            }},
            "status": "paid", "subtotal": self.amount, "total": self.amount,
        })
    }

    fn invoice_payment(&self) -> Value {
        json!({
            "id": self.id("inpay"), "object": "invoice_payment", "amount_paid": self.amount,
            "amount_requested": self.amount, "created": self.created, "currency": "usd", "invoice": self.id("in"),
            "is_default": true, "livemode": false,
            "payment": {"payment_intent": self.id("pi"), "type": "payment_intent"}, "status": "paid",
        })
    }

    fn payment_intent(&self) -> Value {
        json!({
            "id": self.id("pi"), "object": "payment_intent", "amount": self.amount, "amount_received": self.amount,
            "created": self.created, "currency": "usd", "customer": self.id("cus"),
            "description": "Subscription creation", "latest_charge": self.id("ch"), "livemode": false, "metadata": {},
            "payment_method_types": ["card"], "status": "succeeded",
        })
    }

    fn charge(&self) -> Value {
        json!({
            "id": self.id("ch"), "object": "charge", "amount": self.amount, "amount_captured": self.amount,
            "amount_refunded": 0, "captured": true, "created": self.created, "currency": "usd",
            "customer": self.id("cus"), "description": "Subscription creation", "livemode": false, "metadata": {},
            "paid": true, "payment_intent": self.id("pi"), "refunded": false, "status": "succeeded",
        })
    }
}
