//! Old and new shapes: whatever the version, a reader of Stripe's objects understands the same.

use serde_json::{Value, json};
use stripe::objects::{Invoice, PaymentIntent, Session};
use testkit::fake_stripe::{FakeStripe, Settings};

use crate::{id, newest, pay, price};

/// One of each generation of shapes.
const VERSIONS: [&str; 5] =
    ["2020-08-27", "2022-11-15", "2025-03-31.basil", "2025-12-15.clover", "2026-10-28.endive"];

async fn pinned(version: &str) -> FakeStripe {
    let settings = Settings { api_version: version.to_owned(), ..Settings::default() };
    FakeStripe::start(settings).await
}

#[tokio::test]
async fn charges_moved_out_of_the_payment_intent() {
    for version in VERSIONS {
        let stripe = pinned(version).await;
        let intent = pay(&stripe, "pm_card_visa").await;
        let charge = newest(&stripe, "charge.succeeded").await;
        let told = newest(&stripe, "payment_intent.succeeded").await;
        let is_old = version < "2022-11-15";
        assert_eq!(told.get("charges").is_some(), is_old, "{version}");
        assert_eq!(told.get("latest_charge").is_none(), is_old, "{version}");
        let read = PaymentIntent::read(&told).unwrap();
        assert_eq!(read.latest_charge.as_deref(), Some(id(&charge)), "{version}");

        stripe.post("/v1/refunds", &[("payment_intent", id(&intent))]).await;
        let refunded = newest(&stripe, "charge.refunded").await;
        assert_eq!(refunded["refunds"]["data"][0]["amount"].as_i64(), is_old.then_some(100));
    }
}

#[tokio::test]
async fn invoice_is_read_the_same_in_every_shape() {
    for version in VERSIONS {
        let stripe = pinned(version).await;
        let price = price(&stripe, true).await;
        let form = [("invoice_settings[default_payment_method]", "pm_card_visa")];
        let customer = stripe.post("/v1/customers", &form).await;
        let form = [
            ("customer", id(&customer)),
            ("items[0][price]", id(&price)),
            ("items[0][quantity]", "3"),
            ("metadata[user_id]", "u_1"),
        ];
        let subscription = stripe.post("/v1/subscriptions", &form).await;
        let told = newest(&stripe, "invoice.paid").await;
        let is_old = version < "2025-03-31";
        assert_eq!(told.get("parent").is_none(), is_old, "{version}");
        assert_eq!(told["lines"]["data"][0].get("pricing").is_none(), is_old, "{version}");

        let read = Invoice::read(&told).unwrap();
        assert_eq!(read.subscription.as_deref(), Some(id(&subscription)), "{version}");
        let lines = read.lines.unwrap();
        let line = &lines[0];
        assert_eq!(line.price.as_ref().unwrap().id, id(&price), "{version}");
        assert_eq!(line.quantity, Some(3), "{version}");
        assert_eq!(line.amount, Some(4_500), "{version}");
        let events = stripe.get("/v1/events?type=invoice_payment.paid").await;
        assert_eq!(events["data"].as_array().unwrap().is_empty(), is_old, "{version}");
        let intent = newest(&stripe, "payment_intent.succeeded").await;
        let named = if is_old { told["id"].clone() } else { Value::Null };
        assert_eq!(intent["invoice"], named, "{version}");
    }
}

#[tokio::test]
async fn session_is_read_the_same_in_every_shape() {
    for version in VERSIONS {
        let stripe = pinned(version).await;
        let price = price(&stripe, false).await;
        let form = [
            ("mode", "payment"),
            ("line_items[0][price]", id(&price)),
            ("metadata[user_id]", "u_1"),
        ];
        let session = stripe.post("/v1/checkout/sessions", &form).await;
        let page = format!("/v1/payment_pages/{}/confirm", id(&session));
        stripe.post(&page, &[("payment_method", "pm_card_visa")]).await;
        let told = newest(&stripe, "checkout.session.completed").await;
        let mode = if version < "2026-03-25" { "hosted" } else { "hosted_page" };
        assert_eq!(told["ui_mode"], mode, "{version}");
        assert_eq!(told.get("customer_account").is_some(), version >= "2025-12-15", "{version}");
        let read = Session::read(&told).unwrap();
        assert_eq!(read.payment_status.as_deref(), Some("paid"), "{version}");
        assert_eq!(json!(read.metadata), json!({ "user_id": "u_1" }), "{version}");
    }
}
