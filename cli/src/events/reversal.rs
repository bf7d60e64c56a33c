//! Money of a purchase that goes back: refunds, and disputes as the cardholder's bank opens and decides them.

use serde_json::{Value, json};

use super::{Event, Purchase, event};

/// A refund of a purchase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refund<'a> {
    /// Of what.
    pub(crate) of: &'a Purchase,
    /// Which one, counted from 1: makes its id `re_<name>_<number>`.
    pub(crate) number: u32,
    /// In cents.
    pub(crate) amount: i64,
    /// In cents, with all refunds before it.
    pub(crate) amount_so_far: i64,
    /// When, in seconds since 1970.
    pub(crate) created: i64,
}

impl Refund<'_> {
    /// It was given.
    pub(crate) fn created(&self) -> Event {
        self.tell("refund.created", &self.refund(&Value::Null))
    }

    /// The charge with its new sum.
    pub(crate) fn charge_refunded(&self) -> Event {
        self.tell("charge.refunded", &self.of.charge(self.amount_so_far))
    }

    /// The bank gave it a number; Stripe tells so by two names.
    pub(crate) fn updated(&self) -> [Event; 2] {
        let refund = self.refund(&json!({
            "card": {"reference": "24011344126054215430", "reference_status": "available", "type": "refund"}, "type": "card",
        }));
        [self.tell("refund.updated", &refund), self.tell("charge.refund.updated", &refund)]
    }

    fn tell(&self, kind: &'static str, object: &Value) -> Event {
        event(kind, &format!("{}_{}", self.of.name, self.number), self.created, object)
    }

    fn refund(&self, destination: &Value) -> Value {
        json!({
            "id": format!("re_{}_{}", self.of.name, self.number), "object": "refund", "amount": self.amount,
            "balance_transaction": format!("txn_{}_{}", self.of.name, self.number), "charge": format!("ch_{}", self.of.name),
            "created": self.created, "currency": "usd", "destination_details": destination, "metadata": {},
            "payment_intent": format!("pi_{}", self.of.name), "reason": "requested_by_customer", "receipt_number": null,
            "status": "succeeded",
        })
    }
}

/// A dispute over all of a purchase's money.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dispute<'a> {
    /// Over what.
    pub(crate) of: &'a Purchase,
    /// When it was opened, in seconds since 1970.
    pub(crate) created: i64,
}

/// How a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The bank asks for evidence.
    NeedsResponse,
    /// The bank found for the business.
    Won,
    /// The bank found for the cardholder.
    Lost,
}

impl Dispute<'_> {
    /// The cardholder objects.
    pub(crate) fn created(&self) -> Event {
        self.tell("charge.dispute.created", self.created, Standing::NeedsResponse)
    }

    /// The bank takes the money.
    pub(crate) fn funds_withdrawn(&self) -> Event {
        self.tell("charge.dispute.funds_withdrawn", self.created, Standing::NeedsResponse)
    }

    /// The bank decided.
    pub(crate) fn closed(&self, told: i64, standing: Standing) -> Event {
        self.tell("charge.dispute.closed", told, standing)
    }

    /// The bank gives the money back.
    pub(crate) fn funds_reinstated(&self, told: i64) -> Event {
        self.tell("charge.dispute.funds_reinstated", told, Standing::Won)
    }

    fn tell(&self, kind: &'static str, told: i64, standing: Standing) -> Event {
        let (name, amount) = (&self.of.name, self.of.amount);
        let status = match standing {
            Standing::NeedsResponse => "needs_response",
            Standing::Won => "won",
            Standing::Lost => "lost",
        };
        let object = json!({
            "id": format!("du_{name}"), "object": "dispute", "amount": amount, "charge": format!("ch_{name}"),
            "created": self.created, "currency": "usd", "evidence_details": {"has_evidence": false, "past_due": false},
            "is_charge_refundable": false, "livemode": false, "metadata": {}, "payment_intent": format!("pi_{name}"),
            "reason": "fraudulent", "status": status,
        });
        event(kind, name, told, &object)
    }
}
