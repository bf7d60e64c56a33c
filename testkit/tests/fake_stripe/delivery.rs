//! Deliveries: signed, tried again, told twice, out of order, in each endpoint's own version.

use std::time::Duration;

use stripe::envelope::thin_paths;
use stripe::signature::{Secret, Tolerance, verify};
use testkit::delivery::{SECRET, now};
use testkit::fake_stripe::{Endpoint, FakeStripe, Habits, Settings};

use crate::pay;
use crate::receiver::{Delivery, Receiver};

/// A second secret, for the time while one is rolled.
const NEXT_SECRET: &str = "whsec_9kR3yWd7PsH5jT0gQ2xVb8Lm";

async fn delivering(endpoints: Vec<Endpoint>, habits: Habits) -> FakeStripe {
    FakeStripe::start(Settings { endpoints, habits, ..Settings::default() }).await
}

fn kinds(deliveries: &[Delivery]) -> Vec<String> {
    let kind = |delivery: &Delivery| delivery.event()["type"].as_str().unwrap().to_owned();
    deliveries.iter().map(kind).collect()
}

#[tokio::test]
async fn both_secrets_sign_while_one_is_rolled() {
    let (receiver, url) = Receiver::start(&[]).await;
    let secrets = [SECRET, NEXT_SECRET].map(|secret| Secret::parse(secret).unwrap()).to_vec();
    let stripe =
        delivering(vec![Endpoint { secrets, ..Endpoint::new(&url, SECRET) }], Habits::default())
            .await;
    pay(&stripe, "pm_card_visa").await;
    stripe.settled().await;
    let seen = receiver.seen();
    assert_eq!(
        kinds(&seen),
        ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    );
    for delivery in seen {
        for secret in [SECRET, NEXT_SECRET] {
            let secrets = [Secret::parse(secret).unwrap()];
            let header = delivery.signature.as_bytes();
            let verified = verify(header, &delivery.body, &secrets, now(), Tolerance::STANDARD);
            assert_eq!(verified, Ok(0), "{}", delivery.signature);
        }
        assert!(delivery.body.starts_with(b"{\n  \"id\": \"evt_"));
    }
}

#[tokio::test]
async fn what_is_not_accepted_is_sent_again_until_it_is() {
    let (receiver, url) = Receiver::start(&[500, 302, 404]).await;
    let stripe = delivering(vec![Endpoint::new(&url, SECRET)], Habits::live(1_000_000)).await;
    stripe.post("/v1/customers", &[]).await;
    stripe.settled().await;
    assert_eq!(receiver.seen().len(), 4);
    let statuses: Vec<Option<u16>> =
        stripe.attempts().iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(500), Some(302), Some(404), Some(200)]);
    let undelivered = stripe.get("/v1/events?delivery_success=false").await;
    assert_eq!(undelivered["data"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn what_is_never_accepted_is_given_up_but_can_be_listed() {
    let (receiver, url) = Receiver::start(&[503; 3]).await;
    let stripe = delivering(vec![Endpoint::new(&url, SECRET)], Habits::default()).await;
    stripe.post("/v1/customers", &[]).await;
    stripe.settled().await;
    assert_eq!(receiver.seen().len(), 3);
    let undelivered = stripe.get("/v1/events?delivery_success=false").await;
    assert_eq!(undelivered["data"][0]["id"], receiver.seen()[0].event()["id"]);
    assert_eq!(undelivered["data"][0]["pending_webhooks"], 1);
}

#[tokio::test]
async fn bad_habits_change_order_and_number_but_not_the_set() {
    let (receiver, url) = Receiver::start(&[]).await;
    let habits = Habits {
        duplicates_percent: 100,
        disorder_max: Duration::from_millis(40),
        ..Habits::default()
    };
    let stripe = delivering(vec![Endpoint::new(&url, SECRET)], habits).await;
    for _ in 0..3 {
        pay(&stripe, "pm_card_createDispute").await;
    }
    stripe.settled().await;
    let events = stripe.get("/v1/events?limit=100").await["data"].as_array().unwrap().clone();
    let mut told: Vec<String> = events.iter().rev().map(|one| one["id"].to_string()).collect();
    let seen = receiver.seen();
    let mut came: Vec<String> = seen.iter().map(|one| one.event()["id"].to_string()).collect();
    assert_eq!(came.len(), told.len() * 2);
    let mut first_tries = Vec::new();
    for one in &came {
        if !first_tries.contains(one) {
            first_tries.push(one.clone());
        }
    }
    assert_ne!(first_tries, told, "nothing overtook anything");
    came.sort();
    came.dedup();
    told.sort();
    assert_eq!(came, told);
    let twice = |one: &&Delivery| one.event()["id"] == seen[0].event()["id"];
    let pending: Vec<i64> = seen
        .iter()
        .filter(twice)
        .map(|one| one.event()["pending_webhooks"].as_i64().unwrap())
        .collect();
    assert_eq!(pending, [1, 0], "the bytes of the second delivery differ");
}

#[tokio::test]
async fn each_endpoint_hears_its_own_version() {
    let (old, old_url) = Receiver::start(&[]).await;
    let (new, new_url) = Receiver::start(&[]).await;
    let pinned =
        Endpoint { api_version: Some("2020-08-27".to_owned()), ..Endpoint::new(&old_url, SECRET) };
    let stripe = delivering(vec![pinned, Endpoint::new(&new_url, SECRET)], Habits::default()).await;
    pay(&stripe, "pm_card_visa").await;
    stripe.settled().await;
    let (old, new) = (old.seen()[2].event(), new.seen()[2].event());
    assert_eq!(old["id"], new["id"]);
    assert_eq!(old["api_version"], "2020-08-27");
    assert_eq!(new["api_version"], "2026-10-28.endive");
    assert!(old["data"]["object"]["charges"].is_object());
    assert!(new["data"]["object"]["latest_charge"].is_string());
}

#[tokio::test]
async fn thin_events_name_what_can_be_fetched() {
    let (receiver, url) = Receiver::start(&[]).await;
    let thin = Endpoint { is_thin: true, ..Endpoint::new(&url, SECRET) };
    let stripe = delivering(vec![thin], Habits::default()).await;
    pay(&stripe, "pm_card_visa").await;
    stripe.settled().await;
    let event = receiver.seen()[1].event();
    assert_eq!(event["object"], "v2.core.event");
    assert_eq!(event["type"], "v1.charge.succeeded");
    assert!(event.get("data").is_none(), "{event:#}");
    let paths = thin_paths(&event);
    assert_eq!(paths.object.as_deref(), event["related_object"]["url"].as_str());
    let twin = stripe.get(&paths.snapshot_event.unwrap()).await;
    assert_eq!(twin["type"], "charge.succeeded");
    assert_eq!(stripe.get(&paths.object.unwrap()).await, twin["data"]["object"]);
}
