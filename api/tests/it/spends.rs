//! Spending, giving back, granting, freezing: what each answers, and what each refuses.

use http::{Method, StatusCode};
use jiff::SignedDuration;
use ledger::ids::{GrantId, Owner, PostingId};
use serde_json::{Value, json};
use store::keys::KeyRole;

use crate::support::{NOW, World, new_key};

const SPENDS: &str = "/v1/users/u_1/spends";
const GRANTS: &str = "/v1/users/u_1/grants";

/// The outward id of a grant of `u_1`.
fn grant_id(seq: i64) -> String {
    let account = Owner::User("u_1".into()).account_id();
    GrantId(PostingId { account, unit: "credits".into(), seq }).to_string()
}

async fn spend(world: &World, amount: i64) -> Value {
    world.command(&new_key(), SPENDS, json!({"amount": amount})).await.is(StatusCode::CREATED)
}

async fn grant_until(world: &World, amount: i64, expires_at: &str) -> Value {
    let body = json!({"amount": amount, "reason": "a campaign", "expires_at": expires_at});
    world.command(&new_key(), GRANTS, body).await.is(StatusCode::CREATED)
}

#[tokio::test]
async fn a_grant_is_answered_with_what_it_is() {
    let world = World::new().await;
    world.register("u_1").await;
    let body = json!({
        "amount": 50, "reason": "for the delay", "expires_at": "2026-12-24T00:00:00+01:00", "priority": -1,
    });
    let granted = world.command("g", GRANTS, body).await.is(StatusCode::CREATED);
    let expected = json!({
        "object": "grant", "id": grant_id(1), "user": "u_1", "unit": "credits", "amount": 50, "granted": 50,
        "remaining": 50, "held": 0, "open": true, "priority": -1, "expires": "2026-12-23T23:00:00Z", "payment": null,
        "line": null, "reason": "for the delay", "seq": 1, "created": NOW,
        "balance": {"available": 50, "held": 0, "posted": 50, "debt": 0},
    });
    assert_eq!(granted, expected);
    let listed = world.get(GRANTS).await.ok();
    assert_eq!(
        (&listed["data"][0]["id"], &listed["data"][0]["granted"]),
        (&json!(grant_id(1)), &json!(50))
    );
    let postings = world.get("/v1/users/u_1/postings").await.ok();
    assert_eq!(
        (&postings["data"][0]["contra"], &postings["data"][0]["amount"]),
        (&json!("promo"), &json!(50))
    );
}

#[tokio::test]
async fn a_spend_is_answered_with_what_it_drew_from() {
    let world = World::new().await;
    world.register("u_1").await;
    world.give("u_1", 100).await;
    grant_until(&world, 30, "2026-12-24T00:00:00Z").await;
    let body = json!({"amount": 42, "description": "a picture", "metadata": {"job": "7"}});
    let spent = world.command("s", SPENDS, body).await.is(StatusCode::CREATED);
    let id = spent["id"].as_str().unwrap();
    assert!(id.starts_with("spd_") && id.len() == 36, "{id}");
    let expected = json!({
        "object": "spend", "id": id, "user": "u_1", "unit": "credits", "amount": 42, "description": "a picture",
        "metadata": {"job": "7"}, "hold": null, "reversed": false,
        "grants": [{"grant": grant_id(1), "amount": 12}, {"grant": grant_id(2), "amount": 30}],
        "seq": 3, "created": NOW, "balance": {"available": 88, "held": 0, "posted": 88, "debt": 0},
    });
    assert_eq!(spent, expected);
    assert_eq!(world.available("u_1").await, 88);
    let mut shown = world.get(&format!("/v1/spends/{id}")).await.ok();
    shown["balance"] = expected["balance"].clone();
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn units_are_kept_apart() {
    let world = World::new().await;
    world.register("u_1").await;
    world.give("u_1", 5).await;
    let seats = json!({"amount": 3, "unit": "seats", "reason": "plan"});
    world.command(&new_key(), GRANTS, seats).await.is(StatusCode::CREATED);
    let spend = json!({"amount": 4, "unit": "seats"});
    let refused = world.command(&new_key(), SPENDS, spend).await;
    assert_eq!(refused.refused(402, "insufficient_credits", Some("amount"))["available"], 3);
    let spend = json!({"amount": 3, "unit": "seats"});
    let spent = world.command(&new_key(), SPENDS, spend).await.is(StatusCode::CREATED);
    assert_eq!((&spent["unit"], &spent["balance"]["available"]), (&json!("seats"), &json!(0)));
    assert_eq!(world.available("u_1").await, 5);
    let unheard_of = json!({"amount": 1, "unit": "gpu_seconds"});
    let refused = world.command(&new_key(), SPENDS, unheard_of).await;
    assert_eq!(refused.refused(402, "insufficient_credits", Some("amount"))["available"], 0);
}

#[tokio::test]
async fn what_is_no_amount_is_refused_by_name() {
    let world = World::new().await;
    world.register("u_1").await;
    world.give("u_1", 10).await;
    let headers = [("idempotency-key", "k"), ("content-type", "application/json")];
    for amount in ["1.5", "\"1\"", "0", "-1", "9223372036854775808", "1e0", "1.0", "true", "[]"] {
        for (path, more) in
            [(SPENDS, ""), ("/v1/users/u_1/holds", ""), (GRANTS, r#","reason":"x""#)]
        {
            let answer =
                world.command_with(&headers, path, format!(r#"{{"amount":{amount}{more}}}"#)).await;
            answer.refused(400, "parameter_invalid", Some("amount"));
        }
    }
    for body in ["{}", r#"{"amount":null}"#] {
        let answer = world.command_with(&headers, SPENDS, body).await;
        let code = if body == "{}" { "parameter_missing" } else { "parameter_invalid" };
        answer.refused(400, code, Some("amount"));
    }
    // More than anybody has is no mistake of form.
    let most = json!({"amount": i64::MAX});
    let refused = world.command("k", SPENDS, most.clone()).await;
    assert_eq!(refused.refused(402, "insufficient_credits", Some("amount"))["available"], 10);
    let mut grant = most;
    grant["reason"] = json!("x");
    world.command("k", GRANTS, grant).await.refused(400, "parameter_invalid", Some("amount"));
    assert_eq!(world.available("u_1").await, 10);
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_name() {
    let world = World::new().await;
    world.register("u_1").await;
    let invalid = "parameter_invalid";
    for (path, body, code, param) in [
        (SPENDS, json!({"amount": 1, "credits": 1}), "parameter_unknown", "credits"),
        (SPENDS, json!({"amount": 1, "expires_in": 1}), "parameter_unknown", "expires_in"),
        (SPENDS, json!({"amount": 1, "unit": ""}), invalid, "unit"),
        (SPENDS, json!({"amount": 1, "unit": "a b"}), invalid, "unit"),
        (SPENDS, json!({"amount": 1, "unit": "u".repeat(41)}), invalid, "unit"),
        (SPENDS, json!({"amount": 1, "description": "d".repeat(501)}), invalid, "description"),
        (SPENDS, json!({"amount": 1, "description": "\u{7}"}), invalid, "description"),
        (SPENDS, json!({"amount": 1, "metadata": {"k": "v".repeat(501)}}), invalid, "metadata.k"),
        (SPENDS, json!({"amount": 1, "metadata": {"k": 1}}), invalid, "metadata.k"),
        (GRANTS, json!({"amount": 1}), "parameter_missing", "reason"),
        (GRANTS, json!({"amount": 1, "reason": " "}), invalid, "reason"),
        (GRANTS, json!({"amount": 1, "reason": "x", "priority": 40000}), invalid, "priority"),
        (GRANTS, json!({"amount": 1, "reason": "x", "expires_at": "soon"}), invalid, "expires_at"),
        (GRANTS, json!({"amount": 1, "reason": "x", "expires_at": NOW}), invalid, "expires_at"),
        ("/v1/spends/spd_1/reverse", json!({"expired": "keep"}), invalid, "expired"),
        ("/v1/users/u_1/spends?dry_run=1", json!({"amount": 1}), "parameter_unknown", "dry_run"),
    ] {
        world.command("k", path, body).await.refused(400, code, Some(param));
    }
    let user_unknown = world.command("k", "/v1/users/u_2/spends", json!({"amount": 1})).await;
    user_unknown.refused(404, "user_not_found", Some("user"));
    let user_unknown =
        world.command("k", "/v1/users/u_2/grants", json!({"amount": 1, "reason": "x"})).await;
    user_unknown.refused(404, "user_not_found", Some("user"));
    let plain = [("idempotency-key", "k"), ("content-type", "text/plain")];
    let answer = world.command_with(&plain, SPENDS, r#"{"amount":1}"#).await;
    answer.refused(415, "unsupported_media_type", None);
    let written = world.sql.query_one("SELECT count(*) FROM command", &[]).await.unwrap();
    assert_eq!(written.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_refusal_says_what_is_available_and_moves_nothing() {
    let world = World::new().await;
    world.register("u_1").await;
    world.give("u_1", 5).await;
    let refused = world.command("k", SPENDS, json!({"amount": 6})).await;
    assert_eq!(refused.refused(402, "insufficient_credits", Some("amount"))["available"], 5);
    assert_eq!(world.available("u_1").await, 5);
    assert_eq!(spend(&world, 5).await["balance"]["available"], 0);
}

#[tokio::test]
async fn a_spend_is_given_back_once_to_the_grants_that_it_drew_from() {
    let world = World::new().await;
    world.register("u_1").await;
    world.give("u_1", 10).await;
    grant_until(&world, 10, "2026-12-24T00:00:00Z").await;
    let spent = spend(&world, 15).await;
    let id = spent["id"].as_str().unwrap();
    let reverse = format!("/v1/spends/{id}/reverse");
    let given_back = world.command("r", &reverse, json!({})).await.is(StatusCode::CREATED);
    let expected = json!({
        "object": "reversal", "spend": id, "user": "u_1", "unit": "credits", "amount": 15, "expired": "lapse",
        "lapsed": 0, "grants": [{"grant": grant_id(1), "amount": 5}, {"grant": grant_id(2), "amount": 10}],
        "seq": 4, "created": NOW, "balance": {"available": 20, "held": 0, "posted": 20, "debt": 0},
    });
    assert_eq!(given_back, expected);
    assert_eq!(world.get(&format!("/v1/spends/{id}")).await.ok()["reversed"], true);
    world.command("r2", &reverse, json!({})).await.refused(409, "conflict", None);
    let none = [("idempotency-key", "r")];
    assert!(world.command_with(&none, &reverse, "").await.is_replayed());
    assert_eq!(world.available("u_1").await, 20);
    for nothing in ["spd_00000000000070008000000000000000", "spd_1", "hld_1", "x"] {
        let path = format!("/v1/spends/{nothing}");
        world.command("r3", &format!("{path}/reverse"), json!({})).await.refused(
            404,
            "spend_not_found",
            None,
        );
        world.get(&path).await.refused(404, "spend_not_found", None);
    }
}

#[tokio::test]
async fn what_expired_since_it_was_spent_lapses_or_is_renewed() {
    let world = World::new().await;
    world.register("u_1").await;
    world.give("u_1", 4).await;
    grant_until(&world, 10, "2026-11-21T11:00:00Z").await;
    // The first takes 6 of what ends; the second the 4 that are left of it, and 2 that do not end.
    let (first, second) = (spend(&world, 6).await, spend(&world, 6).await);
    world.hands.advance(SignedDuration::from_hours(2));
    let reverse = |spent: &Value| format!("/v1/spends/{}/reverse", spent["id"].as_str().unwrap());
    let lapsed = world.command("r1", &reverse(&first), json!({})).await.is(StatusCode::CREATED);
    assert_eq!(
        (&lapsed["lapsed"], &lapsed["balance"]["available"]),
        (&json!(6), &json!(2)),
        "{lapsed}"
    );
    let renew = json!({"expired": "renew", "expires_at": "2027-01-01T00:00:00Z"});
    let renewed = world.command("r2", &reverse(&second), renew).await.is(StatusCode::CREATED);
    assert_eq!(
        (&renewed["lapsed"], &renewed["balance"]["available"]),
        (&json!(0), &json!(8)),
        "{renewed}"
    );
    let newest = &world.get(GRANTS).await.ok()["data"][0];
    assert_eq!(
        (&newest["granted"], &newest["expires"]),
        (&json!(4), &json!("2027-01-01T00:00:00Z"))
    );
}

/// vm0#10299.
#[tokio::test]
async fn expired_credits_cannot_be_spent_from_the_instant_on() {
    let world = World::new().await;
    world.register("u_1").await;
    grant_until(&world, 10, "2026-11-21T11:00:00Z").await;
    world.hands.set("2026-11-21T10:59:59.999999Z".parse().unwrap());
    spend(&world, 1).await;
    world.hands.set("2026-11-21T11:00:00Z".parse().unwrap());
    let refused = world.command(&new_key(), SPENDS, json!({"amount": 1})).await;
    assert_eq!(refused.refused(402, "insufficient_credits", Some("amount"))["available"], 0);
    assert_eq!(world.available("u_1").await, 0);
}

/// fountain#1126.
#[tokio::test]
async fn expiry_leaves_what_was_paid_for_alone() {
    let world = World::new().await;
    world.register("u_1").await;
    world.give("u_1", 100).await;
    grant_until(&world, 10, "2026-11-21T11:00:00Z").await;
    spend(&world, 4).await;
    world.hands.advance(SignedDuration::from_hours(2));
    assert_eq!(spend(&world, 100).await["balance"]["available"], 0);
}

/// lago-api#5870.
#[tokio::test]
async fn a_top_up_that_is_repeated_counts_once() {
    let world = World::new().await;
    world.register("u_1").await;
    let top_up = json!({"amount": 100, "reason": "invoice 7"});
    let first = world.command("invoice 7", GRANTS, top_up.clone()).await;
    first.is(StatusCode::CREATED);
    let again = world.command("invoice 7", GRANTS, top_up).await;
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
    assert_eq!(world.available("u_1").await, 100);
}

#[tokio::test]
async fn a_frozen_account_spends_nothing_until_it_is_thawed() {
    let world = World::new().await;
    world.register("u_1").await;
    world.give("u_1", 10).await;
    let hold = world.command("h", "/v1/users/u_1/holds", json!({"amount": 4})).await;
    let hold = hold.is(StatusCode::CREATED)["id"].as_str().unwrap().to_owned();
    let frozen = staff(&world, "f", "freeze", json!({"reason": "stolen card"})).await;
    let expected = json!({
        "object": "freeze", "user": "u_1", "unit": "credits", "frozen": true, "reason": "stolen card", "seq": 3,
        "created": NOW, "balance": {"available": 6, "held": 4, "posted": 10, "debt": 0},
    });
    assert_eq!(frozen, expected);
    world.command("s", SPENDS, json!({"amount": 1})).await.refused(403, "account_frozen", None);
    let holds = "/v1/users/u_1/holds";
    world.command("h2", holds, json!({"amount": 1})).await.refused(403, "account_frozen", None);
    // What was begun may be ended, and credits still come in.
    world.command("c", &format!("/v1/holds/{hold}/capture"), json!({})).await.is(StatusCode::OK);
    world.give("u_1", 1).await;
    assert_eq!(staff(&world, "t", "thaw", json!({"reason": "his own"})).await["frozen"], false);
    world.command("s", SPENDS, json!({"amount": 7})).await.is(StatusCode::CREATED);
}

#[tokio::test]
async fn an_overdraft_is_the_floor() {
    let world = World::new().await;
    world.register("u_1").await;
    world.give("u_1", 10).await;
    let limit = staff(&world, "o", "overdraft", json!({"limit": 5})).await;
    assert_eq!((&limit["object"], &limit["limit"]), (&json!("overdraft"), &json!(5)));
    let refused = world.command("s", SPENDS, json!({"amount": 16})).await;
    assert_eq!(refused.refused(402, "insufficient_credits", Some("amount"))["available"], 10);
    let spent = world.command("s", SPENDS, json!({"amount": 15})).await.is(StatusCode::CREATED);
    assert_eq!(spent["balance"], json!({"available": 0, "held": 0, "posted": -5, "debt": 5}));
    assert_eq!(spent["grants"], json!([{"grant": grant_id(1), "amount": 10}]));
    // What comes in pays what is owed first.
    world.give("u_1", 7).await;
    assert_eq!(world.available("u_1").await, 2);
    let answer = staff_asks(&world, "o2", "overdraft", json!({"limit": -1})).await;
    answer.refused(400, "parameter_invalid", Some("limit"));
}

async fn staff_asks(world: &World, key: &str, act: &str, body: Value) -> crate::support::Answer {
    let path = format!("/v1/users/u_1/{act}");
    world.command_as(KeyRole::Admin, key, &path, body).await
}

async fn staff(world: &World, key: &str, act: &str, body: Value) -> Value {
    staff_asks(world, key, act, body).await.is(StatusCode::OK)
}

#[tokio::test]
async fn looking_is_not_spending() {
    let world = World::new().await;
    let answer = world.ask(KeyRole::Admin, Method::GET, SPENDS, None).await;
    answer.refused(405, "method_not_allowed", None);
    let answer = world.ask(KeyRole::Read, Method::POST, SPENDS, Some(json!({"amount": 1}))).await;
    answer.refused(403, "forbidden", None);
}
