//! Balances: their parts, their versions, and what they were at an instant.

use futures_util::future::join_all;
use http::{StatusCode, header};
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use ledger::ids::Owner;
use rules::reversal::Dispute;
use serde_json::{Value, json};
use testkit::wait_for;

use crate::support::{NOW, World, new_key};

#[tokio::test]
async fn a_balance_has_all_its_parts_from_one_moment() {
    let world = World::new().await;
    world.get("/v1/users/u_1/balance").await.refused(404, "user_not_found", Some("user"));
    world.register("u_1").await;
    let zeros = json!({
        "object": "balance", "user": "u_1", "unit": "credits", "scale": 0, "available": 0, "held": 0, "pending": 0, "in_review": 0,
        "disputed": 0, "debt": 0, "posted": 0, "expiring_next": null, "seq": 0,
        "as_of": NOW, "position": 1,
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
        "object": "balance", "user": "u_1", "unit": "credits", "scale": 0, "available": 130, "held": 20, "pending": 70,
        "in_review": 80, "disputed": 25, "debt": 0, "posted": 150,
        "expiring_next": {"amount": 30, "at": "2026-12-24T00:00:00Z"}, "seq": 0, "as_of": NOW, "position": 1,
    });
    assert_eq!(balance, expected);
    assert_eq!(world.get("/v1/users/u_1/balance?unit=seats").await.ok()["pending"], 9);
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
async fn what_a_hold_reserved_is_free_from_its_deadline_on() {
    let world = World::new().await;
    let account = Owner::User("u_1".into()).account_id().0;
    // Of 100 credits 40 end at 10:30, of which an open hold reserves 30; it reserves 20 of the others as well.
    world.run(&format!(
        "INSERT INTO owner VALUES ($1, '{account}', 1, 'u_1');
         INSERT INTO account (tenant_id, account_id, unit, version, posted, held) VALUES ($1, '{account}', 'credits', 2, 100, 50);
         INSERT INTO credit_grant (tenant_id, account_id, unit, grant_id, priority, expires_at, granted, remaining, held) VALUES
           ($1, '{account}', 'credits', 1, 0, '2026-11-21T10:30:00Z', 40, 40, 30),
           ($1, '{account}', 'credits', 2, 0, '2026-11-21T12:00:00Z', 60, 60, 20);
         INSERT INTO hold (tenant_id, hold_id, account_id, unit, amount, state, expires_at, reserved) VALUES
           ($1, '00000000-0000-7000-8000-000000000001', '{account}', 'credits', 50, 1, '2026-11-21T11:00:00Z',
            '{{\"1\": 30, \"2\": 20}}')"
    ))
    .await;
    let next = |amount: i64, at: &str| json!({"amount": amount, "at": at});
    for (minutes, available, held, posted, expiring_next) in [
        (0, 50, 50, 100, next(10, "2026-11-21T10:30:00Z")),
        // What the hold reserves of the grant that ended stays with it.
        (30, 40, 50, 90, next(40, "2026-11-21T12:00:00Z")),
        (60, 60, 0, 60, next(60, "2026-11-21T12:00:00Z")),
        (120, 0, 0, 0, json!(null)),
    ] {
        let start: Timestamp = NOW.parse().unwrap();
        world.hands.set(start + SignedDuration::from_mins(minutes));
        let has = world.get("/v1/users/u_1/balance").await.ok();
        assert_eq!(
            (&has["available"], &has["held"], &has["posted"], &has["expiring_next"]),
            (&json!(available), &json!(held), &json!(posted), &expiring_next),
            "after {minutes} minutes"
        );
    }
}

#[tokio::test]
async fn whoever_has_the_newest_version_is_told_so() {
    let world = World::new().await;
    world.register("u_1").await;
    let path = "/v1/users/u_1/balance";
    let first = world.get(path).await;
    assert_eq!(first.headers[header::CACHE_CONTROL], "private, no-cache");
    let tag = first.headers[header::ETAG].to_str().unwrap().to_owned();
    let ask = async |tag: &str| {
        let answer = world.open(path, &[("if-none-match", tag)]).await;
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let tag = parts.headers[header::ETAG].to_str().unwrap().to_owned();
        assert_eq!(bytes.is_empty(), parts.status == StatusCode::NOT_MODIFIED);
        (parts.status, tag)
    };
    // Neither time alone nor what others do is news.
    world.hands.advance(SignedDuration::from_secs(1));
    world.register("u_2").await;
    assert_eq!(ask(&tag).await, (StatusCode::NOT_MODIFIED, tag.clone()));
    let body = json!({"amount": 5, "reason": "asked", "expires_at": "2026-11-21T11:00:00Z"});
    world.command(&new_key(), "/v1/users/u_1/grants", body).await;
    let (status, after) = ask(&tag).await;
    assert_eq!(status, StatusCode::OK);
    assert_ne!(after, tag);
    assert_eq!(ask(&after).await, (StatusCode::NOT_MODIFIED, after.clone()));
    // Nobody does anything, and the credits end.
    world.hands.set("2026-11-21T11:00:00Z".parse().unwrap());
    assert_eq!(ask(&after).await.0, StatusCode::OK);
}

/// Each balance that was shown can be asked for later.
#[tokio::test]
async fn a_balance_can_be_asked_for_as_it_was() {
    let world = World::new().await;
    world.register("u_1").await;
    let command = async |path: &str, body: Value| {
        let answer = world.command(&new_key(), path, body).await;
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        answer.json()
    };
    let mut shown = Vec::new();
    let mut look = async || {
        world.hands.advance(SignedDuration::from_secs(20));
        let at = world.get("/v1/users/u_1/balance").await.ok();
        shown.push((at["as_of"].clone(), at));
        world.hands.advance(SignedDuration::from_secs(40));
    };
    let grant =
        |amount: i64, end: &str| json!({"amount": amount, "reason": "asked", "expires_at": end});
    look().await;
    command("/v1/users/u_1/grants", grant(100, "2026-11-21T10:06:30Z")).await;
    look().await;
    command("/v1/users/u_1/grants", grant(50, "2027-01-01T00:00:00Z")).await;
    let spend = command("/v1/users/u_1/spends", json!({"amount": 10})).await;
    look().await;
    let hold = command("/v1/users/u_1/holds", json!({"amount": 30, "expires_in": 86400})).await;
    look().await;
    let short = json!({"amount": 20, "expires_in": 90});
    command("/v1/users/u_1/holds", short.clone()).await;
    look().await;
    // The short hold ends within the first of these minutes, the first grant in the third.
    for _ in 0..3 {
        look().await;
    }
    let hold = hold["id"].as_str().unwrap();
    command(&format!("/v1/holds/{hold}/capture"), json!({"amount": 25})).await;
    look().await;
    let spend = spend["id"].as_str().unwrap();
    command(&format!("/v1/spends/{spend}/reverse"), json!({})).await;
    command("/v1/users/u_1/holds", short).await;
    look().await;

    world.hands.advance(SignedDuration::from_hours(1));
    command("/v1/users/u_1/spends", json!({"amount": 1})).await;
    for (at, shown) in shown {
        let at = at.as_str().unwrap();
        let was = world.get(&format!("/v1/users/u_1/balance?as_of={at}")).await.ok();
        for part in ["available", "held", "debt", "posted", "seq", "as_of", "scale"] {
            assert_eq!(was[part], shown[part], "{part} at {at}: {was} is not {shown}");
        }
        for part in ["pending", "in_review", "disputed", "expiring_next", "position"] {
            assert!(was[part].is_null(), "{part} is a guess");
        }
    }
}

/// A balance of the past may take long to read: however many ask for one, everybody else is answered.
#[tokio::test]
async fn whoever_looks_back_keeps_nobody_from_asking() {
    let world = World::new().await;
    world.register("u_1").await;
    let locking = world.other_sql().await;
    locking.batch_execute("BEGIN; LOCK command IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let path = format!("/v1/users/u_1/balance?as_of={NOW}");
    let looking_back = join_all((0..20).map(|_| world.get(&path)));
    let others = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        wait_for("somebody to look back", async || {
            let count: i64 = world.sql.query_one(waiting, &[]).await.unwrap().get(0);
            (count >= 2).then_some(())
        })
        .await;
        for _ in 0..5 {
            world.get("/v1/users/u_1").await.ok();
        }
        locking.batch_execute("ROLLBACK").await.unwrap();
    };
    let (answers, ()) = tokio::join!(looking_back, others);
    for answer in answers {
        assert_eq!(answer.ok()["available"], 0);
    }
}

#[tokio::test]
async fn what_is_recorded_late_counts_by_its_effect() {
    let world = World::new().await;
    let account = Owner::User("u_1".into()).account_id().0;
    world.run(&format!(
        "INSERT INTO owner VALUES ($1, '{account}', 1, 'u_1');
         INSERT INTO account (tenant_id, account_id, unit, version, posted) VALUES ($1, '{account}', 'credits', 2, 70);
         INSERT INTO posting (tenant_id, account_id, unit, seq, contra, amount, balance_after, cause_kind, cause_pos,
                              cause_rev, effect_no, effective_at, recorded_at, hash) VALUES
           ($1, '{account}', 'credits', 1, 1, 100, 100, 1, 1, 0, 0, '2026-11-21T08:00:00Z', '2026-11-21T09:00:00Z', sha256('x')),
           ($1, '{account}', 'credits', 2, 2, -30, 70, 1, 2, 0, 0, '2026-11-21T08:30:00Z', '2026-11-21T09:30:00Z', sha256('x'))"
    ))
    .await;
    for (at, recorded, effective) in [
        ("07:59:59.999999", 0, 0),
        ("08:00:00", 0, 100),
        ("08:30:00", 0, 70),
        ("09:00:00", 100, 70),
        ("09:30:00", 70, 70),
    ] {
        let path = format!("/v1/users/u_1/balance?as_of=2026-11-21T{at}Z");
        let by = async |by: &str| world.get(&format!("{path}{by}")).await.ok();
        assert_eq!(
            (&by("").await["posted"], &by("").await["by"]),
            (&json!(recorded), &json!("record")),
            "{at}"
        );
        assert_eq!(by("&by=record").await["available"], recorded, "{at}");
        let by_effect = by("&by=effect").await;
        assert_eq!(
            (&by_effect["posted"], &by_effect["available"]),
            (&json!(effective), &json!(null)),
            "{at}"
        );
    }
    for (query, param) in [
        ("as_of=2026-11-21T10:00:00.000001Z", "as_of"),
        ("as_of=1969-12-31T23:59:59Z", "as_of"),
        ("as_of=yesterday", "as_of"),
        ("as_of=2026-11-21T09:00:00Z&by=hand", "by"),
        ("by=record", "by"),
    ] {
        let answer = world.get(&format!("/v1/users/u_1/balance?{query}")).await;
        answer.refused(400, "parameter_invalid", Some(param));
    }
    world.get("/v1/users/u_9/balance?as_of=2026-11-21T09:00:00Z").await.refused(
        404,
        "user_not_found",
        Some("user"),
    );
}

#[tokio::test]
async fn a_user_has_a_balance_in_each_unit() {
    let world = World::new().await;
    world.get("/v1/users/u_1/balances").await.refused(404, "user_not_found", Some("user"));
    world.register("u_1").await;
    let units = async || {
        let list = world.get("/v1/users/u_1/balances").await.ok();
        let rows = list["data"].as_array().unwrap().clone();
        let unit = |row: &Value| {
            (row["unit"].as_str().unwrap().to_owned(), row["available"].as_i64().unwrap())
        };
        rows.iter().map(unit).collect::<Vec<_>>()
    };
    assert_eq!(units().await, [("credits".to_owned(), 0)]);
    for (unit, amount) in [("seats", 3), ("credits", 7)] {
        let body = json!({"amount": amount, "unit": unit, "reason": "asked"});
        world.command(&new_key(), "/v1/users/u_1/grants", body).await;
    }
    assert_eq!(units().await, [("credits".to_owned(), 7), ("seats".to_owned(), 3)]);
}
