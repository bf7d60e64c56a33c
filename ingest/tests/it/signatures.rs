//! Who is believed, and what is left of those who are not.

use jiff::{SignedDuration, Timestamp};

use crate::support::*;

#[tokio::test]
async fn the_time_may_be_five_minutes_off_in_both_directions() {
    let world = World::new().await;
    let mut position = 0;
    for (offset, accepted) in
        [(-301, false), (-300, true), (-299, true), (299, true), (300, true), (301, false)]
    {
        world.hands.set(Timestamp::from_second(NOW).unwrap());
        world.hands.advance(SignedDuration::from_secs(offset));
        let got = answer(world.post(event_body(&format!("evt_{offset}")))).await;
        if accepted {
            position += 1;
            assert_eq!(got, stored_at(position), "{offset}");
        } else {
            assert_eq!(got, refused(400, "invalid_signature"), "{offset}");
        }
    }
}

#[tokio::test]
async fn both_secrets_of_a_rotation_are_believed_in_any_place_of_the_header() {
    let world = World::new().await;
    let body = event_body("evt_1");
    assert_eq!(answer(world.post_as(PATH, ROLLED_SECRET, &body)).await, stored_at(1));
    let right = signature(SECRET, NOW, body.as_bytes());
    let (time, mac) = right.split_once(",v1=").unwrap();
    let wrong = format!(",v1={}", "0".repeat(64));
    for others in [1, 7] {
        let header = format!("{time}{},v1={mac}", wrong.repeat(others));
        let request = world.unsigned(PATH, &body).header("Stripe-Signature", header);
        assert_eq!(answer(request).await, duplicate_of(1), "{others}");
    }
    let ninth = format!("{time}{},v1={mac}", wrong.repeat(8));
    let request = world.unsigned(PATH, &body).header("Stripe-Signature", ninth);
    assert_eq!(answer(request).await, refused(400, "invalid_signature"));
}

#[tokio::test]
async fn whatever_is_wrong_with_a_signature_the_answer_is_the_same() {
    let world = World::new().await;
    let body = event_body("evt_1");
    let right = signature(SECRET, NOW, body.as_bytes());
    let time = format!("t={NOW}");
    let mac = right.split_once("v1=").unwrap().1;
    let headers = [
        String::new(),
        ",,,".to_owned(),
        "nonsense".to_owned(),
        "x".repeat(8192),
        time.clone(),
        format!("v1={mac}"),
        format!("{time},v0={mac}"),
        format!("{time},V1={mac}"),
        format!("{time},v1="),
        format!("{time},v1={}", &mac[..62]),
        format!("{time},{time},v1={mac}"),
        format!("t= {NOW},v1={mac}"),
        format!("t=+{NOW},v1={mac}"),
        format!("t=0{NOW},v1={mac}"),
        format!("t={},v1={mac}", NOW + 1),
        signature(LIVE_SECRET, NOW, body.as_bytes()),
        signature(SECRET, NOW, format!("{body}\n").as_bytes()),
    ];
    for header in headers {
        let request = world.unsigned(PATH, &body).header("Stripe-Signature", &header);
        assert_eq!(answer(request).await, refused(400, "invalid_signature"), "{header}");
    }
    let none = world.unsigned(PATH, &body);
    assert_eq!(answer(none).await, refused(400, "invalid_signature"));
    let twice = world.post(&body).header("Stripe-Signature", &right);
    assert_eq!(answer(twice).await, refused(400, "invalid_signature"));
    let not_ascii =
        world.unsigned(PATH, &body).header("Stripe-Signature", b"t=\xff,v1=\xfe".as_slice());
    assert_eq!(answer(not_ascii).await, refused(400, "invalid_signature"));

    // Upper case is the same MAC.
    let upper = format!("{time},v1={}", mac.to_uppercase());
    let request = world.unsigned(PATH, &body).header("Stripe-Signature", upper);
    assert_eq!(answer(request).await, stored_at(1));
}

#[tokio::test]
async fn refusals_leave_a_bounded_trace() {
    let world = World::new().await;
    let body = event_body("evt_1");
    let expected = [
        (world.unsigned(PATH, &body), "1"),
        (world.unsigned(PATH, &body).header("Stripe-Signature", "t"), "2"),
        (world.unsigned(PATH, &body).header("Stripe-Signature", "t=x,v1=00"), "3"),
        (world.post_as(PATH, LIVE_SECRET, &body), "5"),
        (world.post(&body).header("Content-Encoding", "gzip"), "8"),
    ];
    let mut reasons = Vec::new();
    for (request, reason) in expected {
        assert_ne!(answer(request.header("User-Agent", "stranger")).await.0, 200);
        reasons.push(reason.to_owned());
    }
    let sql = "SELECT reason::text FROM rejected_delivery
               WHERE user_agent = 'stranger' AND peer = '127.0.0.1' AND endpoint IS NULL
               AND (body_sha256 IS NOT NULL) = (reason IN (2, 3, 5)) ORDER BY reason";
    let traced = testkit::wait_for("a trace of each", async || {
        Some(world.texts(sql).await).filter(|traced| traced.len() >= reasons.len())
    });
    assert_eq!(traced.await, reasons);

    // Under a flood each is answered, and the trace becomes a sample.
    for _ in 0..200 {
        assert_eq!(answer(world.unsigned(PATH, "flood")).await.0, 400);
    }
    world.drain().await;
    let kept = world.texts("SELECT id::text FROM rejected_delivery").await.len();
    assert!(kept < reasons.len() + 200, "{kept}");
}
