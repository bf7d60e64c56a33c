//! The recorded events, of twelve years and 43 API versions, through the views.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{
    Charge, CreditNote, Customer, Dispute, EarlyFraudWarning, Invoice, InvoicePayment,
    PaymentIntent, Price, Refund, Session, Subscription, UnsupportedShape,
};
use crate::event_type::{Class, classify, classify_object};
use crate::{envelope, json, testing};

/// The recorded events with objects of understood kinds that are not readable, and why.
const UNREADABLE: [(&str, &str); 8] = [
    // Amounts with a fraction come from no API of Stripe's: an upstream developer composed this one.
    ("events/dj-stripe-py/charge.dispute.funds_reinstated.2.json", "balance_transactions.1.amount"),
    // Previews have no id, of their nature. Two of those of stripe-ruby-mock stand under the names of other events.
    ("events/dj-stripe-py/invoice.upcoming.json", "id"),
    // Its object is `{}`, a stub that stripe-go's tests never look into. A customer without an id is nobody.
    ("events/stripe-go/customer.created.json", "id"),
    ("events/stripe-ruby-mock/invoice.finalized.2.json", "id"),
    ("events/stripe-ruby-mock/invoice.paid.2.json", "id"),
    ("events/stripe-ruby-mock/invoice.upcoming.2.json", "id"),
    ("events/stripe-ruby-mock/invoice.upcoming.json", "id"),
    ("events/sync-engine/invoice.upcoming.json", "id"),
];

/// How many recorded objects each view reads.
const COUNTS: [(&str, usize); 11] = [
    ("charge", 30),
    ("checkout.session", 10),
    ("credit_note", 5),
    ("customer", 27),
    ("dispute", 23),
    ("invoice", 43),
    ("invoice_payment", 2),
    ("payment_intent", 27),
    ("radar.early_fraud_warning", 3),
    ("refund", 9),
    ("subscription", 23),
];

/// Of what was read: the value, and the places where it may stand in the document, by which another way of looking it
/// up must find the same.
type Said = Vec<(Value, &'static [&'static str])>;

/// Its kind and what it says; none if it is of no understood kind.
fn read(class: Class, object: &Value) -> Option<(&'static str, Result<Said, UnsupportedShape>)> {
    Some(match class {
        Class::Session => ("checkout.session", describe(Session::read(object), session)),
        Class::PaymentIntent => {
            ("payment_intent", describe(PaymentIntent::read(object), payment_intent))
        }
        Class::Charge => ("charge", describe(Charge::read(object), charge)),
        Class::Refund => ("refund", describe(Refund::read(object), refund)),
        Class::Dispute => ("dispute", describe(Dispute::read(object), dispute)),
        Class::Invoice => ("invoice", describe(Invoice::read(object), invoice)),
        Class::InvoicePayment => {
            ("invoice_payment", describe(InvoicePayment::read(object), invoice_payment))
        }
        Class::CreditNote => ("credit_note", describe(CreditNote::read(object), credit_note)),
        Class::Customer => ("customer", describe(Customer::read(object), customer)),
        Class::Subscription => ("subscription", describe(Subscription::read(object), subscription)),
        Class::EarlyFraudWarning => (
            "radar.early_fraud_warning",
            describe(EarlyFraudWarning::read(object), early_fraud_warning),
        ),
        // An order is known by its event alone: its API is gone.
        Class::Order | Class::Thin | Class::Deferred | Class::Unhandled => return None,
    })
}

fn describe<T>(
    read: Result<T, UnsupportedShape>,
    said: fn(&T) -> Said,
) -> Result<Said, UnsupportedShape> {
    read.map(|view| said(&view))
}

fn session(session: &Session) -> Said {
    assert_eq!(session.line_items, None, "never in a webhook");
    vec![
        (json!(session.payment_status), &["/payment_status"]),
        (json!(session.amount_total), &["/amount_total"]),
        (json!(session.payment_intent), &["/payment_intent"]),
        (json!(session.subscription), &["/subscription"]),
        (json!(session.expires_at), &["/expires_at"]),
        (json!(session.metadata), &["/metadata"]),
    ]
}

fn payment_intent(intent: &PaymentIntent) -> Said {
    let first = intent.charges.first();
    vec![
        (json!(intent.status), &["/status"]),
        (json!(intent.amount), &["/amount"]),
        (json!(intent.latest_charge), &["/latest_charge", "/charges/data/0/id"]),
        (json!(first.and_then(|charge| charge.amount)), &["/charges/data/0/amount"]),
        (json!(intent.metadata), &["/metadata"]),
    ]
}

fn charge(charge: &Charge) -> Said {
    let refund = charge.refunds.iter().flatten().next();
    vec![
        (json!(charge.paid), &["/paid"]),
        (json!(charge.amount), &["/amount"]),
        (json!(charge.payment_intent), &["/payment_intent"]),
        (json!(refund.map(|refund| &refund.id)), &["/refunds/data/0/id"]),
        (json!(refund.and_then(|refund| refund.amount)), &["/refunds/data/0/amount"]),
        (json!(charge.disputed), &["/disputed"]),
        (json!(charge.metadata), &["/metadata"]),
    ]
}

fn refund(refund: &Refund) -> Said {
    vec![
        (json!(refund.status), &["/status"]),
        (json!(refund.amount), &["/amount"]),
        (json!(refund.charge), &["/charge"]),
        (json!(refund.payment_intent), &["/payment_intent"]),
        (json!(refund.metadata), &["/metadata"]),
    ]
}

fn dispute(dispute: &Dispute) -> Said {
    let movement = dispute.balance_transactions.first();
    vec![
        (json!(dispute.id), &["/id", "/charge"]),
        (json!(dispute.status), &["/status"]),
        (json!(dispute.amount), &["/amount"]),
        (json!(dispute.charge), &["/charge"]),
        (json!(dispute.is_charge_refundable), &["/is_charge_refundable"]),
        (json!(movement.and_then(|movement| movement.amount)), &["/balance_transactions/0/amount"]),
        (
            json!(movement.and_then(|movement| movement.reporting_category.as_ref())),
            &["/balance_transactions/0/reporting_category"],
        ),
    ]
}

fn invoice(invoice: &Invoice) -> Said {
    let line = invoice.lines.iter().flatten().next();
    vec![
        (json!(invoice.status), &["/status"]),
        (json!(invoice.paid), &["/paid"]),
        (json!(invoice.amount_paid), &["/amount_paid"]),
        (json!(invoice.payment_intent), &["/payment_intent"]),
        (
            json!(invoice.subscription),
            &["/subscription", "/parent/subscription_details/subscription"],
        ),
        (
            json!(line.and_then(|line| price_id(line.price.as_ref()))),
            &["/lines/data/0/price", "/lines/data/0/plan"],
        ),
        (json!(line.and_then(|line| line.quantity)), &["/lines/data/0/quantity"]),
        (
            json!(line.and_then(|line| line.proration)),
            &["/lines/data/0/proration", "/lines/data/0/parent/invoice_item_details/proration"],
        ),
        (
            json!(line.and_then(|line| line.period).map(|period| period.end)),
            &["/lines/data/0/period/end"],
        ),
        (json!(invoice.metadata), &["/metadata"]),
    ]
}

fn invoice_payment(payment: &InvoicePayment) -> Said {
    vec![
        (json!(payment.status), &["/status"]),
        (json!(payment.invoice), &["/invoice"]),
        (json!(payment.payment_intent), &["/payment/payment_intent"]),
        (json!(payment.amount_paid), &["/amount_paid"]),
    ]
}

fn credit_note(note: &CreditNote) -> Said {
    vec![
        (json!(note.status), &["/status"]),
        (json!(note.invoice), &["/invoice"]),
        (json!(note.refunds.first()), &["/refund", "/refunds/0/refund"]),
        (json!(note.amount), &["/amount"]),
        (json!(note.customer), &["/customer"]),
        (json!(note.kind), &["/type"]),
    ]
}

fn customer(customer: &Customer) -> Said {
    vec![
        (json!(customer.emails.first().map(|email| &email.value)), &["/email"]),
        (json!(customer.metadata), &["/metadata"]),
    ]
}

fn subscription(subscription: &Subscription) -> Said {
    let item = subscription.items.iter().flatten().next();
    vec![
        (json!(subscription.status), &["/status"]),
        (json!(subscription.customer), &["/customer"]),
        (
            json!(item.and_then(|item| price_id(item.price.as_ref()))),
            &["/items/data/0/price", "/items/data/0/plan", "/items/0/plan", "/plan"],
        ),
        (
            json!(item.and_then(|item| item.current_period).map(|period| period.end)),
            &["/items/data/0/current_period_end", "/current_period_end"],
        ),
        (json!(subscription.metadata), &["/metadata"]),
    ]
}

fn early_fraud_warning(warning: &EarlyFraudWarning) -> Said {
    vec![
        (json!(warning.charge), &["/charge"]),
        (json!(warning.actionable), &["/actionable"]),
        (json!(warning.fraud_type), &["/fraud_type"]),
    ]
}

fn price_id(price: Option<&Price>) -> Option<&str> {
    price.map(|price| price.id.as_str())
}

/// What stands in the first of the places that is not empty: of an object with an id, that id.
fn look_up(object: &Value, places: &[&str]) -> Value {
    let mut values = places.iter().filter_map(|place| object.pointer(place));
    let Some(value) = values.find(|value| !matches!(value, Value::Null)) else {
        return Value::Null;
    };
    value.get("id").unwrap_or(value).clone()
}

#[test]
fn every_recorded_object_is_readable() {
    let mut unreadable = Vec::new();
    let mut counts = BTreeMap::new();
    let bodies = testing::bodies();
    for (name, body) in &bodies {
        let document = json::parse(body).unwrap();
        let event = envelope::read(&document).unwrap();
        let Some(object) = envelope::data_object(&document) else {
            assert!(event.thin, "{name} carries no object");
            continue;
        };
        // Events of other types carry the same objects too, so that the views see more of them.
        let of_kind = event.object_type.as_deref().and_then(classify_object);
        let class = of_kind.unwrap_or_else(|| classify(&event.event_type, false));
        match read(class, object) {
            None => {}
            Some((_, Err(unsupported))) => unreadable.push((name.clone(), unsupported.path)),
            Some((kind, Ok(said))) => {
                *counts.entry(kind).or_insert(0) += 1;
                for (value, places) in said {
                    let expected = look_up(object, places);
                    let absent = expected.is_null() && places == ["/metadata"];
                    let expected = if absent { json!({}) } else { expected };
                    assert_eq!(value, expected, "{name}: {places:?}");
                }
            }
        }
    }
    if !bodies.is_empty() {
        assert_eq!(unreadable, UNREADABLE.map(|(name, path)| (name.to_owned(), path.to_owned())));
        assert_eq!(counts, BTreeMap::from(COUNTS));
    }
}
