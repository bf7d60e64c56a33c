//! What gives money back, or threatens to: refunds, disputes, credit notes and early fraud warnings.

use serde_json::json;

use super::super::{BalanceTransaction, Charge, CreditNote, Dispute, EarlyFraudWarning, Refund};
use super::metadata;

#[test]
fn a_refund_in_full() {
    let object = json!({
        "id": "re_1", "object": "refund", "status": "failed", "amount": 100, "currency": "usd", "charge": {"id": "ch_1"},
        "payment_intent": "pi_1", "failure_reason": "expired_or_canceled_card", "created": 1_700_000_000, "metadata": {"ticket": "7"},
    });
    let expected = Refund {
        id: "re_1".into(),
        status: Some("failed".into()),
        amount: Some(100),
        currency: Some("usd".into()),
        charge: Some("ch_1".into()),
        payment_intent: Some("pi_1".into()),
        failure_reason: Some("expired_or_canceled_card".into()),
        created: Some(1_700_000_000),
        metadata: metadata(&[("ticket", "7")]),
    };
    assert_eq!(Refund::read(&object), Ok(expected));

    let of_2018 = json!({"id": "re_1", "object": "refund", "amount": 100, "currency": "usd", "charge": "ch_1"});
    let refund = Refund::read(&of_2018).unwrap();
    assert_eq!((refund.status, refund.payment_intent), (None, None));
}

#[test]
fn the_refunds_of_a_charge_in_every_version() {
    let one = json!({"id": "re_1", "object": "refund", "amount": 100, "status": "succeeded"});
    for (refunds, expected) in [
        // Since 2022-11-15 they are told by the API alone.
        (json!(null), None),
        (
            json!({"object": "list", "has_more": false, "total_count": 1, "data": [one]}),
            Some(&["re_1"][..]),
        ),
        (json!({"object": "list", "has_more": false, "data": []}), Some(&[])),
        (json!({"object": "list", "has_more": true, "data": [one]}), None),
        // Of 2013, without ids: one cannot be told from another.
        (json!([{"object": "refund", "amount": 100, "balance_transaction": "txn_1"}]), None),
        (json!([{"object": "refund", "amount": 100}, one]), None),
        (json!([]), Some(&[])),
        (json!({}), None),
    ] {
        let object = json!({"id": "ch_1", "amount_refunded": 100, "refunds": refunds});
        let charge = Charge::read(&object).unwrap();
        let ids: Option<Vec<_>> = charge
            .refunds
            .as_ref()
            .map(|refunds| refunds.iter().map(|refund| refund.id.as_str()).collect());
        assert_eq!(ids.as_deref(), expected, "{object}");
    }
}

#[test]
fn the_dispute_of_a_charge_is_a_hint() {
    for (dispute, expected) in [
        (json!("dp_1"), Some("dp_1")),
        (json!({"id": "dp_1", "object": "dispute"}), Some("dp_1")),
        (json!({"object": "dispute", "status": "lost", "charge": "ch_1"}), None),
        (json!(null), None),
        (json!(7), None),
    ] {
        let charge = Charge::read(&json!({"id": "ch_1", "dispute": dispute})).unwrap();
        assert_eq!(charge.dispute.as_deref(), expected, "{dispute}");
    }
}

#[test]
fn a_dispute_in_full() {
    let object = json!({
        "id": "dp_1", "object": "dispute", "status": "needs_response", "amount": 1000, "currency": "usd",
        "charge": "ch_1", "payment_intent": "pi_1", "is_charge_refundable": false, "balance_transaction": "txn_1",
        "balance_transactions": [
            {"id": "txn_1", "object": "balance_transaction", "amount": -940, "currency": "eur", "fee": 1500,
                "net": -2440, "reporting_category": "dispute", "type": "adjustment", "created": 10},
            {"amount": 940},
        ],
    });
    let expected = Dispute {
        id: "dp_1".into(),
        status: Some("needs_response".into()),
        amount: Some(1000),
        currency: Some("usd".into()),
        charge: Some("ch_1".into()),
        payment_intent: Some("pi_1".into()),
        is_charge_refundable: Some(false),
        balance_transactions: vec![
            BalanceTransaction {
                id: Some("txn_1".into()),
                amount: Some(-940),
                created: Some(10),
                currency: Some("eur".into()),
                reporting_category: Some("dispute".into()),
                kind: Some("adjustment".into()),
            },
            BalanceTransaction {
                id: None,
                amount: Some(940),
                created: None,
                currency: None,
                reporting_category: None,
                kind: None,
            },
        ],
    };
    assert_eq!(Dispute::read(&object), Ok(expected));
}

#[test]
fn the_movements_of_a_dispute_say_where_its_money_is_and_since_when() {
    for (movements, expected) in [
        (json!([]), None),
        (json!([{"amount": null}]), None),
        (json!([{"amount": 0, "created": 10}]), None),
        (json!([{"amount": -1000}]), Some((false, None))),
        (json!([{"amount": -1000, "created": 10}]), Some((false, Some(10)))),
        (
            json!([{"amount": -1000, "created": 10}, {"amount": 1000, "created": 20}]),
            Some((true, Some(20))),
        ),
        (
            json!([{"amount": 1000, "created": 20}, {"amount": -1000, "created": 10}]),
            Some((true, Some(20))),
        ),
        (json!([{"amount": -1000}, {"amount": 900}]), Some((true, None))),
        (json!([{"amount": -1000}, {"amount": 1000}, {"amount": -1000}]), Some((false, None))),
    ] {
        let dispute = json!({"id": "dp_1", "balance_transactions": movements});
        let moved = Dispute::read(&dispute).unwrap().moved();
        assert_eq!(moved.map(|moved| (moved.is_reinstated, moved.at)), expected, "{dispute}");
    }
}

#[test]
fn a_dispute_without_an_id_goes_by_its_charge() {
    for (object, expected) in [
        (json!({"id": "dp_1", "charge": "ch_1"}), Some("dp_1")),
        (json!({"charge": "ch_1", "balance_transaction": "txn_1"}), Some("ch_1")),
        (json!({"id": null, "charge": {"id": "ch_1"}}), Some("ch_1")),
        (json!({"id": 7, "charge": "ch_1"}), None),
        (json!({"status": "won"}), None),
    ] {
        assert_eq!(
            Dispute::read(&object).ok().map(|dispute| dispute.id).as_deref(),
            expected,
            "{object}"
        );
    }
}

#[test]
fn a_credit_note_in_full() {
    let object = json!({
        "id": "cn_1", "object": "credit_note", "status": "issued", "invoice": "in_1", "amount": 500, "total": 500,
        "currency": "usd", "customer": null, "customer_account": "acct_1", "type": "post_payment",
        "reason": "product_unsatisfactory", "refunds": [{"refund": "re_1", "amount_refunded": 300},
            {"refund": {"id": "re_2"}}, {"refund": null, "type": "payment_record_refund"}],
    });
    let expected = CreditNote {
        id: "cn_1".into(),
        status: Some("issued".into()),
        invoice: Some("in_1".into()),
        refunds: vec!["re_1".into(), "re_2".into()],
        amount: Some(500),
        total: Some(500),
        currency: Some("usd".into()),
        customer: Some("acct_1".into()),
        kind: Some("post_payment".into()),
        reason: Some("product_unsatisfactory".into()),
    };
    assert_eq!(CreditNote::read(&object), Ok(expected));

    for (refund, expected) in
        [(json!("re_1"), &["re_1"][..]), (json!({"id": "re_1"}), &["re_1"]), (json!(null), &[])]
    {
        let before_basil = json!({"id": "cn_1", "refund": refund});
        assert_eq!(CreditNote::read(&before_basil).unwrap().refunds, expected, "{before_basil}");
    }
}

#[test]
fn an_early_fraud_warning_in_full() {
    let object = json!({
        "id": "issfr_1", "object": "radar.early_fraud_warning", "charge": "ch_1", "payment_intent": "pi_1",
        "actionable": true, "fraud_type": "made_with_stolen_card",
    });
    let expected = EarlyFraudWarning {
        id: "issfr_1".into(),
        charge: Some("ch_1".into()),
        payment_intent: Some("pi_1".into()),
        actionable: Some(true),
        fraud_type: Some("made_with_stolen_card".into()),
    };
    assert_eq!(EarlyFraudWarning::read(&object), Ok(expected));
}
