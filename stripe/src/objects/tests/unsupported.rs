//! Impossible types where money or identity hang on them.

use serde_json::{Value, json};

use super::super::{
    Charge, CreditNote, Customer, Dispute, EarlyFraudWarning, Invoice, InvoicePayment,
    PaymentIntent, Refund, Session, Subscription, UnsupportedShape,
};

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
        "metadata" | "object" => vec![json!("x"), json!(1), json!([])],
        "list" => vec![
            json!("x"),
            json!(true),
            json!(1),
            json!([7]),
            json!({"data": {}}),
            json!({"data": ["x"]}),
        ],
        "label" => vec![json!("review"), json!("event"), json!(1), json!(null)],
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
                let at_fault = path.as_ref().err().and_then(|path| path.split('.').next());
                assert_eq!(at_fault, Some(*name), "{object}: {path:?}");
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
            ("integer", &["amount_total", "created", "expires_at"]),
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
            ("flag", &["paid", "captured", "disputed"]),
            ("list", &["refunds"]),
            ("integer", &["amount", "amount_captured", "amount_refunded"]),
            ("reference", &["customer", "customer_account", "payment_intent", "invoice"]),
            ("metadata", &["metadata"]),
        ],
    );
}

#[test]
fn fields_that_decide_about_a_customer() {
    check(
        Customer::read,
        &[
            ("id", &["id"]),
            ("label", &["object"]),
            ("flag", &["deleted"]),
            ("metadata", &["metadata"]),
        ],
    );
}

#[test]
fn fields_that_decide_about_a_refund() {
    check(
        Refund::read,
        &[
            ("id", &["id"]),
            ("label", &["object"]),
            ("text", &["status", "currency", "failure_reason"]),
            ("integer", &["amount"]),
            ("reference", &["charge", "payment_intent"]),
            ("metadata", &["metadata"]),
        ],
    );
}

#[test]
fn fields_that_decide_about_a_dispute() {
    check(
        Dispute::read,
        &[
            ("id", &["id"]),
            ("label", &["object"]),
            ("text", &["status", "currency"]),
            ("flag", &["is_charge_refundable"]),
            ("integer", &["amount"]),
            ("reference", &["charge", "payment_intent"]),
            ("list", &["balance_transactions"]),
        ],
    );
}

#[test]
fn fields_that_decide_about_a_credit_note() {
    check(
        CreditNote::read,
        &[
            ("id", &["id"]),
            ("label", &["object"]),
            ("text", &["status", "currency", "type", "reason"]),
            ("integer", &["amount", "total"]),
            ("reference", &["invoice", "refund", "customer", "customer_account"]),
            ("list", &["refunds"]),
        ],
    );
}

#[test]
fn fields_that_decide_about_an_early_fraud_warning() {
    check(
        EarlyFraudWarning::read,
        &[
            ("id", &["id"]),
            ("label", &["object"]),
            ("text", &["fraud_type"]),
            ("flag", &["actionable"]),
            ("reference", &["charge", "payment_intent"]),
        ],
    );
}

#[test]
fn fields_that_decide_about_an_invoice() {
    check(
        Invoice::read,
        &[
            ("id", &["id"]),
            ("label", &["object"]),
            ("text", &["status", "billing_reason", "currency"]),
            ("flag", &["paid", "paid_out_of_band"]),
            ("integer", &["amount_paid", "amount_due", "total", "amount_paid_off_stripe"]),
            (
                "reference",
                &["customer", "customer_account", "subscription", "charge", "payment_intent"],
            ),
            ("object", &["parent", "subscription_details"]),
            ("metadata", &["metadata"]),
            ("list", &["lines", "payments"]),
        ],
    );
}

#[test]
fn fields_that_decide_about_an_invoice_payment() {
    check(
        InvoicePayment::read,
        &[
            ("id", &["id"]),
            ("label", &["object"]),
            ("text", &["status", "currency"]),
            ("integer", &["amount_paid"]),
            ("reference", &["invoice"]),
            ("object", &["payment"]),
        ],
    );
}

#[test]
fn fields_that_decide_about_a_subscription() {
    check(
        Subscription::read,
        &[
            ("id", &["id"]),
            ("label", &["object"]),
            ("text", &["status"]),
            ("integer", &["current_period_start", "current_period_end"]),
            ("reference", &["customer", "customer_account", "plan"]),
            ("metadata", &["metadata"]),
            ("list", &["items"]),
        ],
    );
}

#[test]
fn the_path_leads_to_what_an_object_carries() {
    for (read, path) in [
        (
            Charge::read(&json!({"id": "ch_1", "refunds": {"data": [{"id": "re_1", "amount": "1"}]}})).err(),
            "refunds.data.0.amount",
        ),
        (
            Charge::read(&json!({"id": "ch_1", "refunds": {"data": [{"id": "re_1", "object": "charge"}]}})).err(),
            "refunds.data.0.object",
        ),
        (
            PaymentIntent::read(&json!({"id": "pi_1", "charges": {"data": [{"id": "ch_1", "paid": 1}]}})).err(),
            "charges.data.0.paid",
        ),
        (
            PaymentIntent::read(&json!({"id": "pi_1", "latest_charge": {"id": "ch_1", "paid": 1}})).err(),
            "latest_charge.paid",
        ),
        (
            Dispute::read(&json!({"id": "dp_1", "balance_transactions": [{"amount": 1.5}]})).err(),
            "balance_transactions.0.amount",
        ),
        (
            Invoice::read(&json!({"id": "in_1", "parent": {"subscription_details": {"subscription": 7}}})).err(),
            "parent.subscription_details.subscription",
        ),
        (Invoice::read(&json!({"id": "in_1", "lines": {"data": [{}]}})).err(), "lines.data.0.id"),
        (
            Invoice::read(&json!({"id": "in_1", "lines": {"data": [{"id": "il_1", "period": {"start": "now"}}]}}))
                .err(),
            "lines.data.0.period.start",
        ),
        (
            Invoice::read(&json!({"id": "in_1", "lines": {"data": [
                {"id": "il_1", "pricing": {"price_details": {"price": []}}}]}}))
            .err(),
            "lines.data.0.pricing.price_details.price",
        ),
        (
            Invoice::read(&json!({"id": "in_1", "payments": {"data": [{"id": "inpay_1", "payment":
                {"payment_intent": 1}}]}}))
            .err(),
            "payments.data.0.payment.payment_intent",
        ),
    ] {
        assert_eq!(read.map(|unsupported| unsupported.path).as_deref(), Some(path));
    }
}

#[test]
fn the_path_leads_into_lists() {
    for (line_items, path, expected) in [
        (json!({"data": [], "has_more": "no"}), "line_items.has_more", "true or false"),
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
