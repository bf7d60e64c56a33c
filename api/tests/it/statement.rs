//! Statements and grants.

use ledger::ids::{GrantId, Owner, PostingId};
use serde_json::{Value, json};
use store::log::Origin;

use crate::support::{NOW, World, new_key};

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
async fn a_statement_says_what_each_movement_was_for() {
    let world = World::new().await;
    world.register("u_1").await;
    let account = Owner::User("u_1".into()).account_id();
    let command = async |path: &str, body: Value| {
        let answer = world.command(&new_key(), path, body).await;
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        answer.json()["id"].as_str().unwrap_or_default().to_owned()
    };
    let grant = command("/v1/users/u_1/grants", json!({"amount": 100, "reason": "welcome"})).await;
    let spend = json!({"amount": 10, "description": "a picture"});
    let spend = command("/v1/users/u_1/spends", spend).await;
    let hold = json!({"amount": 30, "description": "a film"});
    let hold = command("/v1/users/u_1/holds", hold).await;
    command(&format!("/v1/holds/{hold}/capture"), json!({"amount": 25})).await;
    command(&format!("/v1/spends/{spend}/reverse"), json!({})).await;
    // And what Stripe told of.
    let pos = world.tell(Origin::Stripe, "evt_1", "checkout.session.completed", b"{}").await;
    world.run(&format!(
        "INSERT INTO posting (tenant_id, account_id, unit, seq, contra, amount, balance_after, cause_kind, cause_pos,
                              cause_rev, effect_no, root_key, line, effective_at, recorded_at, hash)
         VALUES ($1, '{}', 'credits', 5, 1, 10, 85, 1, {pos}, 0, 0, 'pi_1', 'credits', '{NOW}', '{NOW}', sha256('x'))",
        account.0
    ))
    .await;
    let statement = world.get("/v1/users/u_1/postings").await.ok();
    let rows: Vec<_> = statement["data"].as_array().unwrap().iter().rev().collect();
    let seen: Vec<_> =
        rows.iter().map(|row| (&row["amount"], &row["contra"], &row["cause"])).collect();
    let cause = |command: &str, members: Value| {
        let mut cause = json!({
            "type": "command", "command": command, "spend": null, "hold": null, "grant": null, "description": null,
            "reason": null,
        });
        cause.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        cause
    };
    let capture = rows[2]["cause"]["spend"].as_str().unwrap();
    assert!(capture.starts_with("spd_") && capture != spend);
    let expected = [
        (json!(100), json!("promo"), cause("grant", json!({"grant": grant, "reason": "welcome"}))),
        (
            json!(-10),
            json!("spend"),
            cause("spend", json!({"spend": spend, "description": "a picture"})),
        ),
        (
            json!(-25),
            json!("spend"),
            cause("capture", json!({"spend": capture, "hold": hold, "description": "a film"})),
        ),
        (json!(10), json!("spend"), cause("reverse", json!({"spend": spend}))),
        (
            json!(10),
            json!("sale"),
            json!({"type": "decision", "position": pos, "revision": 0, "event": "evt_1"}),
        ),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(amount, contra, cause)| (amount, contra, cause)).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_statement_is_cut_out_of_any_time() {
    let world = World::new().await;
    world.register("u_1").await;
    let account = Owner::User("u_1".into()).account_id();
    // One each minute from 09:00 on, the last two at once.
    world.run(&format!(
        "INSERT INTO owner VALUES ($1, '{id}', 1, 'u_1');
         INSERT INTO account (tenant_id, account_id, unit, version, posted) VALUES ($1, '{id}', 'credits', 6, 60);
         INSERT INTO posting (tenant_id, account_id, unit, seq, contra, amount, balance_after, cause_kind, cause_pos,
                              cause_rev, effect_no, effective_at, recorded_at, hash)
         SELECT $1, '{id}', 'credits', n, 1, 10, n * 10, 1, 1, 0, n, '{NOW}',
                timestamptz '2026-11-21T09:00:00Z' + interval '1 min' * least(n - 1, 4), sha256('x')
         FROM generate_series(1, 6) n",
        id = account.0
    ))
    .await;
    let posting = |seq: i64| PostingId { account, unit: "credits".into(), seq }.to_string();
    for (query, expected) in [
        ("created[gte]=2026-11-21T09:02:00Z", vec![6, 5, 4, 3]),
        ("created[gt]=2026-11-21T09:02:00Z", vec![6, 5, 4]),
        ("created[lt]=2026-11-21T09:02:00Z", vec![2, 1]),
        ("created[lte]=2026-11-21T09:04:00Z", vec![6, 5, 4, 3, 2, 1]),
        ("created[gte]=2026-11-21T09:01:00Z&created[lt]=2026-11-21T09:03:00Z", vec![3, 2]),
        ("created[gt]=2026-11-21T09:04:00Z", vec![]),
        ("created[lt]=2026-11-21T09:00:00Z", vec![]),
        ("created[gte]=2026-11-21T09:03:00Z&created[lt]=2026-11-21T09:01:00Z", vec![]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(posting).collect();
        assert_eq!(
            world.get(&format!("/v1/users/u_1/postings?{query}")).await.ids(),
            expected,
            "{query}"
        );
        let first = format!("/v1/users/u_1/postings?{query}&limit=1");
        assert_eq!(
            world.get(&first).await.ids(),
            expected.iter().take(1).cloned().collect::<Vec<_>>(),
            "{query}"
        );
    }
    let upward = format!("created[gte]=2026-11-21T09:02:00Z&ending_before={}", posting(2));
    let page = world.get(&format!("/v1/users/u_1/postings?{upward}&limit=1")).await;
    assert_eq!(page.ids(), [posting(3)]);
}

#[tokio::test]
async fn grants_say_where_they_came_from_and_whether_they_can_be_spent() {
    let world = World::new().await;
    world.register("u_1").await;
    let give = async |amount: i64, end: Value| {
        let body = json!({"amount": amount, "reason": "asked", "expires_at": end});
        world.command(&new_key(), "/v1/users/u_1/grants", body).await.json()["id"].clone()
    };
    let soon = give(5, json!("2026-11-21T11:00:00Z")).await;
    let used = give(7, json!("2026-11-21T12:00:00Z")).await;
    let held = give(9, json!(null)).await;
    world.command(&new_key(), "/v1/users/u_1/spends", json!({"amount": 12})).await;
    world.command(&new_key(), "/v1/users/u_1/holds", json!({"amount": 4})).await;
    let late = give(3, json!("2026-11-21T10:30:00Z")).await;
    let seen = async || {
        let list = world.get("/v1/users/u_1/grants").await.ok();
        let rows = list["data"].as_array().unwrap().clone();
        rows.into_iter()
            .map(|row| {
                (
                    row["id"].clone(),
                    row["status"].clone(),
                    row["remaining"].clone(),
                    row["held"].clone(),
                )
            })
            .collect::<Vec<_>>()
    };
    let row = |id: &Value, status: &str, remaining: i64, held: i64| {
        (id.clone(), json!(status), json!(remaining), json!(held))
    };
    let before = [
        row(&late, "open", 3, 0),
        row(&held, "open", 9, 4),
        row(&used, "used", 0, 0),
        row(&soon, "used", 0, 0),
    ];
    assert_eq!(seen().await, before);
    assert_eq!(
        world.get("/v1/users/u_1/grants?status=open").await.ids(),
        [late.as_str().unwrap(), held.as_str().unwrap()]
    );
    world.hands.set("2026-11-21T10:30:00Z".parse().unwrap());
    assert_eq!(seen().await[0], row(&late, "expired", 3, 0));
    assert_eq!(world.get("/v1/users/u_1/grants?status=open").await.ids(), [held.as_str().unwrap()]);
    let shown = &world.get("/v1/users/u_1/grants?limit=1").await.ok()["data"][0];
    assert_eq!((&shown["contra"], &shown["reason"]), (&json!("promo"), &json!("asked")));
    world.get("/v1/users/u_1/grants?status=shut").await.refused(
        400,
        "parameter_invalid",
        Some("status"),
    );
}
