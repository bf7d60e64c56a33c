//! Holds: what each step answers and refuses, and that none of them keeps credits for ever.

use http::StatusCode;
use jiff::SignedDuration;
use ledger::ids::{GrantId, Owner, PostingId};
use serde_json::{Value, json};

use crate::support::{NOW, World, new_key};

const HOLDS: &str = "/v1/users/u_1/holds";
const SPENDS: &str = "/v1/users/u_1/spends";

/// A user with so many credits.
async fn world_with(amount: i64) -> World {
    let world = World::new().await;
    world.register("u_1").await;
    world.give("u_1", amount).await;
    world
}

/// The outward id of the grant that the world begins with.
fn grant_id() -> String {
    let account = Owner::User("u_1".into()).account_id();
    GrantId(PostingId { account, unit: "credits".into(), seq: 1 }).to_string()
}

/// A new hold's id.
async fn hold(world: &World, body: Value) -> String {
    let held = world.command(&new_key(), HOLDS, body).await.is(StatusCode::CREATED);
    held["id"].as_str().unwrap().to_owned()
}

fn capture(id: &str) -> String {
    format!("/v1/holds/{id}/capture")
}

fn release(id: &str) -> String {
    format!("/v1/holds/{id}/release")
}

#[tokio::test]
async fn a_part_is_captured_and_the_rest_released() {
    let world = world_with(100).await;
    let body = json!({
        "amount": 40, "expires_in": 600, "description": "a film", "metadata": {"job": "7"},
    });
    let held = world.command("h", HOLDS, body).await.is(StatusCode::CREATED);
    let id = held["id"].as_str().unwrap();
    assert!(id.starts_with("hld_") && id.len() == 36, "{id}");
    let mut expected = json!({
        "object": "hold", "id": id, "user": "u_1", "unit": "credits", "amount": 40, "status": "open", "captured": 0,
        "spend": null, "description": "a film", "metadata": {"job": "7"},
        "grants": [{"grant": grant_id(), "amount": 40}], "expires": "2026-11-21T10:10:00Z", "seq": 2, "created": NOW,
        "closed": null, "balance": {"available": 60, "held": 40, "posted": 100, "debt": 0},
    });
    assert_eq!(held, expected);
    assert_eq!(shown(&world, id, &held).await, expected);

    world.hands.advance(SignedDuration::from_mins(1));
    let captured = world.command("c", &capture(id), json!({"amount": 30})).await.is(StatusCode::OK);
    let spend = captured["spend"].as_str().unwrap();
    expected["status"] = json!("captured");
    expected["captured"] = json!(30);
    expected["spend"] = json!(spend);
    expected["grants"] = json!([{"grant": grant_id(), "amount": 30}]);
    expected["seq"] = json!(3);
    expected["closed"] = json!("2026-11-21T10:01:00Z");
    expected["balance"] = json!({"available": 70, "held": 0, "posted": 70, "debt": 0});
    assert_eq!(captured, expected);
    assert_eq!(shown(&world, id, &captured).await, expected);
    assert_eq!(world.available("u_1").await, 70);

    let spent = world.get(&format!("/v1/spends/{spend}")).await.ok();
    let seen = (&spent["hold"], &spent["amount"], &spent["description"], &spent["reversed"]);
    assert_eq!(seen, (&json!(id), &json!(30), &json!("a film"), &json!(false)));
    let reverse = format!("/v1/spends/{spend}/reverse");
    world.command("r", &reverse, json!({})).await.is(StatusCode::CREATED);
    assert_eq!(world.available("u_1").await, 100);
}

/// A hold as GET shows it, with the balance of the command that it is compared with.
async fn shown(world: &World, id: &str, answered: &Value) -> Value {
    let mut shown = world.get(&format!("/v1/holds/{id}")).await.ok();
    assert_eq!(shown.get("balance"), None);
    shown["balance"] = answered["balance"].clone();
    shown
}

#[tokio::test]
async fn a_capture_without_an_amount_takes_all_and_a_release_nothing() {
    let world = world_with(10).await;
    let first = hold(&world, json!({"amount": 4})).await;
    let second = hold(&world, json!({"amount": 5})).await;
    assert_eq!(world.available("u_1").await, 1);
    // Neither needs a body.
    let key = |key| [("idempotency-key", key)];
    let captured = world.command_with(&key("c"), &capture(&first), "").await.is(StatusCode::OK);
    assert_eq!((&captured["status"], &captured["captured"]), (&json!("captured"), &json!(4)));
    let released = world.command_with(&key("r"), &release(&second), "").await.is(StatusCode::OK);
    assert_eq!((&released["status"], &released["captured"]), (&json!("released"), &json!(0)));
    assert_eq!(released["balance"], json!({"available": 6, "held": 0, "posted": 6, "debt": 0}));
    assert_eq!(shown(&world, &second, &released).await, released);
}

#[tokio::test]
async fn a_hold_ends_once() {
    let world = world_with(10).await;
    let captured = hold(&world, json!({"amount": 2})).await;
    world.command("c", &capture(&captured), json!({})).await.is(StatusCode::OK);
    let released = hold(&world, json!({"amount": 3})).await;
    world.command("r", &release(&released), json!({})).await.is(StatusCode::OK);
    for (id, status) in [(captured, "captured"), (released, "released")] {
        for path in [capture(&id), release(&id)] {
            let refused = world.command(&new_key(), &path, json!({})).await;
            assert_eq!(refused.refused(409, "conflict", None)["hold_status"], status);
        }
    }
    assert_eq!(world.available("u_1").await, 8);
}

#[tokio::test]
async fn no_more_is_held_than_available_nor_captured_than_held() {
    let world = world_with(10).await;
    let refused = world.command("h", HOLDS, json!({"amount": 11})).await;
    assert_eq!(refused.refused(402, "insufficient_credits", Some("amount"))["available"], 10);
    let id = hold(&world, json!({"amount": 6})).await;
    let refused = world.command("h2", HOLDS, json!({"amount": 5})).await;
    assert_eq!(refused.refused(402, "insufficient_credits", Some("amount"))["available"], 4);
    let refused = world.command("s", SPENDS, json!({"amount": 5})).await;
    assert_eq!(refused.refused(402, "insufficient_credits", Some("amount"))["available"], 4);
    let refused = world.command("c", &capture(&id), json!({"amount": 7})).await;
    refused.refused(400, "parameter_invalid", Some("amount"));
    // Nothing was changed by what was refused.
    world.command("c", &capture(&id), json!({"amount": 6})).await.is(StatusCode::OK);
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_name() {
    let world = world_with(10).await;
    let invalid = "parameter_invalid";
    for (path, body, code, param) in [
        (HOLDS, json!({"amount": 1, "expires_in": 0}), invalid, "expires_in"),
        (HOLDS, json!({"amount": 1, "expires_in": -1}), invalid, "expires_in"),
        (HOLDS, json!({"amount": 1, "expires_in": 2_592_001}), invalid, "expires_in"),
        (HOLDS, json!({"amount": 1, "expires_in": 1.5}), invalid, "expires_in"),
        (HOLDS, json!({"amount": 1, "expires_at": NOW}), "parameter_unknown", "expires_at"),
        (HOLDS, json!({"amount": 1, "unit": " "}), invalid, "unit"),
        (&capture("hld_1"), json!({"amount": 0}), invalid, "amount"),
        (&capture("hld_1"), json!({"all": true}), "parameter_unknown", "all"),
        (&release("hld_1"), json!({"amount": 1}), "parameter_unknown", "amount"),
    ] {
        world.command("k", path, body).await.refused(400, code, Some(param));
    }
    for nothing in ["hld_00000000000070008000000000000000", "hld_1", "spd_1", "x"] {
        for path in [capture(nothing), release(nothing)] {
            world.command("k", &path, json!({})).await.refused(404, "hold_not_found", None);
        }
        world.get(&format!("/v1/holds/{nothing}")).await.refused(404, "hold_not_found", None);
    }
    let spent = world.command("s", SPENDS, json!({"amount": 1})).await.is(StatusCode::CREATED);
    let disguised = spent["id"].as_str().unwrap().replace("spd_", "hld_");
    world.command("k", &release(&disguised), json!({})).await.refused(404, "hold_not_found", None);
}

#[tokio::test]
async fn a_hold_lasts_an_hour_unless_it_says_otherwise() {
    let world = world_with(10).await;
    let held = world.command("h", HOLDS, json!({"amount": 1})).await.is(StatusCode::CREATED);
    assert_eq!(held["expires"], "2026-11-21T11:00:00Z");
    let longest = json!({"amount": 1, "expires_in": 30 * 24 * 60 * 60});
    let held = world.command("h2", HOLDS, longest).await.is(StatusCode::CREATED);
    assert_eq!(held["expires"], "2026-12-21T10:00:00Z");
}

/// blnk#181, eliza#11493: the job died, and nobody releases what it held.
#[tokio::test]
async fn a_hold_is_never_stranded() {
    let world = world_with(10).await;
    let id = hold(&world, json!({"amount": 10, "expires_in": 60})).await;
    world.hands.advance(SignedDuration::from_secs(59));
    let refused = world.command("s", SPENDS, json!({"amount": 10})).await;
    assert_eq!(refused.refused(402, "insufficient_credits", Some("amount"))["available"], 0);
    world.hands.advance(SignedDuration::from_secs(1));
    // No process came by to end it; the deadline alone frees what it held.
    assert_eq!(world.get(&format!("/v1/holds/{id}")).await.ok()["status"], "expired");
    world.command("s", SPENDS, json!({"amount": 10})).await.is(StatusCode::CREATED);
    let ended = world.get(&format!("/v1/holds/{id}")).await.ok();
    assert_eq!(
        (&ended["status"], &ended["closed"]),
        (&json!("expired"), &json!("2026-11-21T10:01:00Z"))
    );
    for path in [capture(&id), release(&id)] {
        world.command(&new_key(), &path, json!({})).await.refused(409, "conflict", None);
    }
}

#[tokio::test]
async fn a_capture_after_the_deadline_takes_nothing() {
    let world = world_with(10).await;
    let id = hold(&world, json!({"amount": 10, "expires_in": 60})).await;
    world.hands.advance(SignedDuration::from_secs(60));
    world.command("c", &capture(&id), json!({})).await.refused(409, "conflict", None);
    assert_eq!(world.available("u_1").await, 10);
}

/// What a job reserved stays reserved for it, also when its grant runs out of time meanwhile; what it does not take has
/// run out then.
#[tokio::test]
async fn a_hold_outlives_its_grant() {
    let world = World::new().await;
    world.register("u_1").await;
    let grant = json!({"amount": 10, "reason": "a campaign", "expires_at": "2026-11-21T10:30:00Z"});
    world.command("g", "/v1/users/u_1/grants", grant).await.is(StatusCode::CREATED);
    let id = hold(&world, json!({"amount": 8})).await;
    world.hands.advance(SignedDuration::from_mins(45));
    let captured = world.command("c", &capture(&id), json!({"amount": 5})).await.is(StatusCode::OK);
    assert_eq!(captured["balance"], json!({"available": 0, "held": 0, "posted": 0, "debt": 0}));
    assert_eq!(captured["grants"], json!([{"grant": grant_id(), "amount": 5}]));
}
