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

/// The catalogue says that a price does not concern us.
pub(crate) fn not_ours(price: &str) -> Value {
    json!({"object": "tally.event", "type": "tally.catalogue.set", "price": price, "not_ours": true})
}

/// `usual`, with these fields instead.
fn with(mut usual: Value, fields: Value) -> Value {
    if let (Some(usual), Value::Object(fields)) = (usual.as_object_mut(), fields) {
        usual.extend(fields);
    }
    usual
}
