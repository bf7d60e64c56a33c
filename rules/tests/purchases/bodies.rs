//! Bodies of events, as Stripe and as this program write them: whole ones with the usual fields, changed by the test.

use serde_json::{Value, json};

/// The usual user, price and customer.
pub(crate) const ADA: &str = "u_ada";
/// Another user.
pub(crate) const BOB: &str = "u_bob";
/// The usual price.
pub(crate) const PRICE: &str = "price_100";
/// When everything was said, in seconds since 1970.
pub(crate) const SAID_AT: i64 = 1_700_000_000;

/// An event of Stripe's about this object.
pub(crate) fn event(event_type: &str, object: &Value) -> Value {
    json!({
        "id": "evt_1", "object": "event", "type": event_type, "created": SAID_AT,
        "data": {"object": object},
    })
}

/// A paid Checkout session `cs_1` of payment intent `pi_1`, with these fields instead.
pub(crate) fn session(fields: Value) -> Value {
    let usual = json!({
        "id": "cs_1", "object": "checkout.session", "mode": "payment", "payment_status": "paid",
        "payment_intent": "pi_1", "customer": null, "amount_total": 1190, "currency": "eur", "metadata": {},
    });
    event("checkout.session.completed", &with(usual, fields))
}

/// A session with this metadata.
pub(crate) fn session_of(metadata: Value) -> Value {
    session(json!({"metadata": metadata}))
}

/// A succeeded payment intent `pi_1` of charge `ch_1`, with these fields instead.
pub(crate) fn intent(fields: Value) -> Value {
    let usual = json!({
        "id": "pi_1", "object": "payment_intent", "status": "succeeded", "latest_charge": "ch_1", "customer": null,
        "amount": 1190, "amount_received": 1190, "currency": "eur", "metadata": {},
    });
    event("payment_intent.succeeded", &with(usual, fields))
}

/// A payment intent with this metadata.
pub(crate) fn intent_of(metadata: Value) -> Value {
    intent(json!({"metadata": metadata}))
}

/// A succeeded charge `ch_1` of payment intent `pi_1`, with these fields instead.
pub(crate) fn charge(fields: Value) -> Value {
    let usual = json!({
        "id": "ch_1", "object": "charge", "status": "succeeded", "paid": true, "captured": true,
        "payment_intent": "pi_1", "customer": null, "amount": 1190, "currency": "eur", "metadata": {},
    });
    event("charge.succeeded", &with(usual, fields))
}

/// The same event, said so many seconds after [`SAID_AT`].
pub(crate) fn at(seconds: i64, mut body: Value) -> Value {
    body["created"] = (SAID_AT + seconds).into();
    body
}

/// The same event under another type.
pub(crate) fn typed(event_type: &str, mut body: Value) -> Value {
    body["type"] = event_type.into();
    body
}

/// The charge `ch_1`, of which so much was refunded so far, with these fields instead.
pub(crate) fn charge_refunded(amount: i64, fields: Value) -> Value {
    let refunded = json!({"amount_refunded": amount, "refunded": amount >= 1190});
    typed("charge.refunded", charge(with(refunded, fields)))
}

/// A refund of charge `ch_1`, made so many seconds after [`SAID_AT`], as it stands then.
pub(crate) fn refund(id: &str, amount: i64, made: i64, status: &str) -> Value {
    let object = json!({
        "id": id, "object": "refund", "amount": amount, "currency": "eur", "charge": "ch_1", "payment_intent": "pi_1",
        "status": status, "created": SAID_AT + made,
    });
    at(made, event("refund.updated", &object))
}

/// What happens to a dispute of charge `ch_1`, so many seconds after [`SAID_AT`].
pub(crate) fn dispute(what: &str, id: &str, amount: i64, said: i64) -> Value {
    dispute_as(what, id, (amount, "needs_response"), said)
}

/// The same with this status.
pub(crate) fn dispute_as(what: &str, id: &str, (amount, status): (i64, &str), said: i64) -> Value {
    let object = json!({
        "id": id, "object": "dispute", "amount": amount, "currency": "eur", "charge": "ch_1", "payment_intent": "pi_1",
        "status": status, "is_charge_refundable": false,
    });
    at(said, event(&format!("charge.dispute.{what}"), &object))
}

/// A paid invoice `in_1` of subscription `sub_1`, as Stripe writes it since Basil, with these fields instead.
pub(crate) fn invoice(fields: Value) -> Value {
    let usual = json!({
        "id": "in_1", "object": "invoice", "status": "paid", "billing_reason": "subscription_cycle", "customer": null,
        "amount_due": 1190, "amount_paid": 1190, "total": 1190, "currency": "eur", "metadata": {},
        "parent": {
            "type": "subscription_details",
            "subscription_details": {"subscription": "sub_1", "metadata": {"user_id": ADA}},
        },
        "lines": lines(&[line(PRICE, 1, json!({}))]),
    });
    event("invoice.paid", &with(usual, fields))
}

/// A complete list of an invoice's lines.
pub(crate) fn lines(lines: &[Value]) -> Value {
    let numbered = lines.iter().enumerate();
    let data: Vec<Value> = numbered
        .map(|(number, line)| with(line.clone(), json!({"id": format!("il_{number}")})))
        .collect();
    json!({"object": "list", "has_more": false, "data": data})
}

/// A line of an invoice, for a period of 30 days, with these fields instead.
pub(crate) fn line(price: &str, quantity: i64, fields: Value) -> Value {
    let usual = json!({
        "object": "line_item", "amount": 1000, "quantity": quantity,
        "pricing": {"type": "price_details", "price_details": {"price": price, "product": "prod_1"}},
        "parent": {
            "type": "subscription_item_details",
            "subscription_item_details": {"proration": false, "subscription": "sub_1", "subscription_item": "si_1"},
        },
        "period": {"start": SAID_AT, "end": SAID_AT + PERIOD},
    });
    with(usual, fields)
}

/// A line that bills the rest of a running period (or gives it back, where the amount is negative), so long.
pub(crate) fn proration(price: &str, quantity: i64, amount: i64, seconds: i64) -> Value {
    let details = json!({"proration": true, "subscription": "sub_1", "subscription_item": "si_1"});
    line(
        price,
        quantity,
        json!({
            "amount": amount,
            "parent": {"type": "subscription_item_details", "subscription_item_details": details},
            "period": {"start": SAID_AT + PERIOD - seconds, "end": SAID_AT + PERIOD},
        }),
    )
}

/// Seconds of a usual period.
pub(crate) const PERIOD: i64 = 30 * 86_400;

/// What ties invoice `in_1` to the payment intent `pi_1` that paid it, since Basil.
pub(crate) fn invoice_payment() -> Value {
    let object = json!({
        "id": "inpay_1", "object": "invoice_payment", "status": "paid", "invoice": "in_1", "amount_paid": 1190,
        "currency": "eur", "payment": {"type": "payment_intent", "payment_intent": "pi_1"},
    });
    event("invoice_payment.paid", &object)
}

/// A thin event: it names its object, and carries none.
pub(crate) fn thin(event_type: &str, kind: &str, id: &str) -> Value {
    json!({
        "id": "evt_thin", "object": "v2.core.event", "type": event_type, "created": "2023-11-14T22:13:20.000Z",
        "related_object": {"id": id, "type": kind, "url": format!("/v1/ignored/{id}")},
    })
}

/// The same event on a connected account.
pub(crate) fn of_account(account: &str, mut body: Value) -> Value {
    body["account"] = account.into();
    body
}

/// Metadata that names a user and the usual price.
pub(crate) fn names(user: &str) -> Value {
    json!({"user_id": user, "price": PRICE})
}

/// A customer as Stripe tells of it at this second, with these fields instead.
pub(crate) fn customer(created: i64, fields: Value) -> Value {
    let usual = json!({"id": "cus_1", "object": "customer", "metadata": {}});
    let mut told = event("customer.updated", &with(usual, fields));
    told["created"] = created.into();
    told
}

/// The app registers a user, with these fields instead.
pub(crate) fn registered(user: &str, fields: Value) -> Value {
    let usual = json!({"object": "tally.event", "type": "tally.user.registered", "user": user});
    with(usual, fields)
}

/// The app registers a user with a verified e-mail.
pub(crate) fn registered_as(user: &str, email: &str) -> Value {
    registered(user, json!({"email": email, "email_verified": true}))
}

/// The catalogue says what a price is worth.
pub(crate) fn priced(price: &str, credits: i64) -> Value {
    json!({"object": "tally.event", "type": "tally.catalogue.set", "price": price, "credits": credits})
}

/// The same, for what was paid from so many seconds after [`SAID_AT`] on.
pub(crate) fn since(seconds: i64, entry: Value) -> Value {
    let valid_from = jiff::Timestamp::from_second(SAID_AT + seconds).unwrap();
    with(entry, json!({"valid_from": valid_from}))
}

/// The catalogue says that a price does not concern us.
pub(crate) fn not_ours(price: &str) -> Value {
    json!({"object": "tally.event", "type": "tally.catalogue.set", "price": price, "not_ours": true})
}

/// `usual`, with these fields instead.
pub(crate) fn with(mut usual: Value, fields: Value) -> Value {
    if let (Some(usual), Value::Object(fields)) = (usual.as_object_mut(), fields) {
        usual.extend(fields);
    }
    usual
}
