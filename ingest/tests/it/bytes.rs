//! Authentic bytes that are no event: stored exactly, under their hash, once.

use sha2::{Digest as _, Sha256};

use crate::support::*;

/// Bodies that Stripe would not send. Signed, they are stored all the same.
fn odd_bodies() -> Vec<Vec<u8>> {
    let texts = [
        "",
        " ",
        "null",
        "[]",
        "\"x\"",
        "1",
        "{",
        "{}",
        "{}{}",
        "not json",
        "NaN",
        "-0",
        "1E+2",
        "1e400000",
        "{\"id\":\"evt_1\"}",
        "{\"id\":\"evt_1\",\"object\":\"charge\",\"type\":\"x\"}",
        "{\"id\":\"\",\"object\":\"event\",\"type\":\"x\",\"data\":{\"object\":{}}}",
        "{\"id\":1,\"object\":\"event\",\"type\":\"x\",\"data\":{\"object\":{}}}",
        "{\"id\":\"evt_1\",\"object\":\"event\",\"data\":{\"object\":{}}}",
        "{\"id\":\"evt_1\",\"id\":\"evt_2\",\"object\":\"event\",\"type\":\"x\",\"data\":{\"object\":{}}}",
        "{\"id\":\"\\ud800\",\"object\":\"event\",\"type\":\"x\",\"data\":{\"object\":{}}}",
        "\u{feff}{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"x\",\"data\":{\"object\":{}}}",
    ];
    let long_id = format!(
        "{{\"id\":\"{}\",\"object\":\"event\",\"type\":\"x\",\"data\":{{\"object\":{{}}}}}}",
        "e".repeat(256)
    );
    // Each of the two would do; together they are longer than a key of the log.
    let long_key = format!(
        "{{\"id\":\"{0}\",\"account\":\"{0}\",\"object\":\"event\",\"type\":\"x\",\"data\":{{\"object\":{{}}}}}}",
        "\u{1f4b0}".repeat(255)
    );
    let mut bodies: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    bodies.extend([long_id.into_bytes(), long_key.into_bytes()]);
    bodies.push("[".repeat(500_000).into_bytes());
    bodies.push(b"\xff\xfe{\0}\0".to_vec());
    bodies.push(b"{\"id\":\"evt_\xc3\x28\"}".to_vec());
    bodies.push(vec![0]);
    bodies
}

#[tokio::test]
async fn bytes_that_are_no_event_are_stored_under_their_hash() {
    let world = World::new().await;
    for (pos, body) in (1..).zip(odd_bodies()) {
        let head = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        assert_eq!(answer(world.post(&body)).await, stored_at(pos), "{head}");
        assert_eq!(answer(world.post(&body)).await, duplicate_of(pos), "{head}");
        let event = world.event(pos).await;
        let hash: [u8; 32] = Sha256::digest(&body).into();
        assert_eq!(event.source_id, format!("sha256:{}", hex::encode(hash)), "{head}");
        assert_eq!((event.event_type.as_str(), event.account.as_str()), ("", ""), "{head}");
        assert_eq!((event.body_sha256, event.body.unwrap().as_ref()), (hash, &body[..]), "{head}");
        assert_eq!(event.occurred_at.as_second(), NOW, "{head}");
    }
}

#[tokio::test]
async fn text_that_postgres_does_not_know_does_not_stop_the_rest_of_a_batch() {
    let world = World::new().await;
    // A NUL in an id is valid JSON, and none in Postgres's text.
    let nul = event_body("evt_1").replace("evt_1", "evt_\\u0000");
    let deliveries: Vec<_> = (0..16)
        .flat_map(|n| [nul.clone(), event_body(&format!("evt_{n}"))])
        .map(|body| tokio::spawn(answer(world.post(body))))
        .collect();
    for delivery in deliveries {
        assert_eq!(delivery.await.unwrap().0, 200);
    }
    assert_eq!(world.stored(world.test_tenant).await, 17);
}
