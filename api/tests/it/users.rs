//! Users, balances, statements, grants.

use http::Method;
use ledger::decision::Reason;
use ledger::ids::{GrantId, Owner, PostingId};
use rules::reversal::Dispute;
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
async fn a_balance_has_all_its_parts_from_one_moment() {
    let world = World::new().await;
    world.get("/v1/users/u_1/balance").await.refused(404, "user_not_found", Some("user"));
    world.register("u_1").await;
    let zeros = json!({
        "object": "balance", "user": "u_1", "unit": "credits", "available": 0, "held": 0, "pending": 0, "in_review": 0,
        "disputed": 0, "debt": 0, "posted": 0, "expiring_next": null, "as_of": NOW, "position": 1,
    });
    assert_eq!(world.get("/v1/users/u_1/balance").await.ok(), zeros);

    let account = Owner::User("u_1".into()).account_id().0;
    let unclaimed = Owner::Unclaimed("pi_3".into()).account_id().0;
    world.run(&format!(
        "INSERT INTO owner VALUES ($1, '{account}', 1, 'u_1'), ($1, '{unclaimed}', 2, 'pi_3');
         INSERT INTO account (tenant_id, account_id, unit, version, posted, held) VALUES ($1, '{account}', 'credits', 3, 175, 20);
         INSERT INTO credit_grant (tenant_id, account_id, unit, grant_id, priority, expires_at, granted, remaining, held) VALUES
           ($1, '{account}', 'credits', 1, 0, '2026-11-21T10:00:00Z', 50, 25, 0),
           ($1, '{account}', 'credits', 2, 0, '2026-12-24T00:00:00Z', 50, 50, 20),
           ($1, '{account}', 'credits', 3, 0, 'infinity', 100, 100, 0);
         INSERT INTO payment (tenant_id, root_key, owner_account, claimant, first_pos, status, facts) VALUES
           ($1, 'pi_1', '{account}', NULL, 1, 2, '{disputed}'), ($1, 'pi_2', NULL, 'u_1', 1, 1, '{{}}'),
           ($1, 'pi_3', '{unclaimed}', 'u_1', 1, 2, '{{}}'), ($1, 'pi_4', NULL, 'u_2', 1, 1, '{{}}');
         INSERT INTO payment_leg (tenant_id, root_key, line, leg, unit, expected, target, posted) VALUES
           ($1, 'pi_1', 'credits', 1, 'credits', 200, 200, 200), ($1, 'pi_1', 'credits', 3, 'credits', 0, -25, -25),
           ($1, 'pi_2', 'credits', 1, 'credits', 70, 0, 0), ($1, 'pi_2', 'seats', 1, 'seats', 9, 0, 0),
           ($1, 'pi_3', 'credits', 1, 'credits', 90, 90, 90), ($1, 'pi_3', 'credits', 2, 'credits', 0, -10, -10),
           ($1, 'pi_4', 'credits', 1, 'credits', 1000, 0, 0)",
        disputed = disputed(&[(100, Some(false), Some("needs_response"))]),
    ))
    .await;
    let balance = world.get("/v1/users/u_1/balance?unit=credits").await.ok();
    let expected = json!({
        "object": "balance", "user": "u_1", "unit": "credits", "available": 130, "held": 20, "pending": 70,
        "in_review": 80, "disputed": 25, "debt": 0, "posted": 175,
        "expiring_next": {"amount": 30, "at": "2026-12-24T00:00:00Z"}, "as_of": NOW, "position": 1,
    });
    assert_eq!(balance, expected);
    assert_eq!(world.get("/v1/users/u_1/balance?unit=seats").await.ok()["pending"], 9);
    world.get("/v1/users/u_1/balance?as_of=2026-01-01T00:00:00Z").await.refused(
        400,
        "parameter_unknown",
        Some("as_of"),
    );
    world.get("/v1/users/u_1/balance?unit=").await.refused(400, "parameter_invalid", Some("unit"));
}

/// Facts of a payment with these disputes: amount, whether the money came back if it ever went, newest status.
fn disputed(disputes: &[(i64, Option<bool>, Option<&str>)]) -> Value {
    let disputes = disputes.iter().enumerate().map(|(number, (amount, reinstated, status))| {
        let movement = reinstated
            .map(|reinstated| json!({"said_at": 1, "reinstated": reinstated, "amount": amount}));
        let status = status.map(|status| json!([1, status]));
        let dispute = json!({"movement": movement, "status": status});
        (format!("dp_{number}"), dispute)
    });
    json!({"reversals": {"disputes": disputes.collect::<serde_json::Map<_, _>>()}})
}

#[tokio::test]
async fn credits_are_disputed_only_as_long_as_the_dispute_is_open() {
    let world = World::new().await;
    let account = Owner::User("u_1".into()).account_id().0;
    world
        .run(&format!(
            "INSERT INTO owner VALUES ($1, '{account}', 1, 'u_1');
             INSERT INTO payment (tenant_id, root_key, owner_account, first_pos, status, facts)
               VALUES ($1, 'pi_1', '{account}', 1, 2, '{{}}');
             INSERT INTO payment_leg (tenant_id, root_key, line, leg, unit, expected, target, posted) VALUES
               ($1, 'pi_1', 'credits', 1, 'credits', 200, 200, 200), ($1, 'pi_1', 'credits', 3, 'credits', 0, -41, -41)"
        ))
        .await;
    let check = async |facts: Value, expected: i64| {
        world.run(&format!("UPDATE payment SET facts = '{facts}' WHERE tenant_id = $1")).await;
        let balance = world.get("/v1/users/u_1/balance").await.ok();
        assert_eq!(balance["disputed"], expected, "{facts}");
    };
    for status in [
        "needs_response",
        "under_review",
        "warning_needs_response",
        "warning_under_review",
        "a_status_of_tomorrow",
        "warning_closed",
        "won",
        "lost",
        "prevented",
    ] {
        let facts = disputed(&[(100, Some(false), Some(status))]);
        let dispute: Dispute =
            serde_json::from_value(facts["reversals"]["disputes"]["dp_0"].clone()).unwrap();
        check(facts, if dispute.is_open() { 41 } else { 0 }).await;
    }
    check(disputed(&[(100, Some(false), None)]), 41).await;
    // One took nothing, one gave back, one is lost: of what two took, a quarter is the open one's.
    let many = [
        (500, None, Some("needs_response")),
        (500, Some(true), Some("under_review")),
        (300, Some(false), Some("lost")),
        (100, Some(false), Some("under_review")),
    ];
    check(disputed(&many), 10).await;
    check(json!({}), 0).await;
}

#[tokio::test]
async fn statement_and_grants_are_paged_from_the_newest() {
    let world = World::new().await;
    world.register("u_1").await;
    world.register("u_2").await;
    let account = Owner::User("u_1".into()).account_id();
    world.run(&format!(
        "INSERT INTO owner VALUES ($1, '{id}', 1, 'u_1');
         INSERT INTO posting (tenant_id, account_id, unit, seq, contra, amount, balance_after, cause_kind, cause_pos,
                              cause_rev, effect_no, root_key, line, effective_at, recorded_at, hash)
         SELECT $1, '{id}', 'credits', n, 1, 10, n * 10, 1, 1, 0, n, 'pi_' || n, 'credits', '{NOW}', '{NOW}', sha256('x')
         FROM generate_series(1, 5) n;
         INSERT INTO credit_grant (tenant_id, account_id, unit, grant_id, priority, root_key, line, granted, remaining)
         SELECT $1, '{id}', 'credits', n, 0, 'pi_' || n, 'credits', 10, 10 FROM generate_series(1, 5) n",
        id = account.0
    ))
    .await;
    let posting = |seq| PostingId { account, unit: "credits".into(), seq }.to_string();
    let page = world.get("/v1/users/u_1/postings?limit=2").await;
    assert_eq!(page.ids(), [posting(5), posting(4)]);
    let body = page.ok();
    assert_eq!(
        (&body["object"], &body["url"], &body["has_more"]),
        (&json!("list"), &json!("/v1/users/u_1/postings"), &json!(true))
    );
    assert_eq!(body["data"][0]["balance_after"], 50);
    let page = world.get(&format!("/v1/users/u_1/postings?starting_after={}", posting(3))).await;
    assert_eq!(
        (page.ids(), page.ok()["has_more"].as_bool()),
        (vec![posting(2), posting(1)], Some(false))
    );
    let page =
        world.get(&format!("/v1/users/u_1/postings?limit=1&ending_before={}", posting(3))).await;
    assert_eq!((page.ids(), page.ok()["has_more"].as_bool()), (vec![posting(4)], Some(true)));

    let grant = |seq| GrantId(PostingId { account, unit: "credits".into(), seq }).to_string();
    let page =
        world.get(&format!("/v1/users/u_1/grants?limit=3&starting_after={}", grant(5))).await;
    assert_eq!(page.ids(), [grant(4), grant(3), grant(2)]);
    assert_eq!(page.ok()["data"][0]["remaining"], 10);

    let foreign = format!("/v1/users/u_2/postings?starting_after={}", posting(3));
    world.get(&foreign).await.refused(400, "parameter_invalid", Some("starting_after"));
    for cursor in ["pst_1", "x", &grant(3), &posting(3).replace("credits", "seats")] {
        let path = format!("/v1/users/u_1/postings?ending_before={cursor}");
        world.get(&path).await.refused(400, "parameter_invalid", Some("ending_before"));
    }
    world.get("/v1/users/u_9/postings").await.refused(404, "user_not_found", Some("user"));
    world.get("/v1/users/u_9/grants").await.refused(404, "user_not_found", Some("user"));
    assert!(world.get("/v1/users/u_2/grants").await.ids().is_empty());
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
