//! The recorded events, of twelve years and 43 API versions, through the views.

use serde_json::Value;

use super::super::{Charge, Customer, PaymentIntent, Session, UnsupportedShape};
use crate::event_type::{Class, classify};
use crate::{envelope, json, testing};

/// The only recorded event of an understood type that is not readable: its object is `{}`, a stub that stripe-go's
/// tests never look into. A customer without an id is nobody.
const UNREADABLE: [(&str, &str); 1] = [("events/stripe-go/customer.created.json", "id")];

/// How many recorded objects each view reads, counted apart.
const COUNTS: [usize; 4] = [10, 27, 30, 27];

/// What one of the recorded objects is read as.
#[derive(Debug)]
enum View {
    Session(Session),
    PaymentIntent(PaymentIntent),
    Charge(Charge),
    Customer(Customer),
}

fn read(class: Class, object: &Value) -> Option<Result<View, UnsupportedShape>> {
    match class {
        Class::Session => Some(Session::read(object).map(View::Session)),
        Class::PaymentIntent => Some(PaymentIntent::read(object).map(View::PaymentIntent)),
        Class::Charge => Some(Charge::read(object).map(View::Charge)),
        Class::Customer => Some(Customer::read(object).map(View::Customer)),
        Class::Deferred | Class::Unhandled => None,
    }
}

/// Events of other types carry the same objects too, so that these views see more of them.
fn class_of(event_type: &str, object: &Value) -> Class {
    match object["object"].as_str() {
        Some("checkout.session") => Class::Session,
        Some("payment_intent") => Class::PaymentIntent,
        Some("charge") => Class::Charge,
        Some("customer") => Class::Customer,
        _ => classify(event_type, false),
    }
}

#[test]
fn every_recorded_object_is_readable() {
    let mut unreadable = Vec::new();
    let mut counts = [0; 4];
    let bodies = testing::bodies();
    for (name, body) in &bodies {
        let document = json::parse(body).unwrap();
        let event = envelope::read(&document).unwrap();
        let Some(object) = envelope::data_object(&document) else {
            assert!(event.thin, "{name} carries no object");
            continue;
        };
        match read(class_of(&event.event_type, object), object) {
            None => {}
            Some(Ok(view)) => counts[check_against_its_object(name, object, &view)] += 1,
            Some(Err(unsupported)) => unreadable.push((name.clone(), unsupported.path)),
        }
    }
    if !bodies.is_empty() {
        assert_eq!(unreadable, UNREADABLE.map(|(name, path)| (name.to_owned(), path.to_owned())));
        assert_eq!(counts, COUNTS, "sessions, payment intents, charges, customers");
    }
}

/// Compares what was read with the document, by another way of looking it up; says which kind it was.
fn check_against_its_object(name: &str, object: &Value, view: &View) -> usize {
    let metadata_count = object["metadata"].as_object().map_or(0, serde_json::Map::len);
    let text = |field: &str| object[field].as_str().map(str::to_owned);
    match view {
        View::Session(session) => {
            assert_eq!(session.payment_status, text("payment_status"), "{name}");
            assert_eq!(session.amount_total, object["amount_total"].as_i64(), "{name}");
            assert_eq!(session.payment_intent, text("payment_intent"), "{name}");
            assert_eq!(session.metadata.len(), metadata_count, "{name}");
            assert_eq!(session.line_items, None, "{name}: never in a webhook");
            0
        }
        View::PaymentIntent(intent) => {
            assert_eq!(intent.status, text("status"), "{name}");
            assert_eq!(intent.amount, object["amount"].as_i64(), "{name}");
            assert_eq!(intent.metadata.len(), metadata_count, "{name}");
            1
        }
        View::Charge(charge) => {
            assert_eq!(charge.paid, object["paid"].as_bool(), "{name}");
            assert_eq!(charge.amount, object["amount"].as_i64(), "{name}");
            assert_eq!(charge.payment_intent, text("payment_intent"), "{name}");
            assert_eq!(charge.metadata.len(), metadata_count, "{name}");
            2
        }
        View::Customer(customer) => {
            let email = customer.emails.first().map(|email| email.value.clone());
            assert_eq!(email, text("email"), "{name}");
            assert_eq!(customer.metadata.len(), metadata_count, "{name}");
            3
        }
    }
}
