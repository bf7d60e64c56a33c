//! The fake Stripe: what it answers, what it tells of it, and how it delivers.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails the test")]

mod api;
mod delivery;
mod doors;
mod receiver;
mod reversals;
mod versions;

use serde_json::Value;
use testkit::fake_stripe::{FakeStripe, Settings};

/// A fake Stripe that delivers to nobody.
async fn alone() -> FakeStripe {
    FakeStripe::start(Settings::default()).await
}

/// The id of an object.
fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

/// The types of all events so far, in the order in which they were told.
async fn told(stripe: &FakeStripe) -> Vec<String> {
    let events = stripe.get("/v1/events?limit=100").await;
    let kinds = events["data"].as_array().unwrap().iter().rev();
    kinds.map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

/// The object of the newest event of this type.
async fn newest(stripe: &FakeStripe, kind: &str) -> Value {
    stripe.get(&format!("/v1/events?type={kind}")).await["data"][0]["data"]["object"].clone()
}

/// A payment intent over 100 cents that names `u_1`, confirmed with this payment method.
async fn pay(stripe: &FakeStripe, payment_method: &str) -> Value {
    let form = [
        ("amount", "100"),
        ("currency", "usd"),
        ("payment_method", payment_method),
        ("confirm", "true"),
        ("metadata[user_id]", "u_1"),
    ];
    stripe.post("/v1/payment_intents", &form).await
}

/// A price of 15.00 USD, by the month if it is recurring.
async fn price(stripe: &FakeStripe, is_recurring: bool) -> Value {
    let product = stripe.post("/v1/products", &[("name", "Credits")]).await;
    let mut form = vec![("product", id(&product)), ("unit_amount", "1500"), ("currency", "usd")];
    if is_recurring {
        form.push(("recurring[interval]", "month"));
    }
    stripe.post("/v1/prices", &form).await
}
