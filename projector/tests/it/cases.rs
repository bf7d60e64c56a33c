//! Cases on Postgres: opened, healed by each kind of fact, settled by people.

use serde_json::json;
use store::log::Origin;

use crate::harness::{Harness, charge, event, payment_intent, session};

#[tokio::test]
async fn a_purchase_becomes_a_balance_and_a_link() {
    let world = Harness::new().await;
    world.register("u_1").await;
    world.set_price("price_1", 50).await;
    let pos = world
        .stripe(&session("1", &json!({"user_id": "u_1", "price": "price_1", "quantity": "2"})))
        .await;
    world.drain().await;
    assert_eq!(world.reason_of(pos).await, "credited");
    assert_eq!(world.balance("u_1").await, 100);
    let linked = "SELECT count(*) FROM customer_link WHERE customer = 'cus_1' AND user_id = 'u_1' AND to_pos IS NULL";
    assert_eq!(world.count(linked).await, 1);
    world.check_invariants().await;
}

#[tokio::test]
async fn money_of_an_unknown_user_is_on_the_books_until_he_registers() {
    let world = Harness::new().await;
    let pos = world.stripe(&session("1", &json!({"user_id": "u_late", "credits": "30"}))).await;
    world.drain().await;
    assert_eq!(world.reason_of(pos).await, "unknown_user");
    assert_eq!(world.balances().await, [(2, "pi_1".to_owned(), 30)]);
    world.check_invariants().await;
    world.register("u_late").await;
    world.drain().await;
    assert_eq!(world.reason_of(pos).await, "credited");
    assert_eq!(world.balances().await, [(1, "u_late".to_owned(), 30)]);
    assert_eq!(world.count("SELECT count(*) FROM review_case WHERE resolution = 1").await, 1);
    world.check_invariants().await;
}

#[tokio::test]
async fn a_case_is_healed_by_a_price_and_by_a_link() {
    let world = Harness::new().await;
    world.register("u_1").await;
    let unpriced =
        world.stripe(&session("1", &json!({"user_id": "u_1", "price": "price_new"}))).await;
    let mut nobody = session("2", &json!({"credits": "7"}));
    nobody["data"]["object"]["customer"] = json!("cus_1");
    let nobody = world.stripe(&nobody).await;
    world.drain().await;
    assert_eq!(world.reason_of(unpriced).await, "unknown_price");
    assert_eq!(world.reason_of(nobody).await, "no_evidence");
    // The price heals the first one, whose link then heals the second.
    world.set_price("price_new", 20).await;
    world.drain().await;
    assert_eq!(world.reason_of(unpriced).await, "credited");
    assert_eq!(world.reason_of(nobody).await, "credited");
    assert_eq!(world.balance("u_1").await, 27);
    world.check_invariants().await;
}

#[tokio::test]
async fn a_customers_metadata_heals_what_waits_for_the_customer() {
    let world = Harness::new().await;
    world.register("u_1").await;
    let pos = world.stripe(&session("1", &json!({"credits": "7"}))).await;
    world.drain().await;
    assert_eq!(world.reason_of(pos).await, "no_evidence");
    let customer = json!({"id": "cus_1", "object": "customer", "metadata": {"user_id": "u_1"}});
    world.stripe(&event("customer.updated", &customer)).await;
    world.drain().await;
    assert_eq!(world.balance("u_1").await, 7);
    world.check_invariants().await;
}

#[tokio::test]
async fn a_conflict_is_assigned_and_the_later_act_is_stale() {
    let world = Harness::new().await;
    world.register_with("ada", &json!({"email": "ada@example.com", "email_verified": true})).await;
    world.register_with("bob", &json!({"email": "bob@example.com", "email_verified": true})).await;
    let mut wrong = session("1", &json!({"user_id": "ada", "credits": "10"}));
    wrong["data"]["object"]["customer_details"] = json!({"email": "Bob@Example.com "});
    let pos = world.stripe(&wrong).await;
    world.drain().await;
    assert_eq!(world.reason_of(pos).await, "conflict");
    let first = world.act("tally.case.assigned", &json!({"user": "bob"})).await;
    let second = world.act("tally.case.assigned", &json!({"user": "ada"})).await;
    world.drain().await;
    assert_eq!(world.reason_of(first).await, "operated");
    assert_eq!(world.reason_of(second).await, "stale");
    assert_eq!(world.balances().await, [(1, "bob".to_owned(), 10)]);
    world.check_invariants().await;
}

#[tokio::test]
async fn dismissing_priced_money_needs_a_write_off() {
    let world = Harness::new().await;
    let pos = world.stripe(&session("1", &json!({"credits": "10"}))).await;
    world.drain().await;
    let plain = world.act("tally.case.dismissed", &json!({"write_off": false})).await;
    world.drain().await;
    assert_eq!(world.reason_of(plain).await, "stale");
    let approved = world.act("tally.case.dismissed", &json!({"write_off": true})).await;
    world.drain().await;
    assert_eq!(world.reason_of(approved).await, "operated");
    assert_eq!(world.reason_of(pos).await, "dismissed");
    assert_eq!(world.balances().await, []);
    assert_eq!(world.count("SELECT sum(amount)::bigint FROM posting WHERE contra = 9").await, -10);
}

#[tokio::test]
async fn bytes_that_are_no_event_are_a_case_that_can_be_retried_and_dismissed() {
    let world = Harness::new().await;
    let pos = world.fact(Origin::Stripe, "sha256:00", &json!("no event")).await;
    world.drain().await;
    assert_eq!(world.reason_of(pos).await, "malformed");
    world.act("tally.case.retried", &json!({})).await;
    world.drain().await;
    assert_eq!(world.reason_of(pos).await, "malformed");
    assert_eq!(
        world.count(&format!("SELECT max(rev)::bigint FROM decision WHERE pos = {pos}")).await,
        1
    );
    world.act("tally.case.dismissed", &json!({})).await;
    world.drain().await;
    assert_eq!(world.reason_of(pos).await, "dismissed");
    world.check_invariants().await;
}

#[tokio::test]
async fn a_bare_charge_waits_for_its_session_and_then_is_not_ours() {
    let world = Harness::new().await;
    world.register("u_1").await;
    let bare = world.stripe(&charge("1", &json!({}))).await;
    world.drain().await;
    assert_eq!(world.reason_of(bare).await, "waiting");
    world.act("tally.case.due", &json!({})).await;
    world.drain().await;
    assert_eq!(world.reason_of(bare).await, "not_ours");
    // Its session comes after all.
    world.stripe(&session("1", &json!({"user_id": "u_1", "credits": "5"}))).await;
    world.drain().await;
    assert_eq!(world.balance("u_1").await, 5);
    world.check_invariants().await;
}

#[tokio::test]
async fn two_payments_that_turn_out_to_be_one_are_credited_once() {
    let world = Harness::new().await;
    world.register("u_1").await;
    let metadata = json!({"user_id": "u_1", "credits": "50"});
    let mut alone = session("1", &metadata);
    alone["data"]["object"]["payment_intent"] = json!(null);
    world.stripe(&alone).await;
    world.stripe(&payment_intent("1", &metadata)).await;
    world.drain().await;
    assert_eq!(world.balance("u_1").await, 100, "nothing ties the two yet");
    world.stripe(&session("1", &metadata)).await;
    world.drain().await;
    assert_eq!(world.balance("u_1").await, 50);
    assert_eq!(world.count("SELECT count(*) FROM payment WHERE merged_into IS NOT NULL").await, 1);
    world.check_invariants().await;
}
