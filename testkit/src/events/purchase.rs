//! A purchase and the three doors through which Stripe tells of it: session, payment intent,
//! charge.

use serde_json::{Value, json};

use super::envelope::{Event, Told};
use super::{CREATED, Metadata};

/// A purchase, paid by card for 5.00 USD unless told otherwise.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// Makes its ids: `cs_test_<name>`, `pi_<name>`, `ch_<name>`. Two purchases of one test have
    /// two names.
    pub name: String,
    /// Stripe's customer, such as `cus_1`.
    pub customer: Option<String>,
    /// Metadata of the session.
    pub metadata: Metadata,
    /// Metadata of the payment intent, and of the charge that copies it. Stripe does not copy the
    /// session's.
    pub payment_metadata: Metadata,
    /// Of the session: `payment`, `subscription` or `setup`.
    pub mode: &'static str,
    /// Of the session: `paid`, `unpaid` or `no_payment_required`.
    pub payment_status: &'static str,
    /// In the currency's smallest part.
    pub amount: i64,
    /// Lower case, such as `usd`.
    pub currency: &'static str,
    /// What the customer typed into the checkout.
    pub email: Option<String>,
    /// What the customer typed into the checkout.
    pub customer_name: Option<String>,
    /// Anyone can edit this one in a payment link.
    pub client_reference_id: Option<String>,
    /// When, in seconds since 1970.
    pub created: i64,
    /// Live or test mode.
    pub livemode: bool,
    /// Stripe Connect account.
    pub account: Option<String>,
}

impl Purchase {
    /// A paid purchase of a guest, that names no user, no price and no credits.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            customer: None,
            metadata: Metadata::new(),
            payment_metadata: Metadata::new(),
            mode: "payment",
            payment_status: "paid",
            amount: 500,
            currency: "usd",
            email: None,
            customer_name: None,
            client_reference_id: None,
            created: CREATED,
            livemode: false,
            account: None,
        }
    }

    /// `cs_test_<name>`, or `cs_live_<name>` in live mode.
    pub fn session_id(&self) -> String {
        format!("cs_{}_{}", if self.livemode { "live" } else { "test" }, self.name)
    }

    /// `pi_<name>`.
    pub fn payment_intent_id(&self) -> String {
        format!("pi_{}", self.name)
    }

    /// `ch_<name>`.
    pub fn charge_id(&self) -> String {
        format!("ch_{}", self.name)
    }

    /// The door of Stripe Checkout.
    pub fn checkout_session_completed(&self) -> Event {
        self.tell("checkout.session.completed", self.session("complete"))
    }

    /// The money of a session that completed unpaid came.
    pub fn checkout_session_async_payment_succeeded(&self) -> Event {
        let session = Self { payment_status: "paid", ..self.clone() }.session("complete");
        self.tell("checkout.session.async_payment_succeeded", session)
    }

    /// The money of a session that completed unpaid will not come.
    pub fn checkout_session_async_payment_failed(&self) -> Event {
        let session = Self { payment_status: "unpaid", ..self.clone() }.session("complete");
        self.tell("checkout.session.async_payment_failed", session)
    }

    /// The session was left open for too long.
    pub fn checkout_session_expired(&self) -> Event {
        let session = Self { payment_status: "unpaid", ..self.clone() }.session("expired");
        self.tell("checkout.session.expired", session)
    }

    /// The same purchase by its payment intent.
    pub fn payment_intent_succeeded(&self) -> Event {
        self.tell("payment_intent.succeeded", self.payment_intent())
    }

    /// The same purchase by its charge.
    pub fn charge_succeeded(&self) -> Event {
        self.tell("charge.succeeded", self.charge())
    }

    /// A dispute over all of it, told as `charge.dispute.<what>`, that stands at `status`.
    pub fn charge_dispute(&self, what: &str, status: &str) -> Event {
        let dispute = json!({
            "id": format!("du_{}", self.name),
            "object": "dispute",
            "amount": self.amount,
            "charge": self.charge_id(),
            "created": self.created,
            "currency": self.currency,
            "livemode": self.livemode,
            "metadata": {},
            "payment_intent": self.payment_intent_id(),
            "reason": "fraudulent",
            "status": status,
        });
        self.tell(&format!("charge.dispute.{what}"), dispute)
    }

    fn tell(&self, kind: &str, object: Value) -> Event {
        let told = Told {
            name: &self.name,
            created: self.created,
            livemode: self.livemode,
            account: self.account.as_deref(),
        };
        Event::new(kind, told, object, None)
    }

    fn session(&self, status: &str) -> Value {
        let is_payment = self.mode == "payment";
        json!({
            "id": self.session_id(),
            "object": "checkout.session",
            "amount_subtotal": self.amount,
            "amount_total": self.amount,
            "client_reference_id": self.client_reference_id,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "customer_account": null,
            "customer_details": {
                "address": null,
                "email": self.email,
                "name": self.customer_name,
                "phone": null,
                "tax_exempt": "none",
                "tax_ids": [],
            },
            "customer_email": null,
            "invoice": null,
            "livemode": self.livemode,
            "metadata": self.metadata,
            "mode": self.mode,
            "payment_intent": is_payment.then(|| self.payment_intent_id()),
            "payment_link": null,
            "payment_method_types": ["card"],
            "payment_status": self.payment_status,
            "setup_intent": (self.mode == "setup").then(|| format!("seti_{}", self.name)),
            "status": status,
            "subscription": (self.mode == "subscription").then(|| format!("sub_{}", self.name)),
            "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
            "ui_mode": "hosted_page",
        })
    }

    fn payment_intent(&self) -> Value {
        json!({
            "id": self.payment_intent_id(),
            "object": "payment_intent",
            "amount": self.amount,
            "amount_capturable": 0,
            "amount_received": self.amount,
            "capture_method": "automatic_async",
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "customer_account": null,
            "description": null,
            "last_payment_error": null,
            "latest_charge": self.charge_id(),
            "livemode": self.livemode,
            "metadata": self.payment_metadata,
            "payment_method_types": ["card"],
            "receipt_email": null,
            "status": "succeeded",
        })
    }

    fn charge(&self) -> Value {
        json!({
            "id": self.charge_id(),
            "object": "charge",
            "amount": self.amount,
            "amount_captured": self.amount,
            "amount_refunded": 0,
            "billing_details": {
                "address": null,
                "email": self.email,
                "name": self.customer_name,
                "phone": null,
            },
            "captured": true,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": null,
            "disputed": false,
            "livemode": self.livemode,
            "metadata": self.payment_metadata,
            "outcome": { "network_status": "approved_by_network", "type": "authorized" },
            "paid": true,
            "payment_intent": self.payment_intent_id(),
            "receipt_email": null,
            "refunded": false,
            "status": "succeeded",
        })
    }
}
