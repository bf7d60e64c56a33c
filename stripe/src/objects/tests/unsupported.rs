//! Impossible types where money or identity hang on them.

use serde_json::{Value, json};

use super::super::{Charge, Customer, PaymentIntent, Session, UnsupportedShape};

/// Values that are no reference, no text, no integer, no flag and no object.
fn impossible(kind: &str) -> Vec<Value> {
    let too_long = json!("x".repeat(256));
    match kind {
        "id" => vec![json!(null), json!(""), json!(" "), json!(1), json!({"id": "x"}), too_long],
        "reference" => vec![
            json!(1),
            json!(true),
            json!([]),
            json!({}),
            json!({"id": null}),
            json!({"id": 1}),
            too_long,
        ],
        "text" => vec![json!(1), json!(false), json!([]), json!({"text": "x"})],
        "integer" => vec![
            json!("100"),
            json!(1.5),
            json!(1.0),
            json!(-0.0),
            json!(1e2),
            json!(u64::MAX),
            json!({}),
        ],
        "flag" => vec![json!("true"), json!(1), json!([])],
        "metadata" => vec![json!("x"), json!(1), json!([])],
        "list" => vec![json!("x"), json!([]), json!(1)],
        "label" => vec![json!("refund"), json!("event"), json!(1), json!(null)],
        unknown => panic!("no impossible values of {unknown}"),
    }
}

/// Each field with each impossible value makes the object unreadable, and the path says which field it was.
#[track_caller]
fn check<T: std::fmt::Debug>(
    read: fn(&Value) -> Result<T, UnsupportedShape>,
    fields: &[(&str, &[&str])],
) {
    for (kind, names) in fields {
        for name in *names {
            for value in impossible(kind) {
                let mut object = json!({"id": "x_1"});
                object[*name] = value;
                let path = read(&object).map_err(|unsupported| unsupported.path);
                assert_eq!(
                    path.as_ref().err().map(String::as_str),
                    Some(*name),
                    "{object}: {path:?}"
                );
            }
        }
    }
    for value in [json!(null), json!("cs_1"), json!([]), json!(1)] {
        assert!(read(&value).is_err(), "{value}");
    }
}

#[test]
fn fields_that_decide_about_a_session() {
    check(
        Session::read,
        &[
            ("id", &["id"]),
            ("label", &["object"]),
            ("text", &["mode", "status", "payment_status", "currency", "client_reference_id"]),
            ("integer", &["amount_total"]),
            (
                "reference",
                &[
                    "customer",
                    "customer_account",
                    "payment_intent",
                    "invoice",
                    "subscription",
                    "payment_link",
                ],
            ),
            ("metadata", &["metadata"]),
            ("list", &["line_items"]),
        ],
    );
}

#[test]
fn fields_that_decide_about_a_payment_intent() {
    check(
        PaymentIntent::read,
        &[
            ("id", &["id"]),
            ("label", &["object"]),
            ("text", &["status", "currency"]),
            ("integer", &["amount", "amount_received"]),
            ("reference", &["customer", "customer_account", "invoice", "latest_charge"]),
            ("metadata", &["metadata"]),
            ("list", &["charges"]),
        ],
    );
}

#[test]
fn fields_that_decide_about_a_charge() {
    check(
        Charge::read,
        &[
            ("id", &["id"]),
            ("label", &["object"]),
            ("text", &["status", "currency"]),
            ("flag", &["paid", "captured"]),
            ("integer", &["amount", "amount_captured", "amount_refunded"]),
            ("reference", &["customer", "customer_account", "payment_intent", "invoice"]),
            ("metadata", &["metadata"]),
        ],
    );
}

#[test]
fn fields_that_decide_about_a_customer() {
    check(Customer::read, &[("id", &["id"]), ("label", &["object"]), ("metadata", &["metadata"])]);
}

#[test]
fn the_path_leads_into_lists() {
    for (line_items, path, expected) in [
        (json!({"has_more": "no"}), "line_items.has_more", "true or false"),
        (json!({"data": {}}), "line_items.data", "a list"),
        (json!({"data": [{}, 5]}), "line_items.data.1", "an object"),
        (
            json!({"data": [{}, {"quantity": 1.5}]}),
            "line_items.data.1.quantity",
            "a whole number of 64 bits",
        ),
        (
            json!({"data": [{"price": 7}]}),
            "line_items.data.0.price",
            "an id, an object with an id, or null",
        ),
    ] {
        let object = json!({"id": "cs_1", "line_items": line_items});
        let unsupported = Session::read(&object).unwrap_err();
        assert_eq!(unsupported, UnsupportedShape { path: path.into(), expected }, "{object}");
    }
}

#[test]
fn what_is_said_names_the_place_and_not_the_value() {
    let unsupported = Charge::read(&json!({"id": "ch_1", "amount": "4242"})).unwrap_err();
    assert_eq!(unsupported.to_string(), "`amount` is not a whole number of 64 bits");
}
