//! Many at once: what may happen once happens once, what fails fails alone, and what is too much is said so.

#![expect(clippy::arithmetic_side_effects, reason = "a test counts few things")]

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use http::{StatusCode, header};
use serde_json::{Value, json};
use testkit::wait_for;

use crate::support::{Answer, World, new_key};

const SPENDS: &str = "/v1/users/u_1/spends";

/// How often a race is run: `TALLY_RACE_ROUNDS`, 200 for a long look.
fn rounds() -> usize {
    std::env::var("TALLY_RACE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3)
}

/// A user with so many credits.
async fn world_with(amount: i64) -> World {
    let world = World::new().await;
    world.register("u_1").await;
    world.give("u_1", amount).await;
    world
}

/// The same command so many times at once, each under a key of its own.
async fn race(world: &World, count: usize, path: &str, body: &Value) -> Vec<Answer> {
    let commands =
        (0..count).map(|_| async { world.command(&new_key(), path, body.clone()).await });
    join_all(commands).await
}

/// How many answers have each status.
fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status.as_u16()).or_default() += 1;
    }
    counts
}

/// lago-api#3618, and whoever reads a balance before he writes it: a thousand requests for the last credit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credits_are_spent_once_by_racing_requests() {
    let world = world_with(1).await;
    for _ in 0..rounds() {
        let answers = race(&world, 1000, SPENDS, &json!({"amount": 1})).await;
        assert_eq!(statuses(&answers), BTreeMap::from([(201, 1), (402, 999)]));
        assert_eq!(world.available("u_1").await, 0);
        world.give("u_1", 1).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_spends_of_different_sizes_never_overdraw() {
    for _ in 0..rounds() {
        let world = world_with(100).await;
        let spends = (0..200).map(|number| {
            let body = json!({"amount": number % 7 + 1});
            let (world, key) = (&world, new_key());
            async move { world.command(&key, SPENDS, body).await }
        });
        let answers = join_all(spends).await;
        let spent = answers.iter().filter(|answer| answer.status == StatusCode::CREATED);
        let spent: i64 = spent.map(|answer| answer.json()["amount"].as_i64().unwrap()).sum();
        let left = world.available("u_1").await;
        assert_eq!(spent + left, 100);
        // Whoever was refused asked for more than there was then, and there is no more now.
        for refused in answers.iter().filter(|answer| answer.status != StatusCode::CREATED) {
            assert_eq!(refused.status, StatusCode::PAYMENT_REQUIRED);
            assert!(refused.json()["available"].as_i64().unwrap() >= left);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_is_captured_or_released_never_both() {
    for _ in 0..rounds() {
        let world = world_with(10).await;
        let held = world.command(&new_key(), "/v1/users/u_1/holds", json!({"amount": 10})).await;
        let id = held.is(StatusCode::CREATED)["id"].as_str().unwrap().to_owned();
        let ends = (0..40).map(|number| {
            let act = if number % 2 == 0 { "capture" } else { "release" };
            let (world, path) = (&world, format!("/v1/holds/{id}/{act}"));
            async move { world.command(&new_key(), &path, json!({})).await }
        });
        let answers = join_all(ends).await;
        assert_eq!(statuses(&answers), BTreeMap::from([(200, 1), (409, 39)]));
        let ended = world.get(&format!("/v1/holds/{id}")).await.ok();
        let left = if ended["status"] == "captured" { 0 } else { 10 };
        assert_eq!(world.available("u_1").await, left);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spend_is_given_back_once_by_racing_requests() {
    for _ in 0..rounds() {
        // It draws from two grants.
        let world = world_with(6).await;
        world.give("u_1", 4).await;
        let spent = world.command(&new_key(), SPENDS, json!({"amount": 10})).await;
        let id = spent.is(StatusCode::CREATED)["id"].as_str().unwrap().to_owned();
        let answers = race(&world, 50, &format!("/v1/spends/{id}/reverse"), &json!({})).await;
        assert_eq!(statuses(&answers), BTreeMap::from([(201, 1), (409, 49)]));
        assert_eq!(world.available("u_1").await, 10);
    }
}

/// The order in which commands were carried out is told by `seq`, without holes, and each answer fits the one before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_commands_have_one_order() {
    let world = world_with(1000).await;
    let answers = race(&world, 300, SPENDS, &json!({"amount": 3})).await;
    let mut spends: Vec<Value> =
        answers.iter().map(|answer| answer.is(StatusCode::CREATED)).collect();
    spends.sort_by_key(|spend| spend["seq"].as_i64());
    for (number, spend) in (0_i64..).zip(&spends) {
        assert_eq!(spend["seq"], number + 2);
        assert_eq!(spend["balance"]["available"], 1000 - 3 * (number + 1));
    }
    for pair in spends.windows(2) {
        assert!(pair[0]["created"].as_str() <= pair[1]["created"].as_str());
    }
}

/// A command that the database refuses fails alone, whatever comes with it.
#[tokio::test]
async fn one_that_cannot_be_carried_out_does_no_harm_to_its_neighbours() {
    let world = world_with(100).await;
    world.register("u_2").await;
    world.give("u_2", 100).await;
    let poison = "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
                  $body$ BEGIN RAISE EXCEPTION 'on purpose'; END $body$;
                  CREATE TRIGGER poison BEFORE INSERT ON posting FOR EACH ROW WHEN (NEW.amount = -13)
                  EXECUTE FUNCTION poison()";
    world.sql.batch_execute(poison).await.unwrap();
    let spends = (0..60).map(|number| {
        let amount = if number == 20 || number == 41 { 13 } else { 1 };
        let path = format!("/v1/users/u_{}/spends", number % 2 + 1);
        let world = &world;
        async move { world.command(&new_key(), &path, json!({"amount": amount})).await }
    });
    let answers = join_all(spends).await;
    for number in [20, 41] {
        answers[number].refused(500, "internal", None);
    }
    assert_eq!(statuses(&answers), BTreeMap::from([(201, 58), (500, 2)]));
    assert_eq!((world.available("u_1").await, world.available("u_2").await), (71, 71));
}

/// Locks the account of `u_1`, as a neighbour would that is stuck.
async fn lock(world: &World) {
    let account = ledger::ids::Owner::User("u_1".into()).account_id().0;
    let sql = format!("BEGIN; SELECT FROM account WHERE account_id = '{account}' FOR UPDATE");
    world.sql.batch_execute(&sql).await.unwrap();
}

/// A stuck account holds up whoever wants that one, and for a moment those who came with it; nobody loses anything.
#[tokio::test]
async fn a_locked_account_does_no_harm_to_its_neighbours() {
    let world = world_with(100).await;
    for user in ["u_2", "u_3"] {
        world.register(user).await;
        world.give(user, 100).await;
    }
    lock(&world).await;
    let spends = (0..30).map(|number| {
        let path = format!("/v1/users/u_{}/spends", number % 3 + 1);
        let world = &world;
        async move { world.command(&new_key(), &path, json!({"amount": 1})).await }
    });
    let answers = join_all(spends).await;
    world.sql.batch_execute("COMMIT").await.unwrap();
    for (number, answer) in answers.iter().enumerate() {
        if number % 3 == 0 {
            answer.refused(409, "idempotency_key_in_flight", None);
        } else {
            answer.is(StatusCode::CREATED);
        }
    }
    assert_eq!(world.available("u_1").await, 100);
    assert_eq!((world.available("u_2").await, world.available("u_3").await), (90, 90));
}

/// Far more at once than can wait, on an account that is held up: whoever is told to come again does, under the same key,
/// and everything is done once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_is_served_in_the_end() {
    const COMMANDS: usize = 2700;
    let world = world_with(10_000).await;
    lock(&world).await;
    let unlocking = async {
        let other = world.other_sql().await;
        wait_for("a batch at the lock", async || {
            let waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
            (!other.query(waiting, &[]).await.unwrap().is_empty()).then_some(())
        })
        .await;
        world.sql.batch_execute("COMMIT").await.unwrap();
    };
    let spends = join_all((0..COMMANDS).map(|number| {
        let (world, key) = (&world, format!("crowd {number}"));
        async move {
            loop {
                let answer = world.command(&key, SPENDS, json!({"amount": 1})).await;
                if answer.status == StatusCode::CREATED {
                    return answer;
                }
                assert!([409, 503].contains(&answer.status.as_u16()), "{answer:?}");
                assert!(answer.headers.contains_key(header::RETRY_AFTER), "{answer:?}");
                tokio::task::yield_now().await;
            }
        }
    }));
    let (spends, ()) = tokio::join!(spends, unlocking);
    let distinct: BTreeSet<_> =
        spends.iter().map(|answer| answer.json()["id"].to_string()).collect();
    assert_eq!(distinct.len(), COMMANDS);
    assert_eq!(world.available("u_1").await, 10_000 - i64::try_from(COMMANDS).unwrap());
}

/// The connections break while spends are under way: nobody knows what became of them, and the keys find out.
#[tokio::test]
async fn what_became_of_a_broken_connection_is_found_out_by_its_key() {
    let world = world_with(100).await;
    lock(&world).await;
    let breaking = async {
        let other = world.other_sql().await;
        wait_for("a broken connection", async || {
            let broken = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                          WHERE datname = current_database() AND wait_event_type = 'Lock'";
            (!other.query(broken, &[]).await.unwrap().is_empty()).then_some(())
        })
        .await;
        world.sql.batch_execute("COMMIT").await.unwrap();
    };
    let spends = (0..10).map(|number| {
        let (world, key) = (&world, format!("broken {number}"));
        async move { world.command(&key, SPENDS, json!({"amount": 1})).await }
    });
    let (answers, ()) = tokio::join!(join_all(spends), breaking);
    for answer in &answers {
        let refused = answer.refused(503, "outcome_unknown", None);
        assert!(answer.headers.contains_key(header::RETRY_AFTER), "{refused}");
    }
    for number in 0..10 {
        let key = format!("broken {number}");
        let body = json!({"amount": 1});
        let answer = wait_for("the database again", async || {
            let answer = world.command(&key, SPENDS, body.clone()).await;
            (answer.status != StatusCode::SERVICE_UNAVAILABLE).then_some(answer)
        });
        answer.await.is(StatusCode::CREATED);
    }
    assert_eq!(world.available("u_1").await, 90);
}
