//! Users.

use http::Method;
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
    assert_eq!(
        (&data[0], &data[3]),
        (&json!({"id": "u_1", "position": 1}), &json!({"id": "u_1", "position": 2}))
    );
    let refused: Vec<_> = [1, 2, 4, 5, 6].iter().map(|n| &data[*n]["error"]).collect();
    let params: Vec<_> = refused.iter().map(|error| error["param"].as_str().unwrap()).collect();
    assert_eq!(params, ["user", "nme", "id", "email", "id"], "{answer}");
    assert!(refused.iter().all(|error| error["detail"].is_string()), "{answer}");
    // The second line of a user builds on the first one.
    let shown = world.get("/v1/users/u_1").await.ok();
    assert_eq!((&shown["email"], &shown["name"]), (&json!("a@example.com"), &json!("Ada")));
    assert_eq!(shown["position"], 2);
    // The same again is no news.
    let again = json!({"users": [{"id": "u_1", "name": "Ada"}]});
    let answer = world.post("/v1/users", again).await.ok();
    assert_eq!(answer["data"], json!([{"id": "u_1", "position": 2}]));
    let events = world.sql.query_one("SELECT count(*) FROM event", &[]).await.unwrap();
    assert_eq!(events.get::<_, i64>(0), 2);
    for users in [json!([]), json!(vec![json!({"id": "u_1"}); 257])] {
        let answer = world.post("/v1/users", json!({ "users": users })).await;
        answer.refused(400, "parameter_invalid", Some("users"));
    }
}
