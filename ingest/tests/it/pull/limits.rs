//! What is never asked for, and answers that are not stored.

use super::*;

#[tokio::test]
async fn only_what_may_be_asked_for_is() {
    let pulling = Pulling::new().await;
    pulling
        .case_waits_for(&[
            "pull:/v1/balance",
            "pull:/v1/charges/../balance",
            "pull:/v1/charges/ch_1/capture",
            "pull:/v1/charges/ch_1?limit=1",
            "pull://evil.example/v1/charges/ch_1",
            "pull:evil/v1/charges/ch_1",
        ])
        .await;
    pulling.look_anew("ch_good").await;
    assert_eq!(pulling.stripe.asked(), ["/v1/charges/ch_good"]);
}

#[tokio::test]
async fn what_may_not_be_asked_for_does_not_hide_what_may() {
    let pulling = Pulling::new().await;
    let keys: Vec<String> = (0..2_500).map(|n| format!("pull:/v1/a/{n:04}")).collect();
    pulling.case_waits_for(&keys.iter().map(String::as_str).collect::<Vec<_>>()).await;
    pulling.look_anew("ch_last").await;
}

#[tokio::test]
async fn answers_that_are_not_the_object_are_not_stored() {
    let limits = Limits { timeout: testkit::WAIT_MAX, body_bytes_max: 2_000 };
    let pulling = Pulling::with(limits).await;
    let mut live = charge("ch_live");
    live["livemode"] = json!(true);
    let long = json!({"id": "ch_long", "object": "charge", "livemode": false, "description": "x".repeat(2_000)});
    let away = format!("{}/v1/charges/ch_elsewhere", pulling.stripe.base);
    for (id, answer) in [
        ("ch_text", Answer::status(200).with_body("<html>".to_owned())),
        ("ch_twice", Answer::status(200).with_body(r#"{"id":"ch_twice","id":"ch_2"}"#.to_owned())),
        ("ch_list", Answer::object(&json!([charge("ch_list")]))),
        ("ch_other", Answer::object(&charge("ch_another"))),
        ("ch_kind", Answer::object(&json!({"id": "ch_kind", "object": "customer"}))),
        ("ch_live", Answer::object(&live)),
        ("ch_long", Answer::object(&long)),
        ("ch_moved", Answer::status(302).with_header("Location", away)),
        ("ch_empty", Answer::status(204)),
    ] {
        let path = format!("/v1/charges/{id}");
        pulling.stripe.answers(&path, [answer]);
        pulling.case_waits_for(&[&format!("pull:{path}")]).await;
        pulling.asked(&path, 1).await;
        pulling.look_anew(&format!("ch_after_{id}")).await;
        let stored = pulling.stored().await;
        assert!(!stored.contains(&format!("pull:{path}")), "{id}: {stored:?}");
        assert_eq!(pulling.stripe.times(&path), 1, "{id}");
    }
    assert_eq!(pulling.stripe.times("/v1/charges/ch_elsewhere"), 0, "no redirect is followed");
}

#[tokio::test]
async fn a_slow_answer_is_given_up_and_asked_for_again() {
    let pulling = Pulling::with(Limits { timeout: SHORT, ..Limits::default() }).await;
    let path = "/v1/charges/ch_1";
    let slow = Answer::status(200).never();
    pulling.stripe.answers(path, [slow, Answer::object(&charge("ch_1"))]);
    pulling.case_waits_for(&["pull:/v1/charges/ch_1"]).await;
    pulling.asked(path, 1).await;
    testkit::wait_for("the object", async || {
        pulling.world.hands.advance(SignedDuration::from_secs(1));
        (pulling.world.stored(pulling.world.test_tenant).await == 1).then_some(())
    })
    .await;
    assert!(pulling.stripe.times(path) >= 2);
}

#[tokio::test]
async fn a_list_without_end_is_given_up() {
    let pulling = Pulling::new().await;
    let list = json!({"object": "list", "has_more": true, "data": [{"id": "il_1"}]});
    let invoice = json!({"id": "in_1", "object": "invoice", "livemode": false, "lines": list});
    pulling.stripe.answers("/v1/invoices/in_1", [Answer::object(&invoice)]);
    let next = "/v1/invoices/in_1/lines?limit=100&starting_after=il_1";
    for page in ["/v1/invoices/in_1/lines?limit=100", next] {
        pulling.stripe.answers(page, [Answer::object(&list)]);
    }
    pulling.case_waits_for(&["pull:/v1/invoices/in_1"]).await;
    pulling.asked(next, 9).await;
    pulling.look_anew("ch_next").await;
    assert_eq!(pulling.stored().await, ["pull:/v1/charges/ch_next"]);
    assert_eq!(pulling.stripe.times(next), 9);
}

#[tokio::test]
async fn outcomes_are_counted() {
    let metrics = service::telemetry::Metrics::install().unwrap();
    let pulling = Pulling::new().await;
    pulling.case_waits_for(&["pull:/v1/balance", "pull:/v1/charges/ch_none"]).await;
    pulling.look_anew("ch_1").await;
    for outcome in ["stored", "bad_path", "not_found"] {
        let series = format!("tally_ingest_pulls_total{{outcome=\"{outcome}\"}}");
        testkit::wait_for(&series, async || metrics.render().contains(&series).then_some(())).await;
    }
}
