//! A purchase through Checkout, and what Stripe tells of it from the session to the money.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Event, event};

/// A purchase through Checkout.
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
    /// The session that it was made in, paid.
    pub(crate) fn session_completed(&self) -> Event {
        let paid = self.session(json!({"payment_status": "paid", "status": "complete"}));
        event("checkout.session.completed", &self.name, self.created, &paid)
    }

    /// The session is over, but the money takes some days, as by bank debit.
    pub(crate) fn session_completed_unpaid(&self) -> Event {
        let unpaid = self.session(json!({
            "payment_method_types": ["us_bank_account"], "payment_status": "unpaid", "status": "complete",
        }));
        event("checkout.session.completed", &self.name, self.created, &unpaid)
    }

    /// The money of such a session came.
    pub(crate) fn async_payment_succeeded(&self, created: i64) -> Event {
        let paid = self.session(json!({
            "payment_method_types": ["us_bank_account"], "payment_status": "paid", "status": "complete",
        }));
        event("checkout.session.async_payment_succeeded", &self.name, created, &paid)
    }

    /// The intent to pay it.
    pub(crate) fn payment_intent_succeeded(&self) -> Event {
        self.payment_intent_succeeded_at(self.created)
    }

    /// The intent to pay it, fulfilled later.
    pub(crate) fn payment_intent_succeeded_at(&self, told: i64) -> Event {
        event(
            "payment_intent.succeeded",
            &self.name,
            told,
            &self.payment_intent("succeeded", self.amount),
        )
    }

    /// The money is on its way.
    pub(crate) fn payment_intent_processing(&self) -> Event {
        event(
            "payment_intent.processing",
            &self.name,
            self.created,
            &self.payment_intent("processing", 0),
        )
    }

    /// The movement of money.
    pub(crate) fn charge_succeeded(&self) -> Event {
        self.charge_succeeded_at(self.created)
    }

    /// The movement of money, which took its time.
    pub(crate) fn charge_succeeded_at(&self, told: i64) -> Event {
        event("charge.succeeded", &self.name, told, &self.charge(0))
    }

    /// The charge, of which so much was refunded, all together.
    pub(super) fn charge(&self, refunded: i64) -> Value {
        json!({
            "id": format!("ch_{}", self.name), "object": "charge",
            "amount": self.amount, "amount_captured": self.amount, "amount_refunded": refunded, "currency": "usd",
            "billing_details": {"email": self.email, "name": null, "phone": null}, "captured": true,
            "created": self.created, "customer": self.customer, "livemode": false, "metadata": self.metadata,
            "paid": true, "payment_intent": format!("pi_{}", self.name), "refunded": refunded == self.amount,
            "status": "succeeded",
        })
    }

    fn session(&self, state: Value) -> Value {
        let mut session = json!({
            "id": format!("cs_test_{}", self.name), "object": "checkout.session",
            "amount_subtotal": self.amount, "amount_total": self.amount, "currency": "usd",
            "client_reference_id": self.client_reference_id, "created": self.created, "customer": self.customer,
            "customer_details": {"email": self.email, "name": null, "phone": null, "tax_exempt": "none"},
            "livemode": false, "metadata": self.metadata, "mode": "payment",
            "payment_intent": format!("pi_{}", self.name), "payment_method_types": ["card"], "ui_mode": "hosted_page",
        });
        super::overlay(&mut session, state);
        session
    }

    fn payment_intent(&self, status: &str, received: i64) -> Value {
        json!({
            "id": format!("pi_{}", self.name), "object": "payment_intent",
            "amount": self.amount, "amount_received": received, "currency": "usd", "created": self.created,
            "customer": self.customer, "latest_charge": format!("ch_{}", self.name), "livemode": false,
            "metadata": self.metadata, "payment_method_types": ["card"], "receipt_email": null, "status": status,
        })
    }
}
