//! Several processes at once: one key, one account, many accounts, locks that are not let go.

use ledger::account::{Refusal, Terms};
use ledger::ids::SpendId;
use store::Role;
use store::Store;
use store::commands::{Outcome, Request, execute};

use super::kit::{Shop, done, gift, hold, keyed, plain, render, reverse, second, spend, until};

/// Runs a batch on a store of its own, as another process would.
async fn elsewhere(store: &Store, tenant_id: i32, requests: &[Request]) -> Vec<Outcome> {
    execute(store, tenant_id, second(10), requests, &render).await.unwrap()
}

#[tokio::test]
async fn of_two_processes_with_one_key_one_spends_and_both_answer_the_same() {
    let shop = Shop::new(&["ada", "bob"]).await;
    let tenant_id = shop.world.tenant.tenant_id;
    let (here, there) = (shop.world.store(Role::Api), shop.world.store(Role::Api));
    for round in 0..30 {
        // Each spends all that there is: whoever is second would be refused if it was another spend.
        shop.does(1, gift("ada", 1, Terms::default())).await;
        shop.does(1, gift("bob", 1, Terms::default())).await;
        let key = |nr: i32| format!("{round}:{nr}");
        // The other process has the same requests in another order, so their keys and accounts cross.
        let one = [keyed(&key(1), spend("ada", 1)), keyed(&key(2), spend("bob", 1))];
        let other = [keyed(&key(2), spend("bob", 1)), keyed(&key(1), spend("ada", 1))];
        let (one, mut other) =
            tokio::join!(elsewhere(&here, tenant_id, &one), elsewhere(&there, tenant_id, &other));
        other.reverse();
        for pair in one.iter().zip(&other) {
            let (done, command_id, answer) = match pair {
                (Outcome::Done(done), Outcome::Replayed { command_id, answer })
                | (Outcome::Replayed { command_id, answer }, Outcome::Done(done)) => {
                    (done, command_id, answer)
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(done.command_id, *command_id);
            let told = format!("key_1 {} {}", done.step, done.after.available);
            assert_eq!(*answer, told.into_bytes());
        }
    }
    let spent = "SELECT count(*) FROM command WHERE tenant_id = $1 AND kind = 1";
    assert_eq!(shop.number(spent).await, 60);
    let left = "SELECT sum(posted)::bigint FROM account WHERE tenant_id = $1";
    assert_eq!(shop.number(left).await, 0);
}

#[tokio::test]
async fn of_one_key_for_two_requests_one_is_carried_out() {
    let shop = Shop::new(&["ada", "bob"]).await;
    shop.does(1, gift("ada", 100, Terms::default())).await;
    shop.does(1, gift("bob", 100, Terms::default())).await;
    let tenant_id = shop.world.tenant.tenant_id;
    let (here, there) = (shop.world.store(Role::Api), shop.world.store(Role::Api));
    for round in 0..20 {
        // They lock different accounts, and so meet only at the key.
        let (one, other) = (
            [keyed(&format!("{round}"), spend("ada", 1))],
            [keyed(&format!("{round}"), spend("bob", 1))],
        );
        let (one, other) =
            tokio::join!(elsewhere(&here, tenant_id, &one), elsewhere(&there, tenant_id, &other));
        let both = [&one[0], &other[0]];
        assert!(both.contains(&&Outcome::KeyReused), "{both:?}");
        assert!(both.iter().any(|outcome| matches!(outcome, Outcome::Done(_))), "{both:?}");
    }
    assert_eq!(
        shop.number("SELECT sum(posted)::bigint FROM account WHERE tenant_id = $1").await,
        180
    );
}

#[tokio::test]
async fn a_hot_account_is_never_overspent() {
    let shop = Shop::new(&["ada"]).await;
    shop.does(1, gift("ada", 100, Terms::default())).await;
    let tenant_id = shop.world.tenant.tenant_id;
    let stores =
        [shop.world.store(Role::Api), shop.world.store(Role::Api), shop.world.store(Role::Api)];
    let batch = |from: i32| -> Vec<Request> {
        (from..from + 60).map(|nr| keyed(&format!("hot {nr}"), spend("ada", 1))).collect()
    };
    let (one, two, three) = (batch(0), batch(60), batch(120));
    let outcomes = tokio::join!(
        elsewhere(&stores[0], tenant_id, &one),
        elsewhere(&stores[1], tenant_id, &two),
        elsewhere(&stores[2], tenant_id, &three),
    );
    let all: Vec<Outcome> = [outcomes.0, outcomes.1, outcomes.2].concat();
    let is_done = |outcome: &&Outcome| matches!(outcome, Outcome::Done(_));
    assert_eq!(all.iter().filter(is_done).count(), 100);
    let refused = Outcome::Refused(Refusal::Insufficient { wanted: 1, available: 0 });
    assert_eq!(all.iter().filter(|outcome| **outcome == refused).count(), 80);
    // Each batch was evaluated in its order: what was refused came after what was done.
    for batch in all.chunks(60) {
        assert!(batch.is_sorted_by_key(|outcome| *outcome == refused));
    }
    assert_eq!(shop.number("SELECT version FROM account WHERE tenant_id = $1").await, 101);
}

/// Both name one spend, and it drew from two grants.
#[tokio::test]
async fn two_reversals_of_one_spend_in_one_batch_are_one() {
    let shop = Shop::new(&["ada"]).await;
    for ends in [50, 60] {
        shop.does(1, gift("ada", 5, until(ends))).await;
    }
    let spend_id = SpendId(shop.does(2, spend("ada", 8)).await.command_id);
    let outcomes = shop.run(3, &[plain(reverse(spend_id)), plain(reverse(spend_id))]).await;
    assert_eq!(done(outcomes[0].clone()).after.available, 10);
    assert_eq!(outcomes[1], Outcome::Refused(Refusal::AlreadyReversed { spend_id }));
}

#[tokio::test]
async fn an_account_of_many_grants_is_loaded_as_far_as_it_is_needed() {
    let shop = Shop::new(&["ada"]).await;
    // One hundred grants of one credit; what ends first is the youngest.
    let gifts: Vec<Request> = (0..100).map(|nr| plain(gift("ada", 1, until(1_000 - nr)))).collect();
    for outcome in shop.run(1, &gifts).await {
        done(outcome);
    }
    let few = shop.does(2, spend("ada", 5)).await;
    let drawn: Vec<i64> = few.postings[0].moves.iter().map(|moved| moved.grant_id).collect();
    assert_eq!(drawn, [96, 97, 98, 99, 100]);
    // More than is loaded at first, in the middle of a batch, beside what the batch has changed.
    let batch = [
        plain(spend("ada", 2)),
        plain(gift("ada", 1, until(500))),
        plain(spend("ada", 60)),
        plain(spend("ada", 35)),
        plain(spend("ada", 34)),
    ];
    let outcomes = shop.run(3, &batch).await;
    assert_eq!(outcomes[3], Outcome::Refused(Refusal::Insufficient { wanted: 35, available: 34 }));
    let many = done(outcomes[2].clone());
    assert!(many.postings[0].moves.iter().any(|moved| moved.grant_id == 103), "{many:?}");
    assert_eq!(done(outcomes[4].clone()).after.posted, 0);
    let left =
        "SELECT count(*) FROM credit_grant WHERE tenant_id = $1 AND (is_open OR remaining > 0)";
    assert_eq!(shop.number(left).await, 0);
}

#[tokio::test]
async fn who_waits_too_long_for_an_account_is_told_so_and_the_others_are_served() {
    let shop = Shop::new(&["ada", "bob"]).await;
    shop.does(1, gift("ada", 10, Terms::default())).await;
    shop.does(1, gift("bob", 10, Terms::default())).await;
    let stuck = shop.world.database.superuser().await;
    let lock = "BEGIN; SELECT FROM account a JOIN owner o USING (tenant_id, account_id) WHERE o.key = 'ada' FOR UPDATE OF a";
    stuck.batch_execute(lock).await.unwrap();
    let batch = || [keyed("a", spend("ada", 1)), keyed("b", spend("bob", 1))];
    let outcomes = shop.run(2, &batch()).await;
    assert_eq!(outcomes[0], Outcome::KeyInFlight);
    assert_eq!(done(outcomes[1].clone()).after.available, 9);
    stuck.batch_execute("ROLLBACK").await.unwrap();
    let outcomes = shop.run(3, &batch()).await;
    assert_eq!(done(outcomes[0].clone()).after.available, 9);
    assert!(matches!(outcomes[1], Outcome::Replayed { .. }));
}

#[tokio::test]
async fn a_key_that_another_transaction_is_saving_is_in_flight() {
    let shop = Shop::new(&["ada"]).await;
    shop.does(1, gift("ada", 10, Terms::default())).await;
    let stuck = shop.world.database.superuser().await;
    let save = "BEGIN; INSERT INTO idempotency VALUES (1, 'k', '', gen_random_uuid(), '', now())";
    stuck.batch_execute(save).await.unwrap();
    let request = [keyed("k", spend("ada", 1))];
    assert_eq!(shop.run(2, &request).await, [Outcome::KeyInFlight]);
    assert_eq!(shop.number("SELECT posted FROM account WHERE tenant_id = $1").await, 10);
    stuck.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(done(shop.run(3, &request).await.remove(0)).after.available, 9);
}

/// However many there are: what the balance says is available can be spent.
#[tokio::test]
async fn all_holds_whose_deadline_has_passed_are_over() {
    let shop = Shop::new(&["ada", "bob"]).await;
    shop.does(1, gift("ada", 600, Terms::default())).await;
    shop.does(1, gift("bob", 1, Terms::default())).await;
    for _ in 0..3 {
        let holds: Vec<Request> = (0..200).map(|_| plain(hold("ada", 1, 100))).collect();
        for outcome in shop.run(2, &holds).await {
            done(outcome);
        }
    }
    let batch = [plain(spend("ada", 600)), plain(spend("bob", 1)), plain(spend("ada", 1))];
    let outcomes = shop.run(100, &batch).await;
    assert_eq!(done(outcomes[0].clone()).after.held, 0);
    assert_eq!(done(outcomes[1].clone()).after.available, 0);
    assert!(matches!(outcomes[2], Outcome::Refused(Refusal::Insufficient { available: 0, .. })));
    let closed = "SELECT count(*) FROM command WHERE tenant_id = $1 AND kind = 10";
    assert_eq!(shop.number(closed).await, 600);
}
