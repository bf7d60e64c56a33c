//! What a page is told that a buyer comes back to, over HTTP, from the first event to the last.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::delivery::{headers, now};
use testkit::events::{Event, Purchase, metadata};
use testkit::wait_for;

use crate::service::Service;

#[tokio::test]
async fn a_checkout_whose_money_takes_its_time() {
    let service = Service::start();
    let imported = service.run_with(&["users", "import", "-"], "{\"id\": \"u_1\"}\n");
    assert_eq!(imported.code, 0, "{imported:?}");
    let unpaid = |name: &str| Purchase {
        payment_status: "unpaid",
        metadata: metadata(&[("user_id", "u_1"), ("credits", "40")]),
        ..Purchase::new(name)
    };
    let (paid, failed) = (unpaid("paid"), unpaid("failed"));
    told(&service, &paid, "unknown", Value::Null, Value::Null).await;
    for purchase in [&paid, &failed] {
        deliver(&service, purchase.checkout_session_completed()).await;
        told(&service, purchase, "pending", json!(40), json!("u_1")).await;
    }
    balance(&service, [0, 80, 0]).await;

    deliver(&service, failed.checkout_session_async_payment_failed()).await;
    told(&service, &failed, "failed", Value::Null, Value::Null).await;
    deliver(&service, paid.checkout_session_async_payment_succeeded()).await;
    told(&service, &paid, "credited", json!(40), json!("u_1")).await;
    balance(&service, [40, 0, 0]).await;
    // What says paid beats what says failed, whenever it comes.
    deliver(&service, paid.checkout_session_async_payment_failed()).await;
    told(&service, &paid, "credited", json!(40), json!("u_1")).await;

    let abandoned = unpaid("abandoned");
    deliver(&service, abandoned.checkout_session_expired()).await;
    told(&service, &abandoned, "failed", Value::Null, Value::Null).await;
    let stranger = Purchase {
        metadata: metadata(&[("user_id", "u_2"), ("credits", "7")]),
        ..Purchase::new("stranger")
    };
    deliver(&service, stranger.checkout_session_completed()).await;
    told(&service, &stranger, "in_review", json!(7), json!("u_2")).await;
    balance(&service, [40, 0, 0]).await;
    service.run_with(&["users", "import", "-"], "{\"id\": \"u_2\"}\n");
    told(&service, &stranger, "credited", json!(7), json!("u_2")).await;
}

#[tokio::test]
async fn a_checkout_whose_charge_is_disputed() {
    let service = Service::start();
    let imported = service.run_with(&["users", "import", "-"], "{\"id\": \"u_1\"}\n");
    assert_eq!(imported.code, 0, "{imported:?}");
    let purchase = Purchase {
        metadata: metadata(&[("user_id", "u_1"), ("credits", "40")]),
        ..Purchase::new("disputed")
    };
    deliver(&service, purchase.checkout_session_completed()).await;
    told(&service, &purchase, "credited", json!(40), json!("u_1")).await;
    deliver(&service, purchase.charge_dispute("created", "needs_response")).await;
    deliver(&service, purchase.charge_dispute("funds_withdrawn", "needs_response")).await;
    told(&service, &purchase, "reversed", json!(0), json!("u_1")).await;
    let balance = service.json(&["balance", "u_1"]);
    assert_eq!((&balance["disputed"], &balance["available"]), (&40.into(), &0.into()), "{balance}");
    let later = Purchase { created: purchase.created + 1, ..purchase.clone() };
    deliver(&service, later.charge_dispute("closed", "lost")).await;
    wait_for("the dispute to be over", async || {
        (service.json(&["balance", "u_1"])["disputed"] == 0).then_some(())
    })
    .await;
    told(&service, &purchase, "reversed", json!(0), json!("u_1")).await;
}

/// Waits until this is what the page is told.
async fn told(service: &Service, purchase: &Purchase, status: &str, credits: Value, user: Value) {
    let path = format!("/v1/checkout_sessions/{}", purchase.session_id());
    let told = wait_for(status, async || {
        let told = service.ask(Method::GET, &path, None).await;
        (told["status"] == status).then_some(told)
    });
    let told = told.await;
    assert_eq!((&told["credits"], &told["user"]), (&credits, &user), "{told}");
}

/// What the user can spend, is still to come, and is in review.
async fn balance(service: &Service, expected: [i64; 3]) {
    let balance = service.ask(Method::GET, "/v1/users/u_1/balance", None).await;
    let seen = ["available", "pending", "in_review"].map(|part| balance[part].as_i64().unwrap());
    assert_eq!(seen, expected, "{balance}");
}

async fn deliver(service: &Service, event: Event) {
    let url = format!("{}/v1/webhooks/stripe", service.variable("TALLY_URL"));
    let secret = service.variable("STRIPE_WEBHOOK_SECRET");
    let client = reqwest::Client::new();
    // Like Stripe, it delivers again what was not accepted at once.
    wait_for("an acknowledgement", async || {
        let mut request = client.post(&url).body(event.body.clone());
        for (name, value) in headers(&secret, now(), &event.body) {
            request = request.header(name, value);
        }
        (request.send().await.unwrap().status() == 200).then_some(())
    })
    .await;
}
