//! Refunds of what was spent: the tenant's policy is followed, and recorded with the decision.

use jiff::Timestamp;
use ledger::account::{ClawbackPolicy, ExpiredPolicy, Terms};
use ledger::ids::SpendId;
use serde_json::{Value, json};
use store::commands::{AccountKey, Command, Done, Note, Outcome, Request, execute};
use uuid::Uuid;

use crate::harness::{Harness, event, session};

/// A refund of all that [`session`] is paid, which stands at `status`.
fn refund(event_type: &str, status: &str) -> Value {
    let refund = json!({
        "id": "re_1", "object": "refund", "amount": 990, "currency": "eur", "payment_intent": "pi_1", "charge": "ch_1",
        "created": 1_700_000_000, "status": status});
    event(event_type, &refund)
}

async fn spend(world: &Harness, user: &str, amount: i64) {
    let account = AccountKey { user: user.to_owned(), unit: "credits".to_owned() };
    command(world, 1, Command::Spend { account, amount, note: Note::default() }).await;
}

async fn command(world: &Harness, number: u128, command: Command) {
    let command_id = Uuid::from_u128(number);
    let requests = [Request { command_id, idempotency: None, actor: "key_1".to_owned(), command }];
    let (tenant_id, now) = (world.tenant.tenant_id, Timestamp::UNIX_EPOCH);
    let no_answer = |_: &Request, _: &Done| Vec::new();
    let outcomes = execute(&world.api, tenant_id, now, &requests, &no_answer).await.unwrap();
    assert!(matches!(outcomes[0], Outcome::Done(_)), "{outcomes:?}");
}

/// A purchase of 100, of which 70 were spent, refunded whole.
async fn refunded_under(clawback: ClawbackPolicy) -> Harness {
    let mut world = Harness::new().await;
    world.tenant.policy.clawback = clawback;
    world.register("u_1").await;
    world.stripe(&session("1", &json!({"user_id": "u_1", "credits": "100"}))).await;
    world.drain().await;
    spend(&world, "u_1", 70).await;
    let pos = world.stripe(&refund("refund.created", "succeeded")).await;
    world.drain().await;
    let recorded = format!("SELECT clawback::bigint FROM decision WHERE pos = {pos}");
    assert_eq!(world.count(&recorded).await, i64::from(clawback.code()));
    world
}

const FORGIVEN: &str = "SELECT sum(forgiven)::bigint FROM payment_leg";
const FROZEN: &str = "SELECT count(*) FROM account WHERE frozen";

#[tokio::test]
async fn what_was_spent_is_owed() {
    let world = refunded_under(ClawbackPolicy::Debt).await;
    assert_eq!(world.balance("u_1").await, -70);
    assert_eq!((world.count(FORGIVEN).await, world.count(FROZEN).await), (0, 0));
    world.stripe(&refund("refund.failed", "failed")).await;
    world.drain().await;
    assert_eq!(world.balance("u_1").await, 30);
    world.check_invariants().await;
}

#[tokio::test]
async fn what_was_spent_is_written_off_and_stays_so_when_the_money_comes_back() {
    let world = refunded_under(ClawbackPolicy::WriteOff).await;
    assert_eq!(world.balance("u_1").await, 0);
    assert_eq!((world.count(FORGIVEN).await, world.count(FROZEN).await), (70, 0));
    world.check_invariants().await;
    world.stripe(&refund("refund.failed", "failed")).await;
    world.drain().await;
    assert_eq!(world.balance("u_1").await, 30);
    assert_eq!(world.count(FORGIVEN).await, 0);
    world.check_invariants().await;
}

/// It is not his when he gets the spend back, and all of it is his once the money was his all along.
#[tokio::test]
async fn what_was_written_off_is_taken_when_the_spend_is_given_back() {
    let world = refunded_under(ClawbackPolicy::WriteOff).await;
    let (spend_id, expired) = (SpendId(Uuid::from_u128(1)), ExpiredPolicy::Lapse);
    command(&world, 2, Command::Reverse { spend_id, expired, terms: Terms::default() }).await;
    assert_eq!(world.balance("u_1").await, 0);
    world.check_invariants().await;
    world.stripe(&refund("refund.failed", "failed")).await;
    world.drain().await;
    assert_eq!(world.balance("u_1").await, 100);
    world.check_invariants().await;
}

#[tokio::test]
async fn who_owes_is_frozen() {
    let world = refunded_under(ClawbackPolicy::Freeze).await;
    assert_eq!(world.balance("u_1").await, -70);
    assert_eq!((world.count(FORGIVEN).await, world.count(FROZEN).await), (0, 1));
    world.check_invariants().await;
}
