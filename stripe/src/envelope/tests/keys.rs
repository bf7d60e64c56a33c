//! Which purchase and which customer an event belongs to.

use serde_json::{Value, json};

use super::super::root_of;
use super::{classic, envelope};

/// The root key of an event with each object, and of the object where no event carried it.
#[track_caller]
fn check(cases: &[(Value, Option<&str>)]) {
    for (object, expected) in cases {
        let envelope = envelope(&classic(object)).unwrap();
        assert_eq!(envelope.root_key.as_deref(), *expected, "{object}");
        assert_eq!(root_of(object).as_deref(), *expected, "{object}, pulled");
        if expected.is_some() {
            assert_eq!(envelope.routing_key, envelope.root_key, "{object}");
        }
    }
}

#[test]
fn keys_lead_to_the_purchase_the_best_first() {
    check(&[
        (json!({"id": "pi_1", "object": "payment_intent", "invoice": "in_1"}), Some("pi_1")),
        (
            json!({"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "invoice": "in_1"}),
            Some("pi_1"),
        ),
        (json!({"id": "ch_1", "object": "charge", "payment_intent": {"id": "pi_1"}}), Some("pi_1")),
        (
            json!({"id": "ch_1", "object": "charge", "payment_intent": null, "invoice": "in_1"}),
            Some("in_1"),
        ),
        (json!({"id": "ch_1", "object": "charge"}), Some("ch_1")),
        (
            json!({"id": "cs_1", "object": "checkout.session", "payment_intent": "pi_1"}),
            Some("pi_1"),
        ),
        (
            json!({"id": "cs_1", "object": "checkout.session", "invoice": "in_1", "subscription": "sub_1"}),
            Some("in_1"),
        ),
        (
            json!({"id": "cs_1", "object": "checkout.session", "subscription": "sub_1"}),
            Some("cs_1"),
        ),
        (
            json!({"id": "in_1", "object": "invoice", "charge": "ch_1", "subscription": "sub_1"}),
            Some("in_1"),
        ),
        (json!({"object": "invoice", "subscription": "sub_1", "customer": "cus_1"}), Some("sub_1")),
        (json!({"id": "sub_1", "object": "subscription", "customer": "cus_1"}), Some("sub_1")),
        (json!({"id": "di_1", "object": "discount", "subscription": "sub_1"}), Some("sub_1")),
        (json!({"id": "cs_1", "object": "checkout.session", "charge": "ch_1"}), Some("cs_1")),
        (json!({"id": "ii_1", "object": "invoiceitem", "invoice": {"id": "in_1"}}), Some("in_1")),
        (
            json!({"id": "di_1", "object": "discount", "subscription": {"id": "sub_1"}}),
            Some("sub_1"),
        ),
        (
            json!({"object": "invoice_payment", "payment": {"payment_intent": {"id": "pi_1"}}}),
            Some("pi_1"),
        ),
        // What is no reference leads nowhere.
        (json!({"id": "re_1", "object": "refund", "charge": 7, "payment_intent": {}}), None),
        (json!({"id": "re_1", "object": "refund", "charge": "c".repeat(256)}), None),
        (json!({"id": "pi_1"}), None),
        (json!({}), None),
    ]);
}

#[test]
fn what_pays_or_takes_back_leads_to_the_purchase() {
    check(&[
        (
            json!({"id": "inpay_1", "object": "invoice_payment", "invoice": "in_1",
                "payment": {"type": "payment_intent", "payment_intent": "pi_1"}}),
            Some("pi_1"),
        ),
        (
            json!({"id": "inpay_1", "object": "invoice_payment", "payment": {"type": "charge", "charge": "ch_1"}}),
            Some("ch_1"),
        ),
        (
            json!({"id": "inpay_1", "object": "invoice_payment", "invoice": "in_1",
                "payment": {"type": "charge", "charge": "ch_1"}}),
            Some("in_1"),
        ),
        (
            json!({"id": "cn_1", "object": "credit_note", "invoice": "in_1", "refund": "re_1"}),
            Some("in_1"),
        ),
        (
            json!({"id": "issfr_1", "object": "radar.early_fraud_warning", "charge": "ch_1", "payment_intent": "pi_1"}),
            Some("pi_1"),
        ),
        (
            json!({"id": "re_1", "object": "refund", "charge": "ch_1", "payment_intent": "pi_1"}),
            Some("pi_1"),
        ),
        (
            json!({"id": "re_1", "object": "refund", "charge": "ch_1", "payment_intent": ""}),
            Some("ch_1"),
        ),
        (json!({"id": "dp_1", "object": "dispute", "charge": {"id": "ch_1"}}), Some("ch_1")),
    ]);
}

#[test]
fn what_belongs_to_no_purchase_goes_by_the_customer() {
    let cases = [
        (json!({"id": "cus_1", "object": "customer"}), Some("cus_1")),
        (json!({"id": "card_1", "object": "card", "customer": "cus_1"}), Some("cus_1")),
        (json!({"object": "discount", "customer": {"id": "cus_1"}}), Some("cus_1")),
        (json!({"object": "x", "customer": null, "customer_account": "acct_9"}), Some("acct_9")),
        (json!({"object": "x", "customer": "cus_1", "customer_account": "acct_9"}), Some("cus_1")),
        (json!({"object": "x", "customer_account": {"id": "acct_9"}}), Some("acct_9")),
        (json!({"object": "balance"}), None),
    ];
    for (object, expected) in cases {
        let envelope = envelope(&classic(&object)).unwrap();
        assert_eq!(
            (envelope.root_key.as_deref(), envelope.routing_key.as_deref()),
            (None, expected),
            "{object}"
        );
    }
}

#[test]
fn keys_of_a_connect_event_name_the_account() {
    let mut event = classic(&json!({"id": "cus_1", "object": "customer"}));
    event["account"] = json!("acct_1");
    let envelope = envelope(&event).unwrap();
    assert_eq!(envelope.routing_key.as_deref(), Some("acct_1/cus_1"));
    assert_eq!(envelope.key("pi_1"), "acct_1/pi_1");
}
