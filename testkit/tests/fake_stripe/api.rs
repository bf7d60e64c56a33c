//! The API: who may ask, how lists are paged, what a key protects, what is expanded, how it is refused.

use reqwest::Client;
use serde_json::{Value, json};
use testkit::fake_stripe::{API_KEY, FakeStripe};

use crate::{alone, id, pay, price};

/// Status and body of a form, with these headers besides the key.
async fn post(
    stripe: &FakeStripe,
    path: &str,
    form: &str,
    headers: &[(&'static str, &'static str)],
) -> (u16, Value) {
    let url = format!("{}{path}", stripe.url());
    let mut request = Client::new()
        .post(url)
        .bearer_auth(API_KEY)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn nobody_asks_without_a_secret_key() {
    let stripe = alone().await;
    let client = Client::new();
    let url = format!("{}/v1/customers", stripe.url());
    assert_eq!(client.get(&url).send().await.unwrap().status(), 401);
    assert_eq!(client.get(&url).bearer_auth("pk_test_1").send().await.unwrap().status(), 401);
    let basic = client.get(&url).basic_auth("sk_test_1", Some(""));
    assert_eq!(basic.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn refusals_are_in_stripes_shape() {
    let stripe = alone().await;
    let (status, body) = post(&stripe, "/v1/payment_intents", "currency=usd", &[]).await;
    assert_eq!(status, 400);
    assert_eq!(body["error"]["type"], "invalid_request_error");
    assert_eq!(body["error"]["code"], "parameter_missing");
    assert_eq!(body["error"]["param"], "amount");

    let (status, body) = post(&stripe, "/v1/refunds", "charge=ch_unknown", &[]).await;
    assert_eq!((status, &body["error"]["code"]), (404, &json!("resource_missing")));
    let (status, body) = post(&stripe, "/v1/nothing", "", &[]).await;
    assert_eq!((status, &body["error"]["type"]), (404, &json!("invalid_request_error")));

    let declined = "amount=100&currency=usd&payment_method=pm_card_chargeDeclined&confirm=true";
    let (status, body) = post(&stripe, "/v1/payment_intents", declined, &[]).await;
    assert_eq!((status, &body["error"]["type"]), (402, &json!("card_error")));
}

#[tokio::test]
async fn same_key_does_the_same_once() {
    let stripe = alone().await;
    let key = [("idempotency-key", "order-1")];
    let (_, first) = post(&stripe, "/v1/customers", "name=Ada", &key).await;
    let (_, second) = post(&stripe, "/v1/customers", "name=Ada", &key).await;
    assert_eq!(first, second);
    let (status, body) = post(&stripe, "/v1/customers", "name=Bea", &key).await;
    assert_eq!((status, &body["error"]["type"]), (400, &json!("idempotency_error")));

    let events = stripe.get("/v1/events?type=customer.created").await;
    assert_eq!(events["data"].as_array().unwrap().len(), 1);
    assert_eq!(events["data"][0]["request"]["idempotency_key"], "order-1");
}

#[tokio::test]
async fn lists_are_paged_in_both_directions() {
    let stripe = alone().await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let customer = stripe.post("/v1/customers", &[("name", name)]).await;
        ids.insert(0, id(&customer).to_owned());
    }
    let names = |list: &Value| -> Vec<String> {
        list["data"].as_array().unwrap().iter().map(|one| id(one).to_owned()).collect()
    };
    let first = stripe.get("/v1/customers?limit=2").await;
    assert_eq!((names(&first), &first["has_more"]), (ids[..2].to_vec(), &json!(true)));
    let next = stripe.get(&format!("/v1/customers?limit=3&starting_after={}", ids[1])).await;
    assert_eq!((names(&next), &next["has_more"]), (ids[2..].to_vec(), &json!(false)));
    let newer = stripe.get(&format!("/v1/customers?limit=2&ending_before={}", ids[3])).await;
    assert_eq!((names(&newer), &newer["has_more"]), (ids[1..3].to_vec(), &json!(true)));
}

#[tokio::test]
async fn objects_are_expanded_where_it_is_asked_for() {
    let stripe = alone().await;
    let intent = pay(&stripe, "pm_card_visa").await;
    stripe.post("/v1/refunds", &[("payment_intent", id(&intent)), ("amount", "40")]).await;
    let path = format!("/v1/payment_intents/{}", id(&intent));
    assert!(stripe.get(&path).await["latest_charge"].is_string());
    let expanded = stripe.get(&format!("{path}?expand[]=latest_charge.refunds")).await;
    assert_eq!(expanded["latest_charge"]["amount_refunded"], 40);
    assert_eq!(expanded["latest_charge"]["refunds"]["data"][0]["amount"], 40);

    let price = price(&stripe, false).await;
    let form = [
        ("mode", "payment"),
        ("line_items[0][price]", id(&price)),
        ("line_items[0][quantity]", "2"),
    ];
    let session = stripe.post("/v1/checkout/sessions", &form).await;
    assert!(session.get("line_items").is_none(), "{session:#}");
    let path = format!("/v1/checkout/sessions/{}", id(&session));
    let expanded = stripe.get(&format!("{path}?expand[]=line_items")).await;
    assert_eq!(expanded["line_items"]["data"][0]["price"]["id"], price["id"]);
    assert_eq!(expanded["line_items"]["data"][0]["quantity"], 2);
    let items = stripe.get(&format!("{path}/line_items")).await;
    assert_eq!(items["data"], expanded["line_items"]["data"]);
}

#[tokio::test]
async fn connected_accounts_see_only_their_own() {
    let stripe = alone().await;
    let account = [("stripe-account", "acct_1")];
    let (_, customer) = post(&stripe, "/v1/customers", "name=Ada", &account).await;
    assert_eq!(stripe.get("/v1/customers").await["data"], json!([]));
    let path = format!("{}/v1/events", stripe.url());
    let request = Client::new().get(path).bearer_auth(API_KEY).header("stripe-account", "acct_1");
    let events: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(events["data"][0]["account"], "acct_1");
    assert_eq!(events["data"][0]["data"]["object"]["id"], customer["id"]);
}
