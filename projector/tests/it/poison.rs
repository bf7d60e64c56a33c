//! An event that cannot be decided, or that kills whoever decides it, becomes a case and blocks nothing.

use serde_json::json;
use store::projection::attempts;

use crate::harness::{Harness, session};

#[tokio::test]
async fn an_event_that_was_tried_too_often_is_parked_and_the_others_are_decided() {
    let world = Harness::new().await;
    world.register("u_1").await;
    world.drain().await;
    let bad = world.stripe(&session("1", &json!({"user_id": "u_1", "credits": "3"}))).await;
    let good = world.stripe(&session("2", &json!({"user_id": "u_1", "credits": "4"}))).await;
    // As if nine processes had begun it and not lived to say why.
    let client = world.projector.store.get().await.unwrap();
    for _ in 0..9 {
        attempts::count(&client, world.tenant.tenant_id, bad).await.unwrap();
    }
    drop(client);
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
