//! Money that goes back before anybody is found: nothing stands on any account, and still the payment has an owner.

use serde_json::{Value, json};

use crate::harness::{Harness, event, session};

/// A refund of all that [`session`] is paid, which stands at `status`.
fn refund(event_type: &str, status: &str) -> Value {
    let refund = json!({
        "id": "re_1", "object": "refund", "amount": 990, "currency": "eur", "payment_intent": "pi_1", "charge": "ch_1",
        "created": 1_700_000_000, "status": status});
    event(event_type, &refund)
}

#[tokio::test]
async fn a_payment_that_went_back_whole_becomes_a_newcomers_and_comes_back_to_him() {
    let world = Harness::new().await;
    world.stripe(&session("1", &json!({"user_id": "u_1", "credits": "100"}))).await;
    world.stripe(&refund("refund.created", "succeeded")).await;
    world.drain().await;
    assert_eq!(world.balances().await, []);
    // The case heals, but there is nothing to move to an account that he never had.
    world.register("u_1").await;
    world.drain().await;
    let owned = "SELECT count(*) FROM payment p JOIN owner o ON o.account_id = p.owner_account
                 WHERE o.kind = 1 AND o.key = 'u_1'";
    assert_eq!(world.count(owned).await, 1);
    assert_eq!(world.count("SELECT count(*) FROM review_case WHERE state = 1").await, 0);

    world.stripe(&refund("refund.failed", "failed")).await;
    world.drain().await;
    assert_eq!(world.balances().await, [(1, "u_1".to_owned(), 100)]);
    world.check_invariants().await;
}
