//! More than can be appended: 503 at once, nothing hangs, and what was taken is appended all the same.

use ingest::Limits;
use tokio::io::AsyncWriteExt as _;

use crate::support::*;

/// Holds the lock that every append of the tenant needs.
async fn hold_log(world: &World) -> tokio_postgres::Client {
    let holder = world.database.as_ref().unwrap().superuser().await;
    let sql =
        format!("BEGIN; SELECT * FROM log_head WHERE tenant_id = {} FOR UPDATE", world.test_tenant);
    holder.batch_execute(&sql).await.unwrap();
    holder
}

async fn until_an_append_waits(world: &World) {
    let sql = "SELECT pid::text FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    testkit::wait_for("an append that waits", async || {
        (!world.texts(sql).await.is_empty()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_full_queue_is_answered_503_and_the_other_tenant_goes_on() {
    let mut setup = Setup::default();
    setup.limits.queue_events_max = 1;
    let world = World::with(setup).await;
    let holder = hold_log(&world).await;
    let first = tokio::spawn(answer(world.post(event_body("evt_1"))));
    until_an_append_waits(&world).await;
    // One waits in the queue, so that there is no place for the others; which one, only they know.
    let others: Vec<_> = (2..=5)
        .map(|n| tokio::spawn(answer(world.post(event_body(&format!("evt_{n}"))))))
        .collect();
    let mut overloaded = 0;
    let live = event_with("evt_live", &serde_json::json!({"livemode": true}));
    let live = answer(world.post_as(LIVE_PATH, LIVE_SECRET, live)).await;
    assert_eq!(live, stored_at(1), "another tenant's log is another lock");
    holder.batch_execute("COMMIT").await.unwrap();
    assert_eq!(first.await.unwrap(), stored_at(1));
    for other in others {
        let got = other.await.unwrap();
        overloaded += usize::from(got == refused(503, "overloaded"));
    }
    assert!(overloaded >= 1, "{overloaded}");
}

#[tokio::test]
async fn an_append_goes_on_when_its_answer_is_late() {
    let setup =
        Setup { limits: Limits { answer_timeout: SHORT, ..Limits::default() }, ..Setup::default() };
    let world = World::with(setup).await;
    let holder = hold_log(&world).await;
    assert_eq!(answer(world.post(event_body("evt_1"))).await, refused(503, "not_stored"));
    holder.batch_execute("COMMIT").await.unwrap();
    testkit::wait_for("the event", async || {
        (world.stored(world.test_tenant).await == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn bodies_share_a_budget_of_memory() {
    let mut setup = Setup::default();
    let (head, rest) = ([b' '; 1000], [b' '; 1000]);
    setup.limits.body_bytes_in_memory_max = 1500;
    let world = World::with(setup).await;
    let body = [head, rest].concat();
    let header = signature(SECRET, NOW, &body);
    let mut stream = world.connect().await;
    let head_text = wire(&format!("Stripe-Signature: {header}\r\nContent-Length: 2000\r\n"), "");
    stream.write_all(head_text.as_bytes()).await.unwrap();
    stream.write_all(&head).await.unwrap();
    // While the first one is being read, there is no room for another one.
    testkit::wait_for("the budget to be used up", async || {
        let got = answer(world.post([b' '; 1000])).await;
        (got == refused(503, "overloaded")).then_some(())
    })
    .await;
    drop(stream);
    testkit::wait_for("the budget to be given back", async || {
        (answer(world.post([b' '; 1000])).await.0 == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_drain_answers_what_it_has_taken() {
    let world = World::new().await;
    let holder = hold_log(&world).await;
    let deliveries: Vec<_> = (1..=5)
        .map(|n| tokio::spawn(answer(world.post(event_body(&format!("evt_{n}"))))))
        .collect();
    until_an_append_waits(&world).await;
    world.shutdown.begin();
    holder.batch_execute("COMMIT").await.unwrap();
    world.drain().await;
    let mut answered = 0;
    for delivery in deliveries {
        // One that had not been accepted yet finds nobody.
        answered += usize::from(delivery.await.is_ok_and(|(status, _)| status == 200));
    }
    assert!(answered >= 1);
    assert_eq!(world.stored(world.test_tenant).await, answered);
}
