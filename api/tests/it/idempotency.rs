//! `Idempotency-Key`: one effect and one answer, however often and by however many a command is asked for.

use api::Access;
use futures_util::future::join_all;
use http::StatusCode;
use serde_json::{Value, json};
use store::keys::KeyRole;
use testkit::wait_for;

use crate::support::{Answer, World, make_key, new_key};

const SPENDS: &str = "/v1/users/u_1/spends";

/// A user with so many credits.
async fn world_with(amount: i64) -> World {
    let world = World::new().await;
    world.register("u_1").await;
    world.give("u_1", amount).await;
    world
}

/// How many rows a table has.
async fn count(world: &World, table: &str) -> i64 {
    world.sql.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get(0)
}

#[track_caller]
fn same(first: &Answer, again: &Answer) {
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes), "{again:?}");
    assert_eq!(again.headers["content-type"], first.headers["content-type"]);
    assert!(again.is_replayed());
}

#[tokio::test]
async fn a_repeated_command_gets_the_first_answer_byte_for_byte() {
    let world = world_with(100).await;
    let hold = json!({"amount": 4, "metadata": {"b": "é\u{1F600}\"", "a": ""}});
    let held = world.command("h", "/v1/users/u_1/holds", hold.clone()).await;
    let id = held.is(StatusCode::CREATED)["id"].as_str().unwrap().to_owned();
    let other = world.command("h'", "/v1/users/u_1/holds", hold.clone()).await;
    let other = other.is(StatusCode::CREATED)["id"].as_str().unwrap().to_owned();
    let spent = world.command("s", SPENDS, json!({"amount": 5})).await;
    let spend = spent.is(StatusCode::CREATED)["id"].as_str().unwrap().to_owned();
    let commands = [
        ("c", format!("/v1/holds/{id}/capture"), json!({"amount": 3})),
        ("l", format!("/v1/holds/{other}/release"), json!({})),
        ("g", "/v1/users/u_1/grants".to_owned(), json!({"amount": 7, "reason": "x"})),
        ("r", format!("/v1/spends/{spend}/reverse"), json!({"expired": "renew"})),
    ];
    let mut first = vec![
        ("h", "/v1/users/u_1/holds".to_owned(), hold, held),
        ("s", SPENDS.to_owned(), json!({"amount": 5}), spent),
    ];
    for (key, path, body) in commands {
        let answer = world.command(key, &path, body.clone()).await;
        assert!(answer.status.is_success() && !answer.is_replayed(), "{answer:?}");
        first.push((key, path, body, answer));
    }
    let written = count(&world, "command").await;
    // Whatever happened since: the answer tells of then.
    world.command("z", SPENDS, json!({"amount": 90})).await.is(StatusCode::CREATED);
    for (key, path, body, answer) in &first {
        same(answer, &world.command(key, path, body.clone()).await);
    }
    assert_eq!(count(&world, "command").await, written + 1);
}

#[tokio::test]
async fn a_key_stands_for_one_request() {
    let world = world_with(100).await;
    world.register("u_2").await;
    world.give("u_2", 100).await;
    let spent = world.command("k", SPENDS, json!({"amount": 5, "unit": "credits"})).await;
    spent.is(StatusCode::CREATED);
    for (path, body) in [
        (SPENDS, json!({"amount": 6, "unit": "credits"})),
        (SPENDS, json!({"amount": 5, "unit": "credits", "description": "more"})),
        ("/v1/users/u_2/spends", json!({"amount": 5, "unit": "credits"})),
        ("/v1/users/u_1/holds", json!({"amount": 5, "unit": "credits"})),
    ] {
        world.command("k", path, body).await.refused(422, "idempotency_key_reused", None);
    }
    // How it is written does not matter.
    let headers = [("idempotency-key", " k "), ("content-type", "Application/JSON; charset=utf-8")];
    let spelt = "{\n  \"unit\": \"cr\\u0065dits\",\n  \"amount\": 5\n}";
    same(&spent, &world.command_with(&headers, SPENDS, spelt).await);
    assert_eq!((world.available("u_1").await, world.available("u_2").await), (95, 100));
}

#[tokio::test]
async fn without_a_key_nothing_moves() {
    let world = world_with(10).await;
    let json = ("content-type", "application/json");
    let long = "k".repeat(256);
    let headers: [&[(&str, &str)]; 6] = [
        &[json],
        &[json, ("idempotency-key", "")],
        &[json, ("idempotency-key", " ")],
        &[json, ("idempotency-key", &long)],
        &[json, ("idempotency-key", "a\tb")],
        &[json, ("idempotency-key", "a"), ("idempotency-key", "b")],
    ];
    for headers in headers {
        let answer = world.command_with(headers, SPENDS, r#"{"amount":1}"#).await;
        answer.refused(400, "idempotency_key_invalid", None);
    }
    let longest = "k".repeat(255);
    world.command(&longest, SPENDS, json!({"amount": 1})).await.is(StatusCode::CREATED);
    assert_eq!(world.available("u_1").await, 9);
}

/// An answer is saved if and only if its effect happened.
#[tokio::test]
async fn what_was_refused_may_be_asked_again_under_the_same_key() {
    let world = world_with(5).await;
    let saved = count(&world, "idempotency").await;
    let spend = json!({"amount": 7});
    for _ in 0..2 {
        let refused = world.command("k", SPENDS, spend.clone()).await;
        refused.refused(402, "insufficient_credits", Some("amount"));
    }
    world.command("n", "/v1/users/u_9/spends", json!({"amount": 1})).await.refused(
        404,
        "user_not_found",
        Some("user"),
    );
    assert_eq!(count(&world, "idempotency").await, saved);
    world.give("u_1", 2).await;
    let spent = world.command("k", SPENDS, spend.clone()).await;
    assert!(!spent.is_replayed());
    spent.is(StatusCode::CREATED);
    same(&spent, &world.command("k", SPENDS, spend).await);
    world.register("u_9").await;
    let poor = world.command("n", "/v1/users/u_9/spends", json!({"amount": 1})).await;
    poor.refused(402, "insufficient_credits", Some("amount"));
}

/// Each command is sent five times, by eight clients at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_retries_has_one_effect_each() {
    const COMMANDS: i64 = 40;
    let world = world_with(COMMANDS).await;
    let client = async |client: i64| {
        let mut answers = Vec::new();
        // Each begins with another one, so that all kinds of neighbours meet.
        for turn in 0..COMMANDS * 5 {
            let number = (turn + client * 5) % COMMANDS;
            let key = format!("storm {number}");
            answers.push((number, world.command(&key, SPENDS, json!({"amount": 1})).await));
        }
        answers
    };
    let answers = join_all((0..8).map(client)).await;
    let mut answers: Vec<_> = answers.into_iter().flatten().collect();
    answers.sort_by_key(|(number, _)| *number);
    for same in answers.chunk_by(|one, other| one.0 == other.0) {
        assert_eq!(same.len(), 40);
        let first: Vec<_> = same.iter().filter(|(_, answer)| !answer.is_replayed()).collect();
        assert_eq!(first.len(), 1, "{first:?}");
        for (_, answer) in same {
            assert_eq!(answer.status, StatusCode::CREATED);
            assert_eq!(answer.bytes, first[0].1.bytes);
        }
    }
    assert_eq!(world.available("u_1").await, 0);
    assert_eq!(count(&world, "command").await, COMMANDS + 1);
}

/// What the keys under way in one process do not know of, the database does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_has_one_effect_in_two_processes() {
    const COMMANDS: usize = 30;
    let world = world_with(1000).await;
    let tenants = std::slice::from_ref(&world.tenant);
    let processes = [world.api(tenants, Access::default()), world.api(tenants, Access::default())];
    let commands = (0..COMMANDS * 8).map(|number| {
        let (world, process) = (&world, &processes[number % 2]);
        let key = format!("either {}", number / 8);
        async move { world.command_at(process, &key, SPENDS, json!({"amount": 1})).await }
    });
    let answers = join_all(commands).await;
    for same in answers.chunks(8) {
        let first = same.iter().filter(|answer| !answer.is_replayed());
        assert_eq!(first.count(), 1, "{same:?}");
        for answer in same {
            answer.is(StatusCode::CREATED);
            assert_eq!(answer.bytes, same[0].bytes);
        }
    }
    assert_eq!(world.available("u_1").await, 1000 - i64::try_from(COMMANDS).unwrap());
}

#[tokio::test]
async fn tenants_have_keys_of_their_own() {
    let world = world_with(10).await;
    let other = world.tenant("other").await;
    let insert =
        "INSERT INTO app_user (tenant_id, user_id, first_pos, pos) VALUES ($1, 'u_1', 1, 1)";
    world.sql.execute(insert, &[&other.tenant_id]).await.unwrap();
    let (_, key) = make_key(&world.login, &other, KeyRole::App).await;
    let both = world.api(&[world.tenant.clone(), other], Access::default());
    let headers = [("idempotency-key", "k"), ("content-type", "application/json")];
    let grant = r#"{"amount":7,"reason":"x"}"#;
    let theirs = both.post_raw(&key, &headers, "/v1/users/u_1/grants", grant).await;
    assert_eq!(theirs.is(StatusCode::CREATED)["balance"]["available"], 7);
    let ours = world.command_with(&headers, SPENDS, r#"{"amount":4}"#).await;
    assert_eq!(ours.is(StatusCode::CREATED)["balance"]["available"], 6);
    let spend = ours.json()["id"].as_str().unwrap().to_owned();
    let reverse = format!("/v1/spends/{spend}/reverse");
    both.post_raw(&key, &headers, &reverse, "{}").await.refused(
        422,
        "idempotency_key_reused",
        None,
    );
    let headers = [("idempotency-key", "k2")];
    both.post_raw(&key, &headers, &reverse, "").await.refused(404, "spend_not_found", None);
}

/// Locks the account of `u_1`, as a slow neighbour would; ends with the connection's transaction.
async fn lock(world: &World) {
    world.sql.batch_execute("BEGIN; SELECT FROM account FOR UPDATE").await.unwrap();
}

/// Waits until somebody waits for the lock.
async fn queued(world: &World) {
    let login = world.login.get().await.unwrap();
    drop(login);
    let other = world.other_sql().await;
    wait_for("a batch at the lock", async || {
        let waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        (!other.query(waiting, &[]).await.unwrap().is_empty()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn while_it_is_under_way_others_under_its_key_are_told_so() {
    let world = world_with(10).await;
    lock(&world).await;
    let first = world.command("k", SPENDS, json!({"amount": 1}));
    let second = async {
        queued(&world).await;
        let second = world.command("k", SPENDS, json!({"amount": 1})).await;
        second.refused(409, "idempotency_key_in_flight", None);
        world.sql.batch_execute("COMMIT").await.unwrap();
    };
    let (first, ()) = tokio::join!(first, second);
    // The lock was held for as long as anybody waits for one: it was told to come again, or made it in the end.
    if first.status == StatusCode::CREATED {
        same(&first, &world.command("k", SPENDS, json!({"amount": 1})).await);
    } else {
        assert!([409, 503].contains(&first.status.as_u16()), "{first:?}");
        world.command("k", SPENDS, json!({"amount": 1})).await.is(StatusCode::CREATED);
    }
    assert_eq!(world.available("u_1").await, 9);
}

/// A client that hangs up undoes nothing, and does it once.
#[tokio::test]
async fn a_client_that_leaves_makes_nothing_undone() {
    let world = world_with(10).await;
    lock(&world).await;
    {
        let mut asking = Box::pin(world.command("k", SPENDS, json!({"amount": 4})));
        tokio::select! {
            answer = &mut asking => panic!("the account is locked: {answer:?}"),
            () = queued(&world) => {}
        }
    }
    world.sql.batch_execute("COMMIT").await.unwrap();
    wait_for("the spend", async || (world.available("u_1").await == 6).then_some(())).await;
    let again = world.command("k", SPENDS, json!({"amount": 4})).await;
    assert_eq!(again.is(StatusCode::CREATED)["balance"]["available"], 6);
    assert!(again.is_replayed());
}

/// Clients that leave at any instant, and come back under the same keys.
#[tokio::test]
async fn clients_that_leave_at_any_instant_find_one_effect() {
    const COMMANDS: usize = 60;
    let world = world_with(1000).await;
    let path = SPENDS;
    for number in 0..COMMANDS {
        let key = format!("leave {number}");
        let mut asking = Box::pin(world.command(&key, path, json!({"amount": 1})));
        // So many times it may go on, and then the client is gone.
        for _ in 0..number {
            if futures_util::poll!(&mut asking).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    let mut known: Vec<Value> = Vec::new();
    for number in 0..COMMANDS {
        let key = format!("leave {number}");
        known.push(world.command(&key, path, json!({"amount": 1})).await.is(StatusCode::CREATED));
    }
    known.sort_by_key(|spend| spend["seq"].as_i64());
    known.dedup_by_key(|spend| spend["id"].clone());
    assert_eq!(known.len(), COMMANDS);
    assert_eq!(world.available("u_1").await, 1000 - i64::try_from(COMMANDS).unwrap());
    assert_eq!(count(&world, "posting").await, i64::try_from(COMMANDS).unwrap() + 1);
    let idle = world.sql.query_one(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
        &[],
    );
    assert_eq!(idle.await.unwrap().get::<_, i64>(0), 0);
    world.command(&new_key(), path, json!({"amount": 1})).await.is(StatusCode::CREATED);
}
