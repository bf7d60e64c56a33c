//! What is read of each object, and what makes one unreadable.

mod id_shaped;
mod invoices;
mod recorded;
mod reversals;
mod unsupported;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Charge, CreditNote, Customer, Dispute, EarlyFraudWarning, Found, Invoice, InvoicePayment,
    LineItem, MAX_ID_SHAPED, PaymentIntent, Price, Refund, Session, Subscription, id_shaped_values,
};

fn found(path: &str, value: &str) -> Found {
    Found { path: path.into(), value: value.into() }
}

fn metadata(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(key, value)| (key.into(), value.into())).collect()
}

/// A price of which only its id is known.
fn price(id: &str) -> Price {
    Price { id: id.into(), product: None, lookup_key: None }
}

#[test]
fn a_session_in_full() {
    let object = json!({
        "id": "cs_1", "object": "checkout.session", "mode": "payment", "status": "complete", "payment_status": "paid",
        "created": 1_700_000_000, "expires_at": 1_700_086_400, "amount_total": 1190, "currency": "eur", "customer": "cus_1", "customer_account": null,
        "payment_intent": {"id": "pi_1", "object": "payment_intent", "amount": 1190}, "invoice": null,
        "payment_link": "plink_1", "client_reference_id": "u_1", "metadata": {"user_id": "u_1", "credits": "50"},
        "customer_email": "a@example.com", "customer_details": {"email": "b@example.com", "name": "B"},
        "line_items": {"object": "list", "has_more": false, "data": [
            {"id": "li_1", "price": {"id": "price_1", "product": "prod_1", "lookup_key": "fifty"}, "quantity": 2},
            {"id": "li_2", "price": "price_2", "quantity": null},
            {"id": "li_3", "price": null},
        ]},
    });
    let expected = Session {
        id: "cs_1".into(),
        mode: Some("payment".into()),
        status: Some("complete".into()),
        payment_status: Some("paid".into()),
        created: Some(1_700_000_000),
        expires_at: Some(1_700_086_400),
        amount_total: Some(1190),
        currency: Some("eur".into()),
        customer: Some("cus_1".into()),
        payment_intent: Some("pi_1".into()),
        invoice: None,
        subscription: None,
        payment_link: Some("plink_1".into()),
        client_reference_id: Some("u_1".into()),
        metadata: metadata(&[("user_id", "u_1"), ("credits", "50")]),
        emails: vec![
            found("customer_email", "a@example.com"),
            found("customer_details.email", "b@example.com"),
        ],
        names: vec![found("customer_details.name", "B")],
        line_items: Some(vec![
            LineItem {
                price: Some(Price {
                    id: "price_1".into(),
                    product: Some("prod_1".into()),
                    lookup_key: Some("fifty".into()),
                }),
                quantity: Some(2),
            },
            LineItem { price: Some(price("price_2")), quantity: None },
            LineItem { price: None, quantity: None },
        ]),
    };
    assert_eq!(Session::read(&object), Ok(expected));
}

#[test]
fn a_payment_intent_in_full() {
    let object = json!({
        "id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 800, "amount_received": 800,
        "currency": "jpy", "customer": null, "customer_account": "acct_9", "latest_charge": "ch_1",
        "invoice": "in_1", "metadata": {"user_id": "u_1"}, "receipt_email": "a@example.com",
        "shipping": {"name": "A"},
    });
    let expected = PaymentIntent {
        id: "pi_1".into(),
        status: Some("succeeded".into()),
        amount: Some(800),
        amount_received: Some(800),
        currency: Some("jpy".into()),
        customer: Some("acct_9".into()),
        invoice: Some("in_1".into()),
        latest_charge: Some("ch_1".into()),
        charges: vec![],
        metadata: metadata(&[("user_id", "u_1")]),
        emails: vec![found("receipt_email", "a@example.com")],
        names: vec![found("shipping.name", "A")],
    };
    assert_eq!(PaymentIntent::read(&object), Ok(expected));
}

#[test]
fn a_charge_in_full() {
    let object = json!({
        "id": "ch_1", "object": "charge", "status": "succeeded", "paid": true, "captured": true, "amount": 1000,
        "amount_captured": 900, "amount_refunded": 100, "refunds": null, "disputed": true, "dispute": "dp_1", "currency": "usd", "customer": {"id": "cus_1", "deleted": true},
        "payment_intent": "pi_1", "invoice": "in_1", "metadata": {}, "receipt_email": "a@example.com",
        "billing_details": {"email": "b@example.com", "name": "B"}, "shipping": {"name": "C"},
    });
    let expected = Charge {
        id: "ch_1".into(),
        status: Some("succeeded".into()),
        paid: Some(true),
        captured: Some(true),
        amount: Some(1000),
        amount_captured: Some(900),
        amount_refunded: Some(100),
        refunds: None,
        disputed: Some(true),
        dispute: Some("dp_1".into()),
        currency: Some("usd".into()),
        customer: Some("cus_1".into()),
        payment_intent: Some("pi_1".into()),
        invoice: Some("in_1".into()),
        metadata: BTreeMap::new(),
        emails: vec![
            found("receipt_email", "a@example.com"),
            found("billing_details.email", "b@example.com"),
        ],
        names: vec![found("billing_details.name", "B"), found("shipping.name", "C")],
    };
    assert_eq!(Charge::read(&object), Ok(expected));
}

#[test]
fn a_customer_in_full() {
    let object = json!({
        "id": "cus_1", "object": "customer", "email": "a@example.com", "name": "A", "shipping": {"name": "B"},
        "metadata": {"user_id": "u_1"},
    });
    let expected = Customer {
        id: "cus_1".into(),
        deleted: false,
        metadata: metadata(&[("user_id", "u_1")]),
        emails: vec![found("email", "a@example.com")],
        names: vec![found("name", "A"), found("shipping.name", "B")],
    };
    assert_eq!(Customer::read(&object), Ok(expected));
}

#[test]
fn a_customer_that_is_gone() {
    for (object, expected) in [
        (json!({"id": "cus_1", "object": "customer", "deleted": true}), true),
        (json!({"id": "cus_1", "object": "customer", "deleted": false}), false),
        (json!({"id": "cus_1", "object": "customer", "deleted": null}), false),
    ] {
        assert_eq!(Customer::read(&object).unwrap().deleted, expected, "{object}");
    }
}

/// What differs from kind to kind of session is which fields are null.
#[test]
fn sessions_of_every_kind() {
    for (object, expected) in [
        (
            json!({"mode": "subscription", "status": "complete", "payment_status": "paid", "payment_intent": null,
                "subscription": "sub_1", "invoice": "in_1", "invoice_creation": null, "ui_mode": "hosted_page"}),
            ["subscription", "complete", "paid", "-", "in_1", "sub_1", "-"],
        ),
        (
            json!({"mode": "payment", "status": "complete", "payment_status": "unpaid", "payment_intent": "pi_1",
                "payment_link": "plink_1", "invoice_creation": {"enabled": true, "invoice_data": {"metadata": {}}}}),
            ["payment", "complete", "unpaid", "pi_1", "-", "-", "plink_1"],
        ),
        (
            json!({"mode": "payment", "status": "expired", "payment_status": "unpaid", "payment_intent": null,
                "after_expiration": {"recovery": null}, "url": null}),
            ["payment", "expired", "unpaid", "-", "-", "-", "-"],
        ),
        (
            json!({"mode": "setup", "status": "complete", "payment_status": "no_payment_required",
                "setup_intent": "seti_1", "amount_total": null, "currency": null}),
            ["setup", "complete", "no_payment_required", "-", "-", "-", "-"],
        ),
        (
            json!({"payment_intent": "pi_1", "display_items": []}),
            ["-", "-", "-", "pi_1", "-", "-", "-"],
        ),
    ] {
        let mut object = object;
        object["id"] = json!("cs_1");
        let session = Session::read(&object).unwrap();
        let found = [
            session.mode,
            session.status,
            session.payment_status,
            session.payment_intent,
            session.invoice,
            session.subscription,
            session.payment_link,
        ];
        assert_eq!(found.map(|field| field.unwrap_or_else(|| "-".into())), expected, "{object}");
    }
}

#[test]
fn an_id_is_enough_and_what_is_new_is_no_problem() {
    let least = json!({"id": "x_1"});
    assert_eq!(Session::read(&least).unwrap().payment_status, None);
    assert_eq!(PaymentIntent::read(&least).unwrap().amount, None);
    assert_eq!(Charge::read(&least).unwrap().paid, None);
    assert_eq!(Customer::read(&least).unwrap().metadata, BTreeMap::new());

    let future = json!({"id": "cs_1", "mode": "rent", "payment_status": "half", "currency": "zzz", "moons": [2]});
    let session = Session::read(&future).unwrap();
    assert_eq!(
        (session.mode.as_deref(), session.payment_status.as_deref()),
        (Some("rent"), Some("half"))
    );
}

#[test]
fn amounts_are_whatever_64_bits_hold() {
    for amount in [0, -500, i64::MIN, i64::MAX] {
        let charge = Charge::read(&json!({"id": "ch_1", "amount": amount})).unwrap();
        assert_eq!(charge.amount, Some(amount));
    }
}

#[test]
fn the_customer_comes_before_the_customer_account() {
    for (customer, customer_account, expected) in [
        (json!("cus_1"), json!("acct_1"), Some("cus_1")),
        (json!("cus_1"), json!(null), Some("cus_1")),
        (json!(null), json!("acct_1"), Some("acct_1")),
        (json!(""), json!({"id": "acct_1"}), Some("acct_1")),
        (json!(null), json!(null), None),
    ] {
        let object =
            json!({"id": "cs_1", "customer": customer, "customer_account": customer_account});
        assert_eq!(Session::read(&object).unwrap().customer.as_deref(), expected, "{object}");
    }
}

#[test]
fn metadata_is_text() {
    let object = json!({"id": "cus_1", "metadata": {
        "text": "u_1", "empty": "", "number": 50, "flag": true, "gone": null, "list": ["a", 1], "nul\0": "a\0b",
        "__proto__": "x",
    }});
    let expected = metadata(&[
        ("text", "u_1"),
        ("empty", ""),
        ("number", "50"),
        ("flag", "true"),
        ("list", r#"["a",1]"#),
        ("nul\u{FFFD}", "a\u{FFFD}b"),
        ("__proto__", "x"),
    ]);
    assert_eq!(Customer::read(&object).unwrap().metadata, expected);
}

#[test]
fn hints_that_are_no_text_are_passed_over() {
    for details in
        [json!(null), json!("a"), json!([]), json!({"email": 5, "name": {}}), json!({"email": " "})]
    {
        let object = json!({"id": "cs_1", "customer_email": false, "customer_details": details});
        let session = Session::read(&object).unwrap();
        assert_eq!((session.emails, session.names), (vec![], vec![]), "{object}");
    }
}

#[test]
fn line_items_count_only_when_they_are_all_there() {
    for (line_items, expected) in [
        (json!(null), None),
        (json!({}), None),
        (json!({"data": null, "has_more": false}), None),
        (json!({"data": [], "has_more": false}), Some(0)),
        (json!([{"price": "price_1"}, {"price": "price_2"}]), Some(2)),
        (json!({"data": [{"price": "price_1"}], "count": 1}), Some(1)),
        (json!({"data": [{"price": "price_1"}], "count": 2}), None),
        (json!({"data": [{"price": "price_1"}]}), Some(1)),
        (json!({"data": [{"price": "price_1"}], "has_more": true}), None),
    ] {
        let object = json!({"id": "cs_1", "line_items": line_items});
        let items = Session::read(&object).unwrap().line_items;
        assert_eq!(items.map(|items| items.len()), expected, "{object}");
    }
}

#[test]
fn the_charge_of_a_payment_intent_in_every_version() {
    for (fields, expected, inline) in [
        (json!({"latest_charge": "ch_2"}), Some("ch_2"), &[][..]),
        (json!({"latest_charge": {"id": "ch_2", "object": "charge"}}), Some("ch_2"), &["ch_2"]),
        (
            json!({"latest_charge": null, "charges": {"data": [{"id": "ch_2"}, {"id": "ch_1"}]}}),
            Some("ch_2"),
            &["ch_2", "ch_1"],
        ),
        (json!({"charges": {"data": []}}), None, &[]),
        (json!({"charges": null}), None, &[]),
        (json!({}), None, &[]),
    ] {
        let mut object = fields;
        object["id"] = json!("pi_1");
        let intent = PaymentIntent::read(&object).unwrap();
        assert_eq!(intent.latest_charge.as_deref(), expected, "{object}");
        assert!(
            intent.charges.iter().map(|charge| charge.id.as_str()).eq(inline.iter().copied()),
            "{object}"
        );
    }
}

/// Names that the views look at.
const KEYS: [&str; 26] = [
    "id",
    "object",
    "customer",
    "metadata",
    "amount",
    "amount_total",
    "charges",
    "data",
    "line_items",
    "price",
    "quantity",
    "has_more",
    "shipping",
    "name",
    "payment_intent",
    "status",
    "paid",
    "refunds",
    "lines",
    "parent",
    "type",
    "subscription_details",
    "payments",
    "payment",
    "items",
    "balance_transactions",
];

/// Any JSON whose keys are often those that the views look at.
fn object() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("pi_1")),
    ];
    scalar.prop_recursive(4, 40, 8, |inner| {
        let object = prop::collection::btree_map(prop::sample::select(&KEYS[..]), inner.clone(), 0..8);
        prop_oneof![
            3 => object.prop_map(|pairs| pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::from),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_is_too_strange_to_be_refused(object in object()) {
        let _ = (Session::read(&object), PaymentIntent::read(&object), Charge::read(&object), Customer::read(&object));
        let _ = (Refund::read(&object), Dispute::read(&object), CreditNote::read(&object));
        let _ = (Invoice::read(&object), InvoicePayment::read(&object), Subscription::read(&object));
        let _ = EarlyFraudWarning::read(&object);
        prop_assert!(id_shaped_values(&object).len() <= MAX_ID_SHAPED);
    }
}
