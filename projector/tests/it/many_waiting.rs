//! Many waiting cases that one directory, or one fact, releases, healed by three projectors at once: no case stays open,
//! the balances are right, and nothing is posted twice. How fast that is, `cli/tests/chaos/waiting.rs` measures.
#![expect(clippy::arithmetic_side_effects, reason = "a test counts few things")]

use serde_json::json;
use store::log::{MAX_BATCH_EVENTS, NewEvent, Origin};

use crate::harness::{Harness, new_event, registration, session, unique};

/// Cases that wait: some steps of marking, and some batches of each lane.
const WAITING: usize = 3_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_releases_a_case_of_each_of_its_users() {
    let world = Harness::new().await;
    let user = |n: usize| format!("late{n}");
    buy(&world, user).await;
    heal(&world, (0..WAITING).map(|n| registered(&user(n))).collect()).await;
    let users = "SELECT count(*) FROM account a JOIN owner o USING (tenant_id, account_id) WHERE o.kind = 1 AND a.posted = 2";
    assert_eq!(world.count(users).await, i64::try_from(WAITING).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_releases_all_of_his_cases() {
    let world = Harness::new().await;
    buy(&world, |_| "late".to_owned()).await;
    heal(&world, vec![registered("late")]).await;
    assert_eq!(world.balance("late").await, i64::try_from(WAITING).unwrap() * 2);
}

/// Purchases of two credits by users whom nobody knows.
async fn buy(world: &Harness, user: impl Fn(usize) -> String) {
    let purchase = |n: usize| {
        let metadata = json!({"user_id": user(n), "credits": "2"});
        let body = session(&format!("{n}"), &metadata);
        new_event(Origin::Stripe, body["id"].as_str().unwrap(), &body)
    };
    append(world, (0..WAITING).map(purchase).collect()).await;
    drain(world).await;
    let open = "SELECT count(*) FROM review_case WHERE state = 1 AND due_pos IS NULL";
    assert_eq!(world.count(open).await, i64::try_from(WAITING).unwrap());
}

/// Tells of users, has three projectors decide what follows, and compares.
async fn heal(world: &Harness, registrations: Vec<NewEvent>) {
    append(world, registrations).await;
    drain(world).await;
    let waiting = i64::try_from(WAITING).unwrap();
    assert_eq!(world.count("SELECT count(*) FROM review_case WHERE state = 1").await, 0);
    assert_eq!(world.count("SELECT count(*) FROM review_case WHERE resolution = 1").await, waiting);
    assert_eq!(world.count("SELECT count(*) FROM woken").await, 0);
    let revisions = "SELECT count(*) FROM decision WHERE rev = 1 AND cause_pos IS NOT NULL";
    assert_eq!(world.count(revisions).await, waiting);
    assert_eq!(world.count("SELECT count(*) FROM decision WHERE rev > 1").await, 0);
    let total = "SELECT sum(posted)::bigint FROM account";
    assert_eq!(world.count(total).await, waiting * 2);
    world.check_invariants().await;
}

async fn drain(world: &Harness) {
    let projectors =
        [world.projector.clone(), world.another_projector(), world.another_projector()];
    let draining = projectors.map(|projector| {
        let tenant = world.tenant.clone();
        tokio::spawn(async move { projector::drain(&projector, &tenant).await })
    });
    for drained in draining {
        drained.await.unwrap().unwrap();
    }
}

async fn append(world: &Harness, mut events: Vec<NewEvent>) {
    while !events.is_empty() {
        let rest = events.split_off(events.len().min(MAX_BATCH_EVENTS));
        let appended = store::log::append(&world.api, world.tenant.tenant_id, &events).await;
        assert_eq!(appended.unwrap().len(), events.len());
        events = rest;
    }
}

fn registered(user: &str) -> NewEvent {
    new_event(Origin::Directory, &unique(&format!("user:{user}")), &registration(user))
}
