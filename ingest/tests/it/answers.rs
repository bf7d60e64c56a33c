//! The table of answers: CONTRACT of the webhook, row by row.

use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn an_event_is_stored_once_and_told_where() {
    let world = World::new().await;
    assert_eq!(answer(world.post(event_body("evt_1"))).await, stored_at(1));
    assert_eq!(answer(world.post(event_body("evt_2"))).await, stored_at(2));
    assert_eq!(answer(world.post(event_body("evt_1"))).await, duplicate_of(1));
    assert_eq!(world.stored(world.test_tenant).await, 2);
}

#[tokio::test]
async fn a_redelivery_with_other_bytes_is_a_duplicate_and_the_first_bytes_stay() {
    let world = World::new().await;
    let first = event_with("evt_1", &json!({"pending_webhooks": 1}));
    assert_eq!(answer(world.post(&first)).await, stored_at(1));
    let second = event_with("evt_1", &json!({"pending_webhooks": 0}));
    assert_eq!(answer(world.post(second)).await, duplicate_of(1));
    assert_eq!(world.event(1).await.body.unwrap(), first);
}

#[tokio::test]
async fn the_same_event_many_times_at_once_is_stored_once() {
    let world = World::new().await;
    let deliveries: Vec<_> =
        (0..32).map(|_| tokio::spawn(answer(world.post(event_body("evt_1"))))).collect();
    let mut stored = 0;
    for delivery in deliveries {
        let (status, body) = delivery.await.unwrap();
        assert_eq!((status, body["position"].as_i64()), (200, Some(1)));
        stored += usize::from(body["status"] == "stored");
    }
    assert_eq!(stored, 1);
}

#[tokio::test]
async fn whoever_does_not_deliver_is_told_so() {
    let world = World::new().await;
    let body = event_body("evt_1");
    let elsewhere =
        ["/v1/webhooks/stripe/", "/v1/webhooks/stripe/nobody", "/v1/webhooks", "/v1/users"];
    for path in elsewhere {
        assert_eq!(
            answer(world.post_as(path, SECRET, &body)).await,
            refused(404, "not_found"),
            "{path}"
        );
    }
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"] {
        let request = world.client.request(method.parse().unwrap(), world.to(PATH));
        let response = request.try_clone().unwrap().send().await.unwrap();
        assert_eq!(response.headers()["allow"], "POST", "{method}");
        assert_eq!(answer(request).await, refused(405, "method_not_allowed"), "{method}");
    }
    assert_eq!(world.stored(world.test_tenant).await, 0);
}

#[tokio::test]
async fn the_root_is_an_alias_if_it_is_asked_for() {
    let world = World::new().await;
    assert_eq!(answer(world.post_as("/", SECRET, event_body("evt_1"))).await, stored_at(1));
    assert_eq!(answer(world.post(event_body("evt_1"))).await, duplicate_of(1));
}

#[tokio::test]
async fn a_body_of_one_mebibyte_is_stored_and_a_byte_more_is_not_read() {
    let world = World::new().await;
    let largest = vec![b' '; 1024 * 1024];
    assert_eq!(answer(world.post(&largest)).await, stored_at(1));
    assert_eq!(world.event(1).await.body.unwrap(), largest);

    let larger = vec![b' '; 1024 * 1024 + 1];
    let header = signature(SECRET, NOW, &larger);
    // Not one byte of the body is sent: what is announced is enough.
    let announced =
        wire(&format!("Content-Length: {}\r\nStripe-Signature: {header}\r\n", larger.len()), "");
    let text = world.exchange(announced.as_bytes()).await;
    assert!(
        text.starts_with("HTTP/1.1 413") && text.ends_with(r#"{"error":"body_too_large"}"#),
        "{text}"
    );
    // A chunked body announces nothing. Its end is never sent, so it cannot have been waited for.
    let chunked = format!("Transfer-Encoding: chunked\r\nStripe-Signature: {header}\r\n");
    let mut bytes = wire(&chunked, "").into_bytes();
    bytes.extend_from_slice(format!("{:x}\r\n", larger.len()).as_bytes());
    bytes.extend_from_slice(&larger);
    let text = world.exchange(&bytes).await;
    assert!(
        text.starts_with("HTTP/1.1 413") && text.contains(r#"{"error":"body_too_large"}"#),
        "{text}"
    );
    assert_eq!(world.stored(world.test_tenant).await, 1);
}

#[tokio::test]
async fn an_encoded_body_is_refused_and_not_decoded() {
    let world = World::new().await;
    for coding in ["gzip", "br", "zstd", "deflate", "identity, gzip", "x"] {
        let request = world.post(event_body("evt_1")).header("Content-Encoding", coding);
        assert_eq!(answer(request).await, refused(415, "body_encoded"), "{coding}");
    }
    let plain = world.post(event_body("evt_1")).header("Content-Encoding", "Identity");
    assert_eq!(answer(plain).await, stored_at(1));
}

#[tokio::test]
async fn what_came_with_a_delivery_is_recorded() {
    let world = World::new().await;
    let body = event_with("evt_1", &json!({"api_version": "2026-10-28.endive"}));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = world
        .post(&body)
        .header("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
        .header("Traceparent", trace);
    assert_eq!(answer(request).await, stored_at(1));
    let event = world.event(1).await;
    assert_eq!(
        (event.source_id.as_str(), event.event_type.as_str()),
        ("evt_1", "charge.succeeded")
    );
    assert_eq!(
        (event.root_key.as_deref(), event.slot),
        (Some("pi_1"), store::log::slot_of("pi_1"))
    );
    assert_eq!(event.api_version.as_deref(), Some("2026-10-28.endive"));
    assert_eq!(event.user_agent.as_deref(), Some("Stripe/1.0 (+https://stripe.com/docs/webhooks)"));
    assert_eq!((event.peer.as_deref(), event.endpoint), (Some("127.0.0.1"), None));
    assert_eq!((event.occurred_at.as_second(), event.received_at.as_second()), (NOW - 5, NOW));
    assert_eq!(event.signature, Some(signature(SECRET, NOW, body.as_bytes())));
    assert_eq!((event.traceparent.as_deref(), event.livemode), (Some(trace), Some(false)));
}
