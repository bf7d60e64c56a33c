//! Invoices, their lines and payments, and the subscriptions behind them, before Basil and since.

use serde_json::{Value, json};

use super::super::{
    Invoice, InvoiceLine, InvoicePayment, Period, Price, Subscription, SubscriptionItem,
};
use super::{found, metadata, price};

/// The one line of an invoice.
#[track_caller]
fn line(line: &Value) -> InvoiceLine {
    let object = json!({"id": "in_1", "lines": {"data": [line], "has_more": false}});
    Invoice::read(&object).unwrap().lines.unwrap().remove(0)
}

#[test]
fn an_invoice_of_before_basil_in_full() {
    let object = json!({
        "id": "in_1", "object": "invoice", "status": "paid", "paid": true, "billing_reason": "subscription_cycle",
        "amount_paid": 1000, "amount_due": 1000, "total": 1190, "currency": "usd", "customer": "cus_1",
        "subscription": "sub_1", "subscription_details": {"metadata": {"user_id": "u_1"}}, "charge": "ch_1",
        "payment_intent": {"id": "pi_1"}, "paid_out_of_band": false, "metadata": {"note": "x"},
        "customer_email": "a@example.com", "customer_name": "A", "lines": {"has_more": true, "data": [{"id": "il_1"}]},
    });
    let expected = Invoice {
        id: "in_1".into(),
        status: Some("paid".into()),
        paid: Some(true),
        billing_reason: Some("subscription_cycle".into()),
        amount_paid: Some(1000),
        amount_due: Some(1000),
        total: Some(1190),
        currency: Some("usd".into()),
        customer: Some("cus_1".into()),
        subscription: Some("sub_1".into()),
        subscription_metadata: metadata(&[("user_id", "u_1")]),
        charge: Some("ch_1".into()),
        payment_intent: Some("pi_1".into()),
        payments: None,
        paid_out_of_band: Some(false),
        metadata: metadata(&[("note", "x")]),
        emails: vec![found("customer_email", "a@example.com")],
        names: vec![found("customer_name", "A")],
        lines: None,
    };
    assert_eq!(Invoice::read(&object), Ok(expected));
}

#[test]
fn an_invoice_since_basil() {
    let object = json!({
        "id": "in_1", "object": "invoice", "status": "paid", "amount_paid": 1000, "customer": null,
        "customer_account": "acct_1", "amount_paid_off_stripe": 0,
        "parent": {"type": "subscription_details", "quote_details": null, "subscription_details": {
            "metadata": {"user_id": "u_1"}, "subscription": {"id": "sub_1", "object": "subscription"}}},
        "payments": {"object": "list", "has_more": false, "data": [
            {"id": "inpay_1", "object": "invoice_payment", "status": "canceled", "payment":
                {"type": "payment_intent", "payment_intent": "pi_0"}},
            {"id": "inpay_2", "object": "invoice_payment", "status": "paid", "amount_paid": 1000, "payment":
                {"type": "payment_intent", "payment_intent": "pi_1"}},
        ]},
    });
    let invoice = Invoice::read(&object).unwrap();
    assert_eq!(invoice.customer.as_deref(), Some("acct_1"));
    assert_eq!(invoice.subscription.as_deref(), Some("sub_1"));
    assert_eq!(invoice.subscription_metadata, metadata(&[("user_id", "u_1")]));
    assert_eq!(invoice.payment_intent.as_deref(), Some("pi_1"));
    assert_eq!((invoice.charge, invoice.paid), (None, None));
    assert_eq!(invoice.payments.map(|payments| payments.len()), Some(2));
    assert_eq!(invoice.paid_out_of_band, Some(false));
    assert_eq!(invoice.lines, None);
}

#[test]
fn what_an_invoice_bills_and_what_pays_it() {
    let details = |details: Value| json!({"parent": {"subscription_details": details}});
    for (fields, subscription, users) in [
        (json!({"subscription": "sub_1"}), Some("sub_1"), &[][..]),
        (json!({"subscription": null, "parent": null, "subscription_details": null}), None, &[]),
        (
            json!({"parent": {"type": "quote_details", "quote_details": {"quote": "qt_1"}}}),
            None,
            &[],
        ),
        (details(json!({"subscription": "sub_1", "metadata": null})), Some("sub_1"), &[]),
        (
            details(json!({"subscription": "sub_1", "metadata": {"user": "u"}})),
            Some("sub_1"),
            &[("user", "u")],
        ),
        (details(json!(null)), None, &[]),
    ] {
        let mut object = fields;
        object["id"] = json!("in_1");
        let invoice = Invoice::read(&object).unwrap();
        assert_eq!(invoice.subscription.as_deref(), subscription, "{object}");
        assert_eq!(invoice.subscription_metadata, metadata(users), "{object}");
    }
    for (fields, expected) in [
        (json!({"paid_out_of_band": true}), Some(true)),
        (json!({"amount_paid_off_stripe": 1000}), Some(true)),
        (json!({}), None),
    ] {
        let mut object = fields;
        object["id"] = json!("in_1");
        assert_eq!(Invoice::read(&object).unwrap().paid_out_of_band, expected, "{object}");
    }
}

#[test]
fn payments_that_did_not_pay_tie_nothing() {
    for (status, payment, expected) in [
        ("paid", json!({"type": "payment_intent", "payment_intent": "pi_1"}), (Some("pi_1"), None)),
        ("paid", json!({"type": "charge", "charge": {"id": "ch_1"}}), (None, Some("ch_1"))),
        ("paid", json!({"type": "payment_record", "payment_record": "pr_1"}), (None, None)),
        ("open", json!({"type": "payment_intent", "payment_intent": "pi_1"}), (None, None)),
    ] {
        let object = json!({"id": "in_1", "payments": {"data": [{"id": "inpay_1", "status": status, "payment": payment}]}});
        let invoice = Invoice::read(&object).unwrap();
        assert_eq!(
            (invoice.payment_intent.as_deref(), invoice.charge.as_deref()),
            expected,
            "{object}"
        );
    }
}

#[test]
fn a_line_of_before_basil_in_full() {
    let object = json!({
        "id": "il_1", "object": "line_item", "price": {"id": "price_1", "product": "prod_1", "lookup_key": "pro"},
        "plan": {"id": "price_1"}, "quantity": 2, "amount": -500, "proration": true,
        "period": {"start": 1_700_000_000, "end": 1_702_592_000}, "subscription": "sub_1",
        "subscription_item": "si_1", "metadata": {"user_id": "u_1"}, "type": "subscription",
    });
    let expected = InvoiceLine {
        id: "il_1".into(),
        price: Some(Price {
            id: "price_1".into(),
            product: Some("prod_1".into()),
            lookup_key: Some("pro".into()),
        }),
        quantity: Some(2),
        amount: Some(-500),
        proration: Some(true),
        period: Some(Period { start: 1_700_000_000, end: 1_702_592_000 }),
        subscription: Some("sub_1".into()),
        subscription_item: Some("si_1".into()),
        metadata: metadata(&[("user_id", "u_1")]),
    };
    assert_eq!(line(&object), expected);
}

#[test]
fn a_line_since_basil_in_full() {
    let object = json!({
        "id": "il_1", "object": "line_item", "quantity": 1, "quantity_decimal": "1", "amount": 2000,
        "pricing": {"type": "price_details", "price_details": {"price": "price_1", "product": "prod_1"}},
        "parent": {"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details":
            {"proration": false, "subscription": "sub_1", "subscription_item": "si_1", "invoice_item": null}},
    });
    let expected = InvoiceLine {
        id: "il_1".into(),
        price: Some(Price {
            id: "price_1".into(),
            product: Some("prod_1".into()),
            lookup_key: None,
        }),
        quantity: Some(1),
        amount: Some(2000),
        proration: Some(false),
        period: None,
        subscription: Some("sub_1".into()),
        subscription_item: Some("si_1".into()),
        metadata: metadata(&[]),
    };
    assert_eq!(line(&object), expected);
}

#[test]
fn the_price_of_a_line_in_every_version() {
    for (fields, expected) in [
        (json!({"plan": {"id": "gold", "object": "plan", "name": "Gold"}}), Some(price("gold"))),
        (json!({"plan": "gold", "price": null}), Some(price("gold"))),
        (json!({"price": "price_1"}), Some(price("price_1"))),
        (json!({"pricing": null, "price": "price_1"}), Some(price("price_1"))),
        (
            json!({"pricing": {"price_details": {"price": {"id": "price_1"}}}}),
            Some(price("price_1")),
        ),
        (json!({"pricing": {"type": "price_details", "unit_amount_decimal": null}}), None),
        (json!({"plan": null}), None),
    ] {
        let mut object = fields;
        object["id"] = json!("il_1");
        assert_eq!(line(&object).price, expected, "{object}");
    }
}

#[test]
fn a_fraction_is_no_quantity() {
    for (quantity, decimal, expected) in [
        (json!(3), json!(null), Some(3)),
        (json!(3), json!("3"), Some(3)),
        (json!(3), json!("3.000"), Some(3)),
        (json!(3), json!("2.5"), None),
        (json!(null), json!("0.5"), None),
        (json!(null), json!(null), None),
    ] {
        let object = json!({"id": "il_1", "quantity": quantity, "quantity_decimal": decimal});
        assert_eq!(line(&object).quantity, expected, "{object}");
    }
}

#[test]
fn a_line_that_an_invoice_item_made() {
    let details = json!({"invoice_item": "ii_1", "proration": true, "subscription": "sub_1"});
    for parent in [
        json!({"type": "invoice_item_details", "invoice_item_details": details}),
        // Only the details that the type names count.
        json!({"type": "invoice_item_details", "invoice_item_details": details,
            "subscription_item_details": {"proration": false, "subscription": "sub_2", "subscription_item": "si_2"}}),
    ] {
        let line = line(&json!({"id": "il_1", "parent": parent, "subscription": null}));
        assert_eq!(line.proration, Some(true), "{parent}");
        assert_eq!(line.subscription.as_deref(), Some("sub_1"), "{parent}");
        assert_eq!(line.subscription_item, None, "{parent}");
    }
    for parent in [json!(null), json!({}), json!({"type": "unheard_of"})] {
        let line = line(&json!({"id": "il_1", "parent": parent}));
        assert_eq!((line.proration, line.subscription), (None, None), "{parent}");
    }
}

#[test]
fn lines_of_2013_are_no_list() {
    let lines = json!({"invoiceitems": [], "prorations": [], "subscriptions": [{"id": "su_1", "amount": 100}]});
    assert_eq!(Invoice::read(&json!({"id": "in_1", "lines": lines})).unwrap().lines, None);
}

#[test]
fn an_invoice_payment_in_full() {
    let object = json!({
        "id": "inpay_1", "object": "invoice_payment", "status": "paid", "invoice": {"id": "in_1"}, "amount_paid": 2000,
        "amount_requested": 2000, "currency": "usd",
        "payment": {"type": "payment_intent", "payment_intent": {"id": "pi_1"}},
    });
    let expected = InvoicePayment {
        id: "inpay_1".into(),
        status: Some("paid".into()),
        invoice: Some("in_1".into()),
        payment_intent: Some("pi_1".into()),
        charge: None,
        amount_paid: Some(2000),
        currency: Some("usd".into()),
    };
    assert_eq!(InvoicePayment::read(&object), Ok(expected));
}

#[test]
fn a_subscription_in_full() {
    let object = json!({
        "id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "active", "metadata": {"user_id": "u_1"},
        "items": {"object": "list", "has_more": false, "data": [
            {"id": "si_1", "price": {"id": "price_1", "product": "prod_1", "lookup_key": null}, "quantity": 2,
                "current_period_start": 10, "current_period_end": 20},
            {"id": "si_2", "price": "price_2", "current_period_start": 10, "current_period_end": 30},
        ]},
    });
    let item = |price, quantity, end| SubscriptionItem {
        price,
        quantity,
        current_period: Some(Period { start: 10, end }),
    };
    let first = Price { id: "price_1".into(), product: Some("prod_1".into()), lookup_key: None };
    let expected = Subscription {
        id: "sub_1".into(),
        customer: Some("cus_1".into()),
        status: Some("active".into()),
        metadata: metadata(&[("user_id", "u_1")]),
        items: Some(vec![item(Some(first), Some(2), 20), item(Some(price("price_2")), None, 30)]),
    };
    assert_eq!(Subscription::read(&object), Ok(expected));
}

#[test]
fn what_is_subscribed_to_in_every_version() {
    for (fields, expected) in [
        (json!({"plan": {"id": "gold"}, "quantity": 1, "items": null}), Some(&["gold"][..])),
        (
            json!({"plan": {"id": "gold"}, "items": {"data": [{"plan": {"id": "silver"}}]}}),
            Some(&["silver"]),
        ),
        (
            json!({"items": [{"plan": {"id": "gold"}}, {"plan": {"id": "silver"}}]}),
            Some(&["gold", "silver"]),
        ),
        (json!({"items": {"data": [{"price": "price_1"}], "has_more": true}}), None),
        (json!({"items": null, "plan": null}), None),
    ] {
        let mut object = fields;
        object["id"] = json!("sub_1");
        (object["current_period_start"], object["current_period_end"]) = (json!(10), json!(20));
        let items = Subscription::read(&object).unwrap().items;
        let prices: Option<Vec<_>> = items.as_ref().map(|items| {
            assert!(
                items.iter().all(|item| item.current_period == Some(Period { start: 10, end: 20 })),
                "{object}"
            );
            items
                .iter()
                .filter_map(|item| item.price.as_ref())
                .map(|price| price.id.as_str())
                .collect()
        });
        assert_eq!(prices.as_deref(), expected, "{object}");
    }
}
