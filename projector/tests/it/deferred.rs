//! Events that older rules deferred are decided anew by these, also those whose slot was taken meanwhile.

use serde_json::json;

use crate::harness::{Harness, session};

#[tokio::test]
async fn what_older_rules_deferred_is_decided_anew() {
    let world = Harness::new().await;
    world.register("u_1").await;
    world.drain().await;
    let mut deferred = Vec::new();
    for n in 0..3 {
        let metadata = json!({"user_id": "u_1", "credits": "2"});
        deferred.push(world.stripe(&session(&format!("{n}"), &metadata)).await);
    }
    world.defer(&deferred).await;
    world.drain().await;
    assert_eq!(world.balance("u_1").await, 0, "they count as decided");
    let (first, last) = (deferred[0], deferred[2]);
    let holder = world.hold_slot_of(first).await;
    let done = world.projector.decide_deferred(&world.tenant, 0).await.unwrap();
    assert_eq!((done.decided, done.more, done.last), (2, true, Some(last)));
    assert_eq!(world.balance("u_1").await, 4);
    holder.batch_execute("ROLLBACK").await.unwrap();
    let done = world.projector.decide_deferred(&world.tenant, 0).await.unwrap();
    assert_eq!((done.decided, done.more, done.last), (1, false, Some(last)));
    let done = world.projector.decide_deferred(&world.tenant, 0).await.unwrap();
    assert_eq!((done.decided, done.more, done.last), (0, false, Some(last)));
    let done = world.projector.decide_deferred(&world.tenant, last).await.unwrap();
    assert_eq!((done.decided, done.more, done.last), (0, false, None));
    assert_eq!(world.balance("u_1").await, 6);
    world.check_invariants().await;
}
