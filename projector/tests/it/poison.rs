//! An event that cannot be decided, or that kills whoever decides it, becomes a case and blocks nothing.

use std::collections::BTreeSet;

use serde_json::json;
use store::projection::{attempts, slots};

use crate::harness::{Harness, session};

#[tokio::test]
async fn an_event_that_was_tried_too_often_is_parked_and_the_others_are_decided() {
    let world = Harness::new().await;
    world.register("u_1").await;
    world.drain().await;
    let bad = world.stripe(&session("1", &json!({"user_id": "u_1", "credits": "3"}))).await;
    let good = world.stripe(&session("2", &json!({"user_id": "u_1", "credits": "4"}))).await;
    count_tries(&world, bad, 9).await;
    world.drain().await;
    assert_eq!(world.reason_of(bad).await, "error");
    assert_eq!(world.reason_of(good).await, "credited");
    assert_eq!(world.balance("u_1").await, 4);
    world.check_invariants().await;
    // A person has it decided anew, once whatever killed the process was mended.
    world.act("tally.case.retried", &json!({})).await;
    world.drain().await;
    assert_eq!(world.reason_of(bad).await, "credited");
    assert_eq!(world.balance("u_1").await, 7);
    world.check_invariants().await;
}
#[tokio::test]
async fn a_released_case_that_was_tried_too_often_is_given_up_and_the_others_heal() {
    let world = Harness::new().await;
    world.register("u_1").await;
    world.drain().await;
    let bad = world.stripe(&session("1", &json!({"user_id": "u_1", "credits": "3"}))).await;
    count_tries(&world, bad, 9).await;
    world.drain().await;
    assert_eq!(world.reason_of(bad).await, "error");
    // A person has it decided anew while whatever killed the process is not mended, and it kills one after the other.
    world.act("tally.case.retried", &json!({})).await;
    decide_news(&world).await;
    count_tries(&world, bad, 6).await;
    let good = world.stripe(&session("2", &json!({"user_id": "u_2", "credits": "4"}))).await;
    decide_news(&world).await;
    world.register("u_2").await;
    world.drain().await;
    assert_eq!(
        (world.reason_of(bad).await, world.reason_of(good).await),
        ("error".into(), "credited".into())
    );
    let kept = "SELECT count(*) FROM review_case WHERE state = 1 AND due IS NULL AND due_pos IS NULL AND detail ->> 'error' LIKE '%killed%'";
    assert_eq!(world.count(kept).await, 1, "it is not due any more, and says why");
    assert_eq!(world.count("SELECT count(*) FROM attempt").await, 0);
    world.check_invariants().await;
    // Once it was mended.
    world.act("tally.case.retried", &json!({})).await;
    world.drain().await;
    assert_eq!((world.reason_of(bad).await, world.balance("u_1").await), ("credited".into(), 3));
}

#[tokio::test]
async fn cases_are_counted_before_a_process_that_may_not_survive_them_decides_them() {
    let world = Harness::new().await;
    let pos = world.stripe(&session("1", &json!({"user_id": "u_1", "credits": "3"}))).await;
    world.drain().await;
    world.register("u_1").await;
    decide_news(&world).await;
    // It cannot go on to the end, and is killed.
    let holder = world.database.superuser().await;
    holder.batch_execute("BEGIN; SELECT FROM payment FOR UPDATE").await.unwrap();
    let (projector, tenant) = (world.another_projector(), world.tenant.clone());
    let healer =
        tokio::spawn(
            async move { projector.heal(&tenant, 0, &mut BTreeSet::new()).await.map(drop) },
        );
    let counted = format!("SELECT count(*) FROM attempt WHERE pos = {pos} AND tries = 1");
    while world.count(&counted).await == 0 {
        assert!(!healer.is_finished(), "it went on without counting the try");
        tokio::task::yield_now().await;
    }
    healer.abort();
    holder.batch_execute("ROLLBACK").await.unwrap();
    // Whoever comes next takes it alone.
    world.drain().await;
    assert_eq!((world.reason_of(pos).await, world.balance("u_1").await), ("credited".into(), 3));
    assert_eq!(world.count("SELECT count(*) FROM attempt").await, 0);
}

/// As if so many processes had begun it and not lived to say why.
async fn count_tries(world: &Harness, pos: i64, times: usize) {
    let client = world.projector.store.get().await.unwrap();
    for _ in 0..times {
        attempts::count(&client, world.tenant.tenant_id, &[pos]).await.unwrap();
    }
}

/// Decides all events, and no case anew.
async fn decide_news(world: &Harness) {
    let client = world.projector.store.get().await.unwrap();
    let pending = slots::pending(&client, world.tenant.tenant_id).await.unwrap();
    drop(client);
    world.projector.project(&world.tenant, &pending, true).await.unwrap();
}
