//! Whose it is, on Postgres: whom a link contradicts, and users who are added because of a payment.

use serde_json::{Value, json};

use crate::harness::{Harness, session};

#[tokio::test]
async fn a_conflict_with_a_link_names_the_payment_that_made_it() {
    let world = Harness::new().await;
    world.register("u_1").await;
    world.register("u_2").await;
    let of_customer = |name: &str, user: &str| {
        let mut body = session(name, &json!({"user_id": user, "credits": "7"}));
        body["data"]["object"]["customer"] = json!("cus_shared");
        body
    };
    world.stripe(&of_customer("1", "u_1")).await;
    world.drain().await;
    let second = world.stripe(&of_customer("2", "u_2")).await;
    world.drain().await;
    assert_eq!(world.reason_of(second).await, "conflict");
    assert_eq!((world.balance("u_1").await, world.balance("u_2").await), (7, 0));
    let sql = "SELECT root_key, detail->'candidates' FROM review_case WHERE state = 1";
    let case = world.sql.query_one(sql, &[]).await.unwrap();
    assert_eq!(case.get::<_, &str>(0), "pi_2");
    let candidates: Value = case.get(1);
    assert!(candidates.to_string().contains("cus_shared (payment pi_1)"), "{candidates}");
    world.check_invariants().await;
}

/// The registration stands before the payment in the log, but in another lane, which is decided later.
#[tokio::test]
async fn what_the_app_tells_of_a_user_counts_whatever_added_him() {
    let mut world = Harness::new().await;
    world.tenant.policy.create_users = true;
    let told = world.register_with("u_new", &json!({"email": "new@example.com"})).await;
    let paid = world.stripe(&session("1", &json!({"user_id": "u_new", "credits": "7"}))).await;
    let slots =
        "SELECT (SELECT slot FROM event WHERE pos = $1), (SELECT slot FROM event WHERE pos = $2)";
    let slots = world.sql.query_one(slots, &[&told, &paid]).await.unwrap();
    assert_ne!(slots.get::<_, i16>(0), slots.get::<_, i16>(1));

    world.projector.project(&world.tenant, &[slots.get(1)], true).await.unwrap();
    assert_eq!(world.reason_of(paid).await, "credited");
    assert_eq!(world.balance("u_new").await, 7);
    let user = "SELECT email, first_pos, pos FROM app_user WHERE user_id = 'u_new'";
    let added = world.sql.query_one(user, &[]).await.unwrap();
    let added: (Option<&str>, i64, i64) = (added.get(0), added.get(1), added.get(2));
    assert_eq!(added, (None, paid, 0));
    let recorded = "SELECT count(*) FROM decision WHERE evidence @> '[{\"kind\": \"created\", \"value\": \"u_new\"}]'";
    assert_eq!(world.count(recorded).await, 1);

    world.drain().await;
    let known = world.sql.query_one(user, &[]).await.unwrap();
    let known: (Option<&str>, i64) = (known.get(0), known.get(2));
    assert_eq!(known, (Some("new@example.com"), told));
    world.check_invariants().await;
}
