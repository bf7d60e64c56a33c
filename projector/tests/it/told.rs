//! Whoever shows balances is told whose may have changed.

use std::collections::BTreeSet;

use ledger::ids::{AccountId, Owner};
use serde_json::json;
use store::PgUrl;
use store::notify::{Hint, Listener};
use testkit::WAIT_MAX;
use tokio::sync::broadcast::Receiver;

use crate::harness::{Harness, session};

async fn next(hints: &mut Receiver<Hint>) -> Hint {
    tokio::time::timeout(WAIT_MAX, hints.recv()).await.expect("a hint").unwrap()
}

/// The accounts of the next hint that names any.
async fn accounts(hints: &mut Receiver<Hint>) -> BTreeSet<AccountId> {
    loop {
        if let Hint::Accounts { accounts, .. } = next(hints).await {
            return accounts.iter().copied().collect();
        }
    }
}

#[tokio::test]
async fn balances_that_a_batch_changed_are_named() {
    let world = Harness::new().await;
    let listener =
        Listener::start_with_accounts(&PgUrl::parse(&world.database.url).unwrap()).unwrap();
    let mut hints = listener.subscribe();
    assert_eq!(next(&mut hints).await, Hint::Reconnected);
    let of = |user: &str| BTreeSet::from([Owner::User(user.to_owned()).account_id()]);
    world.register("u_1").await;
    world.stripe(&session("1", &json!({"user_id": "u_1", "credits": "50"}))).await;
    world.drain().await;
    assert_eq!(accounts(&mut hints).await, of("u_1"), "credits moved");
    // Under way: nothing moves, but `pending` changes.
    let mut unpaid = session("2", &json!({"user_id": "u_1", "credits": "70"}));
    unpaid["data"]["object"]["payment_status"] = json!("unpaid");
    world.stripe(&unpaid).await;
    world.drain().await;
    assert_eq!(accounts(&mut hints).await, of("u_1"), "a payment names the user");
}
