//! What one batch takes of each slot, what it leaves, and payments that begin and end in it.

use projector::batch::Done;
use serde_json::{Value, json};
use store::log::slot_of;
use store::projection::slots::SLOTS;

use crate::harness::{Harness, charge, event, payment_intent, session};

async fn project(world: &Harness, slots: &[i16]) -> Done {
    world.projector.project(&world.tenant, slots, false).await.unwrap()
}

#[tokio::test]
async fn a_slot_that_has_far_more_than_its_share_is_left_unfinished_and_taken_alone() {
    let world = Harness::new().await;
    world.register("u_1").await;
    world.drain().await;
    let metadata = json!({"user_id": "u_1", "credits": "50"});
    for _ in 0..300 {
        world.stripe(&charge("1", &metadata)).await;
    }
    let other = ["2", "3"].into_iter().find(|n| slot_of(&format!("pi_{n}")) != slot_of("pi_1"));
    world.stripe(&charge(other.unwrap(), &metadata)).await;
    let all: Vec<i16> = (0..SLOTS).collect();
    let done = project(&world, &all).await;
    assert_eq!((done.decided, done.more), (9, true), "a slot's share, and the other slot's event");
    assert_eq!(done.unfinished, [slot_of("pi_1")]);
    let done = project(&world, &done.unfinished).await;
    assert_eq!((done.decided, done.unfinished), (256, vec![slot_of("pi_1")]), "alone it has all");
    let done = project(&world, &[slot_of("pi_1")]).await;
    assert_eq!((done.decided, done.more), (36, false));
    assert_eq!(project(&world, &all).await.decided, 0);
    assert_eq!(world.balance("u_1").await, 100);
    world.check_invariants().await;
}

#[tokio::test]
async fn bodies_that_fill_a_batch_leave_its_slots_unfinished() {
    let world = Harness::new().await;
    let long = "x".repeat(450_000);
    for _ in 0..20 {
        world.stripe(&charge("1", &json!({"note": long}))).await;
    }
    let done = project(&world, &[slot_of("pi_1")]).await;
    assert_eq!((done.decided, done.unfinished), (18, vec![slot_of("pi_1")]));
    let done = project(&world, &[slot_of("pi_1")]).await;
    assert_eq!((done.decided, done.unfinished), (2, vec![]));
}

#[tokio::test]
async fn payments_that_one_batch_names_and_merges_are_found_by_each_of_their_names() {
    let world = Harness::new().await;
    world.register("u_1").await;
    world.drain().await;
    let metadata = json!({"user_id": "u_1", "credits": "50"});
    let mut alone = session("1", &metadata);
    alone["data"]["object"]["payment_intent"] = json!(null);
    world.stripe(&payment_intent("1", &metadata)).await;
    world.stripe(&alone).await;
    world.stripe(&session("1", &metadata)).await;
    let all: Vec<i16> = (0..SLOTS).collect();
    assert_eq!(project(&world, &all).await.decided, 3, "in one batch");
    world.check_invariants().await;
    world.stripe(&charge("1", &metadata)).await;
    world.stripe(&alone_again(alone)).await;
    world.drain().await;
    assert_eq!(world.balance("u_1").await, 50);
    assert_eq!(world.count("SELECT count(*) FROM payment WHERE merged_into IS NOT NULL").await, 1);
    world.check_invariants().await;
}

/// The same told by another event.
fn alone_again(mut body: Value) -> Value {
    body["id"] = json!(crate::harness::unique("evt"));
    body
}

/// An invoice paid by a payment intent, which says nothing else.
fn tie(invoice: &str, payment_intent: &str) -> Value {
    event(
        "invoice_payment.paid",
        &json!({
        "id": "inpay_1", "object": "invoice_payment", "status": "paid", "invoice": invoice, "amount_paid": 990,
        "currency": "eur", "payment": {"type": "payment_intent", "payment_intent": payment_intent}}),
    )
}

/// A batch that has looked around waits for a customer, while another one makes the name of its payment another's: it begins
/// anew, and whatever tells of any of the names later comes to one end.
#[tokio::test]
async fn a_name_that_is_given_away_while_a_batch_waits_leads_to_one_payment() {
    let world = Harness::new().await;
    world.register("u_1").await;
    let metadata = json!({"user_id": "u_1", "credits": "50"});
    world.stripe(&session("1", &metadata)).await;
    world.drain().await;
    let holder = world.database.superuser().await;
    holder.batch_execute("BEGIN").await.unwrap();
    let subject = "SELECT FROM subject WHERE key = 'customer:cus_1' FOR UPDATE";
    assert_eq!(holder.query(subject, &[]).await.unwrap().len(), 1);
    let mut bought = session("1", &metadata);
    bought["data"]["object"].as_object_mut().unwrap().extend([
        ("id".to_owned(), json!("cs_2")),
        ("mode".to_owned(), json!("subscription")),
        ("payment_intent".to_owned(), json!(null)),
        ("invoice".to_owned(), json!("in_2")),
    ]);
    let bought = world.slot_of(world.stripe(&bought).await).await;
    let meanwhile = async {
        testkit::wait_for("the batch to wait for the customer", async || {
            let sql = "SELECT FROM pg_stat_activity WHERE application_name = 'tally_projector'
                       AND wait_event_type = 'Lock' AND datname = current_database()";
            world.sql.query_opt(sql, &[]).await.unwrap()
        })
        .await;
        let tied = world.slot_of(world.stripe(&tie("in_2", "pi_2")).await).await;
        assert_ne!(tied, bought, "or it waits as well");
        let other = world.another_projector();
        assert_eq!(other.project(&world.tenant, &[tied], false).await.unwrap().decided, 1);
        holder.batch_execute("COMMIT").await.unwrap();
    };
    let slots = [bought];
    let (done, ()) = tokio::join!(project(&world, &slots), meanwhile);
    assert_eq!(done.decided, 1);
    world.check_invariants().await;
    world.stripe(&tie("in_2", "pi_2")).await;
    world.drain().await;
    assert_eq!(world.count("SELECT count(DISTINCT root_key) FROM payment_alias").await, 2);
    world.check_invariants().await;
}
