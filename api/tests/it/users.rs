//! Users.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use http::{Method, StatusCode};
use ledger::decision::Reason;
use serde_json::{Value, json};
use store::keys::KeyRole;
use testkit::wait_for;

use crate::support::{NOW, World};

#[tokio::test]
async fn registering_appends_one_fact_and_says_what_is_known_then() {
    let world = World::new().await;
    let deciding = async {
        let pos = wait_for("the registration", async || {
            let row =
                world.sql.query_opt("SELECT pos FROM event WHERE origin = 3", &[]).await.unwrap();
            row.map(|row| row.get::<_, i64>(0))
        })
        .await;
        world.run(&format!(
            "INSERT INTO app_user (tenant_id, user_id, email, email_verified, metadata, first_pos, pos)
             VALUES ($1, 'u_1', 'a@example.com', true, '{{\"plan\":\"pro\"}}', {pos}, {pos})"
        ))
        .await;
        world.decide(pos, Reason::Registered, None).await;
    };
    let body =
        json!({"email": "a@example.com", "email_verified": true, "metadata": {"plan": "pro"}});
    let (answer, ()) = tokio::join!(world.put("/v1/users/u_1", body.clone()), deciding);
    let expected = json!({
        "object": "user", "id": "u_1", "email": "a@example.com", "email_verified": true, "name": null,
        "metadata": {"plan": "pro"}, "created": NOW, "position": 1,
    });
    assert_eq!(answer.ok(), expected);
    assert_eq!(world.get("/v1/users/u_1").await.ok(), expected);
    // The same again is no news.
    assert_eq!(world.put("/v1/users/u_1", body).await.ok(), expected);
    assert_eq!(world.put("/v1/users/u_1", json!({})).await.ok(), expected);
    let row = world
        .sql
        .query_one(
            "SELECT count(*), min(source_id), min(convert_from(body, 'UTF8')) FROM event",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
    assert!(row.get::<_, &str>(1).starts_with("user:u_1:"));
    assert_eq!(
        serde_json::from_str::<Value>(row.get(2)).unwrap(),
        json!({"object": "tally.event", "type": "tally.user.registered", "user": "u_1",
               "email": "a@example.com", "email_verified": true, "metadata": {"plan": "pro"}})
    );
}

/// The projector does not run here at all.
#[tokio::test]
async fn what_is_told_counts_before_it_is_decided() {
    let world = World::new().await;
    let answer = world
        .put("/v1/users/u_1", json!({"email": "a@example.com", "email_verified": true}))
        .await
        .ok();
    assert_eq!((&answer["email"], &answer["position"]), (&json!("a@example.com"), &json!(1)));
    // Another e-mail is not verified because the one before was; what is not said stays.
    let answer =
        world.put("/v1/users/u_1", json!({"email": "b@example.com", "name": "Bo"})).await.ok();
    assert_eq!(
        (&answer["email"], &answer["email_verified"]),
        (&json!("b@example.com"), &json!(false))
    );
    let answer = world.put("/v1/users/u_1", json!({"email": null})).await.ok();
    assert_eq!((&answer["email"], &answer["name"]), (&json!(null), &json!("Bo")));
    assert_eq!(world.get("/v1/users/u_1").await.ok(), answer);
    assert_eq!(world.get("/v1/users/u_1/balance").await.ok()["available"], 0);
}

#[tokio::test]
async fn a_user_that_cannot_be_is_refused_by_name() {
    let world = World::new().await;
    let fifty_one: serde_json::Map<_, _> = (0..51).map(|n| (n.to_string(), json!(""))).collect();
    let invalid = "parameter_invalid";
    for (body, code, param) in [
        (json!({"email": "nobody"}), invalid, "email"),
        (json!({"email": "a b@example.com"}), invalid, "email"),
        (json!({"email": ""}), invalid, "email"),
        (json!({"email_verified": true}), invalid, "email_verified"),
        (json!({"email_verified": "yes"}), invalid, "email_verified"),
        (json!({"name": ""}), invalid, "name"),
        (json!({"name": "a\u{1b}[0m"}), invalid, "name"),
        (json!({"name": "a\u{0}"}), invalid, "name"),
        (json!({"metadata": fifty_one}), invalid, "metadata"),
        (json!({"metadata": {"k": "v".repeat(501)}}), invalid, "metadata.k"),
        (json!({"metadata": {"k".repeat(41): "v"}}), invalid, "metadata"),
        (json!({"metadata": {"k": 1}}), invalid, "metadata.k"),
        (json!({"credits": 1}), "parameter_unknown", "credits"),
    ] {
        world.put("/v1/users/u_1", body).await.refused(400, code, Some(param));
    }
    for user in ["undefined", "null", "%20u", "a%07", &"x".repeat(256)] {
        world.put(&format!("/v1/users/{user}"), json!({})).await.refused(
            400,
            invalid,
            Some("user"),
        );
    }
    world.put("/v1/users/u_1?dry_run=1", json!({})).await.refused(
        400,
        "parameter_unknown",
        Some("dry_run"),
    );
    world.ask(KeyRole::App, Method::PUT, "/v1/users/u_1", None).await.refused(
        415,
        "unsupported_media_type",
        None,
    );
    let row = world.sql.query_one("SELECT count(*) FROM event", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn many_users_are_told_of_at_once_and_each_is_answered_for() {
    let world = World::new().await;
    let users = json!({"users": [
        {"id": "u_1", "email": "a@example.com", "email_verified": true},
        {"id": "undefined"},
        {"id": "u_2", "nme": "x"},
        {"id": "u_1", "name": "Ada"},
        {"email": "b@example.com"},
        {"id": "u_3", "email": "none"},
        {"id": 7},
    ]});
    let answer = world.post("/v1/users", users).await.ok();
    let data = answer["data"].as_array().unwrap();
    // The second row of a user builds on the first one, and both are one fact.
    let described = json!({"id": "u_1", "position": 1});
    assert_eq!((&data[0], &data[3]), (&described, &described));
    let refused: Vec<_> = [1, 2, 4, 5, 6].iter().map(|n| &data[*n]["error"]).collect();
    let params: Vec<_> = refused.iter().map(|error| error["param"].as_str().unwrap()).collect();
    assert_eq!(params, ["user", "nme", "id", "email", "id"], "{answer}");
    assert!(refused.iter().all(|error| error["detail"].is_string()), "{answer}");
    let shown = world.get("/v1/users/u_1").await.ok();
    assert_eq!((&shown["email"], &shown["name"]), (&json!("a@example.com"), &json!("Ada")));
    // The same again is no news.
    let again = json!({"users": [{"id": "u_1", "name": "Ada"}]});
    let answer = world.post("/v1/users", again).await.ok();
    assert_eq!(answer["data"], json!([described]));
    let events = world.sql.query_one("SELECT count(*) FROM event", &[]).await.unwrap();
    assert_eq!(events.get::<_, i64>(0), 1);
    for users in [json!([]), json!(vec![json!({"id": "u_1"}); 257])] {
        let answer = world.post("/v1/users", json!({ "users": users })).await;
        answer.refused(400, "parameter_invalid", Some("users"));
    }
}

/// What the facts of a user say, in the order of the log, each less what the one before it said.
async fn changes(world: &World, user: &str) -> Vec<BTreeMap<String, Value>> {
    let select = "SELECT body FROM event WHERE starts_with(source_id, $1) ORDER BY pos";
    let rows = world.sql.query(select, &[&format!("user:{user}:")]).await.unwrap();
    let mut before = BTreeMap::from([
        ("object".to_owned(), json!("tally.event")),
        ("type".to_owned(), json!("tally.user.registered")),
        ("user".to_owned(), json!(user)),
        ("email_verified".to_owned(), json!(false)),
        ("metadata".to_owned(), json!({})),
    ]);
    let mut changes = Vec::new();
    for row in rows {
        let fact: BTreeMap<String, Value> = serde_json::from_slice(row.get("body")).unwrap();
        assert!(before.keys().all(|member| fact.contains_key(member)), "{before:?} {fact:?}");
        let is_new = |(member, value): &(&String, &Value)| before.get(*member) != Some(value);
        let news = fact.iter().filter(is_new).map(|(name, value)| (name.clone(), value.clone()));
        changes.push(news.collect());
        before = fact;
    }
    changes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_changes_a_user_at_once_undoes_nothing_that_another_said() {
    let world = World::new().await;
    let said = (0..15).map(|number| match number % 3 {
        0 => ("email", json!(format!("{number}@example.com"))),
        1 => ("name", json!(number.to_string())),
        _ => ("metadata", json!({"n": number.to_string()})),
    });
    let said: Vec<_> = said.collect();
    let answers = join_all(said.iter().enumerate().map(async |(number, (member, value))| {
        if number % 2 == 0 {
            let answer = world.put("/v1/users/u_1", json!({*member: value})).await;
            return answer.status == StatusCode::OK;
        }
        let users =
            json!({"users": [{"id": "u_1", *member: value}, {"id": "u_2", *member: value}]});
        let answer = world.post("/v1/users", users).await.ok();
        answer["data"][0]["position"].is_i64()
    }))
    .await;
    let accepted = said.into_iter().zip(answers).filter(|(_, is_told)| *is_told);
    let mut accepted: Vec<_> =
        accepted.map(|((member, value), _)| BTreeMap::from([(member.to_owned(), value)])).collect();
    let mut told = changes(&world, "u_1").await;
    let order = |one: &BTreeMap<String, Value>| format!("{one:?}");
    accepted.sort_by_key(order);
    told.sort_by_key(order);
    assert_eq!(told, accepted, "one fact for each, which says nothing else anew");
    assert!(accepted.len() > 3, "{accepted:?}");
}

/// A fact that came to nothing never shows, and what is said next is said all the same.
#[tokio::test]
async fn a_change_that_came_to_nothing_is_in_nobodys_way() {
    let world = World::new().await;
    world.put("/v1/users/u_1", json!({"name": "Ada"})).await.ok();
    world.decide(1, Reason::Malformed, None).await;
    world.get("/v1/users/u_1").await.refused(404, "user_not_found", Some("user"));
    let answer = world.put("/v1/users/u_1", json!({"email": "ada@example.com"})).await.ok();
    assert_eq!((&answer["position"], &answer["name"]), (&json!(2), &json!(null)));
    assert_eq!(world.get("/v1/users/u_1").await.ok(), answer);
}
