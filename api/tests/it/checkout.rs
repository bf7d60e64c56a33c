//! What became of a checkout, told to whoever comes back from Stripe's page.

use std::time::Duration;

use futures_util::future::join_all;
use ledger::decision::Reason;
use ledger::ids::Owner;
use serde_json::json;
use store::log::Origin;

use crate::support::{NOW, World};

const BODY: &[u8] = br#"{"type":"checkout.session.completed","data":{"object":{"id":"cs_1"}}}"#;

async fn credited(world: &World) {
    let account = Owner::User("u_1".into()).account_id().0;
    world
        .run(&format!(
            "INSERT INTO owner VALUES ($1, '{account}', 1, 'u_1');
             INSERT INTO payment (tenant_id, root_key, owner_account, first_pos, status, facts, merged_into) VALUES
               ($1, 'pi_1', '{account}', 1, 2, '{{}}', NULL), ($1, 'cs_1', NULL, 1, 2, '{{}}', 'pi_1');
             INSERT INTO payment_alias VALUES ($1, 'cs_1', 'cs_1'), ($1, 'pi_1', 'pi_1');
             INSERT INTO payment_leg (tenant_id, root_key, line, leg, unit, expected, target, posted) VALUES
               ($1, 'pi_1', 'credits', 1, 'credits', 500, 500, 500)"
        ))
        .await;
}

#[tokio::test]
async fn it_is_unknown_then_received_then_credited() {
    let world = World::new().await;
    let unknown = json!({
        "object": "checkout_session", "id": "cs_1", "status": "unknown", "credits": null, "unit": null, "user": null,
        "payment": null, "as_of": NOW,
    });
    assert_eq!(world.get("/v1/checkout_sessions/cs_1").await.ok(), unknown);
    let pos = world.tell(Origin::Stripe, "evt_1", "checkout.session.completed", BODY).await;
    assert_eq!(world.get("/v1/checkout_sessions/cs_1").await.ok()["status"], "received");
    assert_eq!(world.get("/v1/checkout_sessions/cs_2").await.ok()["status"], "unknown");
    credited(&world).await;
    world.decide(pos, Reason::Credited, Some("pi_1")).await;
    let expected = json!({
        "object": "checkout_session", "id": "cs_1", "status": "credited", "credits": 500, "unit": "credits",
        "user": "u_1", "payment": "pi_1", "as_of": NOW,
    });
    assert_eq!(world.get("/v1/checkout_sessions/cs_1").await.ok(), expected);
}

/// What is not decided yet holds buyers' names and addresses. Whoever asks learns of the session that he names, and of nothing else.
#[tokio::test]
async fn nothing_but_a_whole_session_is_looked_for() {
    let world = World::new().await;
    let body = br#"{"id": "evt_1", "account": "acct_1", "type": "checkout.session.completed",
                    "data": {"object": {"id": "cs_12", "customer_details": {"email": "ada@example.com"}}}}"#;
    world.tell(Origin::Stripe, "evt_1", "checkout.session.completed", body).await;
    world
        .run(
            "INSERT INTO event (tenant_id, pos, account, origin, source, source_id, type, slot, occurred_at, received_at,
                                body_sha256, body)
             SELECT tenant_id, 2, 'acct_1', origin, source, source_id, type, slot, occurred_at, received_at, body_sha256, body
             FROM event WHERE tenant_id = $1",
        )
        .await;
    let status = async |id: &str| {
        world.get(&format!("/v1/checkout_sessions/{id}")).await.ok()["status"].clone()
    };
    assert_eq!(status("cs_12").await, "received");
    assert_eq!(status("acct_1%2Fcs_12").await, "received");
    for other in [
        "cs_1",
        "cs_",
        "cs_123",
        "s_12",
        "c",
        "evt_1",
        "%22email%22%3A%20%22a",
        "ada%40example.com",
        "cs_12%22%2C%20%22customer_details",
        "acct_1",
        "acct_2%2Fcs_12",
        "%2Fcs_12",
    ] {
        assert_eq!(status(other).await, "unknown", "{other}");
    }
}

#[tokio::test]
async fn who_waits_is_told_as_soon_as_it_is_decided() {
    let world = World::new().await;
    let pos = world.tell(Origin::Stripe, "evt_1", "checkout.session.completed", BODY).await;
    let deciding = async {
        credited(&world).await;
        world.decide(pos, Reason::Credited, Some("pi_1")).await;
    };
    let waiting = world.get("/v1/checkout_sessions/cs_1?wait=30");
    let both = async { tokio::join!(waiting, deciding) };
    let (answer, ()) = tokio::time::timeout(Duration::from_secs(20), both).await.unwrap();
    assert_eq!(answer.ok()["status"], "credited");
}

#[tokio::test]
async fn many_who_wait_share_the_connections_and_each_is_told() {
    let world = World::new().await;
    let pos = world.tell(Origin::Stripe, "evt_1", "checkout.session.completed", BODY).await;
    // Many times as many as the pool has connections; half of them for what is never sold.
    let sessions = (0..100).map(|number| if number % 2 == 0 { 1 } else { number });
    let paths = sessions.map(|number| {
        let wait = if number == 1 { 30 } else { 1 };
        (number, format!("/v1/checkout_sessions/cs_{number}?wait={wait}"))
    });
    let paths: Vec<(i32, String)> = paths.collect();
    let waiting = join_all(paths.iter().map(|(_, path)| world.get(path)));
    let deciding = async {
        credited(&world).await;
        world.decide(pos, Reason::Credited, Some("pi_1")).await;
    };
    let both = async { tokio::join!(waiting, deciding) };
    let (answers, ()) = tokio::time::timeout(Duration::from_secs(20), both).await.unwrap();
    for ((number, path), answer) in paths.iter().zip(answers) {
        let status = if *number == 1 { "credited" } else { "unknown" };
        assert_eq!(answer.ok()["status"], status, "{path}");
    }
}

#[tokio::test]
async fn who_waits_in_vain_is_told_what_is_known() {
    let world = World::new().await;
    assert_eq!(world.get("/v1/checkout_sessions/cs_1?wait=1").await.ok()["status"], "unknown");
    for wait in ["31", "-1", "x", "1.5", ""] {
        let path = format!("/v1/checkout_sessions/cs_1?wait={wait}");
        world.get(&path).await.refused(400, "parameter_invalid", Some("wait"));
    }
}

#[tokio::test]
async fn each_state_of_the_payment_has_its_word() {
    let world = World::new().await;
    let (account, unclaimed) =
        (Owner::User("u_1".into()).account_id().0, Owner::Unclaimed("pi_1".into()).account_id().0);
    world
        .run(&format!(
            "INSERT INTO owner VALUES ($1, '{account}', 1, 'u_1'), ($1, '{unclaimed}', 2, 'pi_1');
             INSERT INTO payment (tenant_id, root_key, first_pos, status, facts) VALUES ($1, 'pi_1', 1, 0, '{{}}');
             INSERT INTO payment_alias VALUES ($1, 'cs_1', 'pi_1')"
        ))
        .await;
    // Status of the payment, its owner, its claimant; expected credits, and what each leg has posted.
    let (nobody, user, aside) =
        ("NULL".to_owned(), format!("'{account}'"), format!("'{unclaimed}'"));
    let rows = [
        (1, &nobody, "'u_1'", [500, 0, 0, 0], "pending", json!(500), json!("u_1")),
        (1, &nobody, "NULL", [0, 0, 0, 0], "pending", json!(null), json!(null)),
        (3, &nobody, "NULL", [0, 0, 0, 0], "failed", json!(null), json!(null)),
        (4, &nobody, "NULL", [0, 0, 0, 0], "unknown", json!(null), json!(null)),
        (2, &user, "NULL", [500, 500, 0, 0], "credited", json!(500), json!("u_1")),
        (2, &user, "NULL", [500, 500, -100, -150], "credited", json!(250), json!("u_1")),
        (2, &user, "NULL", [500, 500, -500, 0], "reversed", json!(0), json!("u_1")),
        (2, &user, "NULL", [500, 500, -100, -400], "reversed", json!(0), json!("u_1")),
        (2, &aside, "'u_9'", [500, 500, 0, 0], "in_review", json!(500), json!("u_9")),
        (2, &aside, "'u_9'", [500, 500, -100, 0], "in_review", json!(400), json!("u_9")),
        (2, &aside, "'u_9'", [500, 500, -500, 0], "reversed", json!(0), json!("u_9")),
        (2, &nobody, "'u_1'", [0, 0, 0, 0], "in_review", json!(null), json!("u_1")),
    ];
    world
        .run(
            "INSERT INTO review_case (tenant_id, case_id, pos, root_key, reason, state, version, opened_at)
             VALUES ($1, '00000000-0000-8000-8000-00000000000c', 1, 'pi_1', 40, 1, 1, now())",
        )
        .await;
    for (paid, owner, claimant, [expected, bought, refunded, disputed], status, credits, of) in rows
    {
        world
            .run(&format!(
                "UPDATE payment SET status = {paid}, owner_account = {owner}, claimant = {claimant} WHERE tenant_id = $1;
                 DELETE FROM payment_leg WHERE tenant_id = $1;
                 INSERT INTO payment_leg (tenant_id, root_key, line, leg, unit, expected, target, posted) VALUES
                   ($1, 'pi_1', 'price:a', 1, 'seats', 0, 0, 0),
                   ($1, 'pi_1', 'price:b', 1, 'credits', {expected}, {bought}, {bought}),
                   ($1, 'pi_1', 'price:b', 2, 'credits', 0, {refunded}, {refunded}),
                   ($1, 'pi_1', 'price:b', 3, 'credits', 0, {disputed}, {disputed})"
            ))
            .await;
        let told = world.get("/v1/checkout_sessions/cs_1").await.ok();
        assert_eq!(
            (&told["status"], &told["credits"], &told["user"]),
            (&json!(status), &credits, &of),
            "{told}"
        );
    }
}
