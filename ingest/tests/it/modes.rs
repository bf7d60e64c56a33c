//! Endpoints and modes: which log a delivery may get into.

use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn a_secret_of_one_endpoint_opens_no_other() {
    let world = World::new().await;
    let body = event_body("evt_1");
    let crossed = [(PATH, LIVE_SECRET), (LIVE_PATH, SECRET), (LIVE_PATH, ROLLED_SECRET)];
    for (path, secret) in crossed {
        let got = answer(world.post_as(path, secret, &body)).await;
        assert_eq!(got, refused(400, "invalid_signature"), "{path}");
    }
}

#[tokio::test]
async fn a_test_secret_never_writes_into_the_live_log() {
    let world = World::new().await;
    let claims = event_with("evt_1", &json!({"livemode": true}));
    assert_eq!(answer(world.post(claims)).await, stored_at(1));
    assert_eq!(world.event(1).await.livemode, Some(true), "the claim is recorded");
    assert_eq!(world.stored(world.live_tenant).await, 0);
}

#[tokio::test]
async fn a_live_secret_sorts_by_mode() {
    let world = World::new().await;
    let deliver = async |id, livemode| {
        let body = event_with(id, &json!({"livemode": livemode}));
        answer(world.post_as(LIVE_PATH, LIVE_SECRET, body)).await
    };
    assert_eq!(deliver("evt_live", json!(true)).await, stored_at(1));
    assert_eq!(deliver("evt_test", json!(false)).await, stored_at(1));
    assert_eq!(deliver("evt_none", json!(null)).await, stored_at(2));
    assert_eq!(deliver("evt_text", json!("false")).await, stored_at(3));
    assert_eq!(world.stored(world.test_tenant).await, 1);
    assert_eq!(world.event(1).await.endpoint.as_deref(), Some("live"));
    assert_eq!(world.stored(world.live_tenant).await, 3);
}

#[tokio::test]
async fn the_same_id_of_two_connect_accounts_is_two_events() {
    let world = World::new().await;
    let of = |account: &str| event_with("evt_1", &json!({"account": account}));
    assert_eq!(answer(world.post(event_body("evt_1"))).await, stored_at(1));
    assert_eq!(answer(world.post(of("acct_a"))).await, stored_at(2));
    assert_eq!(answer(world.post(of("acct_b"))).await, stored_at(3));
    assert_eq!(answer(world.post(of("acct_a"))).await, duplicate_of(2));
    let event = world.event(2).await;
    assert_eq!(
        (event.account.as_str(), event.root_key.as_deref()),
        ("acct_a", Some("acct_a/pi_1"))
    );
}

#[tokio::test]
async fn a_thin_event_is_an_event() {
    let world = World::new().await;
    let thin = json!({
        "id": "evt_thin", "object": "v2.core.event", "type": "v1.charge.succeeded", "livemode": false,
        "created": "2023-11-14T22:13:15.000Z", "context": "acct_a",
        "related_object": {"id": "ch_1", "type": "charge", "url": "/v1/charges/ch_1"},
    });
    assert_eq!(answer(world.post(thin.to_string())).await, stored_at(1));
    let event = world.event(1).await;
    assert_eq!((event.account.as_str(), event.source_id.as_str()), ("acct_a", "evt_thin"));
    assert_eq!(event.event_type, "v1.charge.succeeded");
    assert_eq!(event.occurred_at.as_second(), NOW - 5);
}
