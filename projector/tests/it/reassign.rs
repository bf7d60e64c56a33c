//! Payments that staff move to another user, on Postgres: the books, the links' history, the outbox, and what happens at
//! the same time.

use serde_json::{Value, json};
use store::log::Origin;

use crate::harness::{Harness, charge, event, payment_intent, session, unique};

/// Payments that are moved while their refunds come.
const AT_ONCE: i64 = 200;

/// A purchase of 50 credits by customer `cus_1`, credited to `ada`; `bob` is known as well.
async fn bought() -> Harness {
    let world = Harness::new().await;
    world.register("ada").await;
    world.register("bob").await;
    world.stripe(&session("1", &json!({"user_id": "ada", "credits": "50"}))).await;
    world.drain().await;
    assert_eq!(world.balances().await, [(1, "ada".to_owned(), 50)]);
    world
}

/// What a person says who saw this version.
fn act(payment: &str, version: i64, user: &str) -> Value {
    json!({"object": "tally.event", "type": "tally.payment.reassigned", "payment": payment, "version": version,
           "user": user, "actor": "sam", "reason": "test"})
}

impl Harness {
    async fn version(&self, root_key: &str) -> i64 {
        let sql = format!("SELECT version FROM payment WHERE root_key = '{root_key}'");
        self.count(&sql).await
    }

    /// A person who looks at the payment now reassigns it.
    async fn reassign(&self, root_key: &str, user: &str) -> i64 {
        let version = self.version(root_key).await;
        let source_id = unique(&format!("payment:{root_key}:{version}"));
        self.fact(Origin::Operator, &source_id, &act(root_key, version, user)).await
    }
}

/// A refund of the charge of payment `n`, of so much of its 990.
fn refund(n: &str, amount: i64) -> Value {
    event(
        "refund.created",
        &json!({
        "id": format!("re_{n}"), "object": "refund", "status": "succeeded", "amount": amount, "created": 1_700_000_000,
        "charge": format!("ch_{n}"), "payment_intent": format!("pi_{n}")}),
    )
}

fn dispute(what: &str, created: i64) -> Value {
    let mut told = event(
        &format!("charge.dispute.{what}"),
        &json!({
        "id": "dp_1", "object": "dispute", "status": "needs_response", "amount": 990, "charge": "ch_1",
        "payment_intent": "pi_1"}),
    );
    told["created"] = json!(created);
    told
}

#[tokio::test]
async fn a_payment_moves_with_its_link_and_is_told_of() {
    let world = bought().await;
    let pos = world.reassign("pi_1", "bob").await;
    world.drain().await;
    assert_eq!(world.reason_of(pos).await, "operated");
    assert_eq!(world.balances().await, [(1, "bob".to_owned(), 50)]);
    let links = format!(
        "SELECT count(*) FROM customer_link WHERE customer = 'cus_1'
         AND (user_id, from_pos, to_pos) IN (('ada', 3, {pos})) OR (user_id, from_pos) = ('bob', {pos}) AND to_pos IS NULL"
    );
    assert_eq!(world.count(&links).await, 2);
    let told =
        "SELECT count(*) FROM outbox WHERE topic = 'tally.credits.moved' AND key IN ('ada', 'bob')";
    assert_eq!(world.count(told).await, 2);
    let corrections =
        "SELECT count(*) FROM posting WHERE contra = 7 AND cause_kind = 1 AND cause_pos =";
    assert_eq!(world.count(&format!("{corrections} {pos}")).await, 2);
    let moved = "SELECT count(*) FROM credit_grant g JOIN grant_move m USING (tenant_id, account_id, unit, grant_id)
                 WHERE m.kind = 4 AND g.granted = 50 AND g.remaining = 0 AND NOT g.is_open";
    assert_eq!(world.count(moved).await, 1);
    world.check_invariants().await;
    // The customer's next purchase says nothing of a user.
    let mut next = session("2", &json!({"credits": "7"}));
    next["data"]["object"]["customer"] = json!("cus_1");
    world.stripe(&next).await;
    world.drain().await;
    assert_eq!(world.balance("bob").await, 57);
    // And back again.
    world.reassign("pi_1", "ada").await;
    world.drain().await;
    assert_eq!(world.balances().await, [(1, "ada".to_owned(), 50), (1, "bob".to_owned(), 7)]);
    let held = "SELECT count(*) FROM customer_link WHERE customer = 'cus_1' AND user_id = 'ada' AND to_pos IS NULL";
    assert_eq!(world.count(held).await, 1);
    assert_eq!(world.count("SELECT count(*) FROM customer_link WHERE customer = 'cus_1'").await, 3);
    world.check_invariants().await;
}

#[tokio::test]
async fn of_two_that_saw_the_same_one_wins() {
    let world = bought().await;
    world.register("carol").await;
    let seen = world.version("pi_1").await;
    let id = format!("payment:pi_1:{seen}");
    let first = world.fact(Origin::Operator, &id, &act("pi_1", seen, "bob")).await;
    let same = world.fact(Origin::Operator, &id, &act("pi_1", seen, "carol")).await;
    assert_eq!(first, same, "the log takes an id once");
    let other = world.fact(Origin::Operator, &unique(&id), &act("cs_1", seen, "carol")).await;
    world.drain().await;
    assert_eq!(world.reason_of(first).await, "operated");
    assert_eq!(world.reason_of(other).await, "stale");
    assert_eq!(world.balances().await, [(1, "bob".to_owned(), 50)]);
    world.check_invariants().await;
}

#[tokio::test]
async fn what_was_taken_back_whole_has_an_owner_all_the_same() {
    let world = bought().await;
    world.stripe(&charge("1", &json!({}))).await;
    world.stripe(&dispute("funds_withdrawn", 1_700_000_010)).await;
    world.drain().await;
    world.reassign("pi_1", "bob").await;
    world.drain().await;
    assert_eq!(world.balances().await, []);
    let owned = "SELECT count(*) FROM payment p JOIN owner o ON o.account_id = p.owner_account WHERE o.key = 'bob'";
    assert_eq!(world.count(owned).await, 1);
    world.stripe(&dispute("funds_reinstated", 1_700_000_020)).await;
    world.drain().await;
    assert_eq!(world.balances().await, [(1, "bob".to_owned(), 50)]);
    world.check_invariants().await;
}

#[tokio::test]
async fn merged_payments_follow_the_newest_reassignment() {
    let world = bought().await;
    let mut alone = session("2", &json!({"user_id": "ada", "credits": "50"}));
    alone["data"]["object"]["payment_intent"] = json!(null);
    world.stripe(&alone).await;
    world.stripe(&payment_intent("2", &json!({"user_id": "ada", "credits": "50"}))).await;
    world.drain().await;
    world.reassign("pi_2", "bob").await;
    world.drain().await;
    assert_eq!((world.balance("ada").await, world.balance("bob").await), (100, 50));
    world.stripe(&session("2", &json!({"user_id": "ada", "credits": "50"}))).await;
    world.drain().await;
    assert_eq!((world.balance("ada").await, world.balance("bob").await), (50, 50));
    world.check_invariants().await;
}

#[tokio::test]
async fn a_refund_that_comes_at_the_same_time_follows_the_money() {
    let world = bought().await;
    let names: Vec<String> = (2..AT_ONCE + 2).map(|n| n.to_string()).collect();
    for n in &names {
        world.stripe(&session(n, &json!({"user_id": "ada", "credits": "10"}))).await;
    }
    world.drain().await;
    for (number, n) in names.iter().enumerate() {
        // In each order of the three.
        let root_key = format!("pi_{n}");
        if number % 3 == 0 {
            world.reassign(&root_key, "bob").await;
        }
        world.stripe(&refund(n, 495)).await;
        if number % 3 == 1 {
            world.reassign(&root_key, "bob").await;
        }
        world.stripe(&charge(n, &json!({}))).await;
        if number % 3 == 2 {
            world.reassign(&root_key, "bob").await;
        }
    }
    let (second, third) = (world.another_projector(), world.another_projector());
    let (first, second, third) = tokio::join!(
        projector::drain(&world.projector, &world.tenant),
        projector::drain(&second, &world.tenant),
        projector::drain(&third, &world.tenant),
    );
    first.and(second).and(third).unwrap();
    world.drain().await;
    let moved = AT_ONCE * 5;
    assert_eq!((world.balance("ada").await, world.balance("bob").await), (50, moved));
    assert_eq!(world.count("SELECT count(*) FROM review_case WHERE state = 1").await, 0);
    world.check_invariants().await;
}
