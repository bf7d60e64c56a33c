//! Who may what: every operation with every role, and what opens nothing.

use http::{Method, StatusCode, header};
use store::keys::KeyRole;
use testkit::wait_for;

use crate::support::{Api, NOW, World, make_key};

/// Every operation with the least role that may. Written by hand, so that a change of the table needs a second look.
const LEAST: [(&str, &str, KeyRole); 23] = [
    ("POST", "/v1/users", KeyRole::App),
    ("PUT", "/v1/users/u_1", KeyRole::App),
    ("GET", "/v1/users/u_1", KeyRole::Read),
    ("GET", "/v1/users/u_1/balance", KeyRole::Read),
    ("GET", "/v1/users/u_1/postings", KeyRole::Read),
    ("GET", "/v1/users/u_1/grants", KeyRole::Read),
    ("POST", "/v1/checkout_params", KeyRole::App),
    ("GET", "/v1/checkout_sessions/cs_1", KeyRole::Read),
    ("GET", "/v1/cases", KeyRole::Support),
    ("GET", "/v1/cases/case_1", KeyRole::Support),
    ("POST", "/v1/cases/case_1/assign", KeyRole::Support),
    ("POST", "/v1/cases/case_1/dismiss", KeyRole::Support),
    ("POST", "/v1/cases/case_1/retry", KeyRole::Support),
    ("GET", "/v1/events", KeyRole::Support),
    ("GET", "/v1/events/evt_1", KeyRole::Support),
    ("GET", "/v1/events/evt_1/payload", KeyRole::Support),
    ("GET", "/v1/payments/pi_1", KeyRole::Support),
    ("POST", "/v1/payments/pi_1/reassign", KeyRole::Support),
    ("GET", "/v1/explain/pi_1", KeyRole::Support),
    ("GET", "/v1/audit", KeyRole::Support),
    ("GET", "/v1/catalogue", KeyRole::Support),
    ("GET", "/v1/catalogue/price_1", KeyRole::Support),
    ("PUT", "/v1/catalogue/price_1", KeyRole::Admin),
];

#[tokio::test]
async fn every_operation_asks_for_its_role() {
    let world = World::new().await;
    for (method, path, least) in LEAST {
        let method: Method = method.parse().unwrap();
        let answer = world.send(None, method.clone(), path, None).await;
        answer.refused(401, "unauthorized", None);
        assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
        for role in KeyRole::ALL {
            let status = world.ask(role, method.clone(), path, None).await.status;
            let refused = status == StatusCode::FORBIDDEN;
            assert_eq!(refused, role < least, "{method} {path} as {}: {status}", role.name());
            assert_ne!(status, StatusCode::UNAUTHORIZED);
            assert!(!status.is_server_error(), "{method} {path} as {}: {status}", role.name());
        }
    }
}

#[tokio::test]
async fn what_is_not_served_is_said_so() {
    let world = World::new().await;
    for path in [
        "/",
        "/v1",
        "/v1/users/u_1/spends",
        "/v1/users/u_1/balance/stream",
        "/v1/holds/hld_1",
        "/metrics",
        "/console",
    ] {
        world.get(path).await.refused(404, "not_found", None);
    }
    let answer = world.ask(KeyRole::Admin, Method::DELETE, "/v1/users/u_1", None).await;
    answer.refused(405, "method_not_allowed", None);
}

#[tokio::test]
async fn other_texts_open_nothing() {
    let world = World::new().await;
    let (_, good) = make_key(&world.login, &world.tenant, KeyRole::Admin).await;
    let live = good.replace("tally_test_", "tally_live_");
    let cut = &good[..good.len() - 1];
    let other_secret = format!("{cut}{}", if good.ends_with('a') { 'b' } else { 'a' });
    for text in ["", "x", cut, &live, &other_secret, &good.to_uppercase()] {
        let answer = world.send(Some(text), Method::GET, "/v1/cases", None).await;
        answer.refused(401, "unauthorized", None);
    }
    world.send(Some(&good), Method::GET, "/v1/cases", None).await.ok();
}

#[tokio::test]
async fn a_key_of_another_tenant_sees_its_own_only() {
    let world = World::new().await;
    world.register("u_1").await;
    let now = NOW.parse().unwrap();
    let other = store::tenant::ensure(&world.login, "other", false, now).await.unwrap();
    let (_, key) = make_key(&world.login, &other, KeyRole::Admin).await;
    // That tenant is not served by this process: its key opens nothing here.
    world.send(Some(&key), Method::GET, "/v1/users/u_1", None).await.refused(
        401,
        "unauthorized",
        None,
    );
}

#[tokio::test]
async fn a_revoked_key_is_shut_out_within_a_second_and_an_ended_one_at_once() {
    let world = World::new().await;
    let now = NOW.parse().unwrap();
    let (key_id, text) = make_key(&world.login, &world.tenant, KeyRole::Read).await;
    world.send(Some(&text), Method::GET, "/v1/users/u_1", None).await.refused(
        404,
        "user_not_found",
        Some("user"),
    );
    let revoked = store::keys::revoke(&world.login, world.tenant.tenant_id, &key_id, now).await;
    assert!(revoked.unwrap());
    wait_for("the revoked key to be refused", async || {
        let answer = world.send(Some(&text), Method::GET, "/v1/users/u_1", None).await;
        (answer.status == StatusCode::UNAUTHORIZED).then_some(())
    })
    .await;
    let again = store::keys::revoke(&world.login, world.tenant.tenant_id, &key_id, now).await;
    assert!(!again.unwrap());

    let (key_id, text) = make_key(&world.login, &world.tenant, KeyRole::Read).await;
    world
        .run(&format!(
            "UPDATE api_key SET expires_at = '2026-11-21T11:00:00Z' WHERE key_id = '{key_id}'"
        ))
        .await;
    world.send(Some(&text), Method::GET, "/v1/users/u_1", None).await.refused(
        404,
        "user_not_found",
        Some("user"),
    );
    world.hands.advance(jiff::SignedDuration::from_hours(1));
    world.send(Some(&text), Method::GET, "/v1/users/u_1", None).await.refused(
        401,
        "unauthorized",
        None,
    );
}

#[tokio::test]
async fn a_key_is_kept_as_a_hash_and_its_use_is_noted() {
    let world = World::new().await;
    let (key_id, text) = make_key(&world.login, &world.tenant, KeyRole::App).await;
    world.send(Some(&text), Method::GET, "/v1/users/u_1", None).await;
    let client = world.login.get().await.unwrap();
    let keys = store::keys::list(&client, world.tenant.tenant_id).await.unwrap();
    let key = keys.into_iter().find(|key| key.key_id == key_id).unwrap();
    assert_eq!((key.role, key.name.as_str()), (KeyRole::App, "app of shop"));
    assert_eq!(key.last_used_at, Some(NOW.parse().unwrap()));
    let row = world
        .sql
        .query_one("SELECT a::text FROM api_key a WHERE key_id = $1", &[&key_id])
        .await
        .unwrap();
    assert!(!row.get::<_, String>(0).contains(&text[text.len() - 43..]));
}

#[tokio::test]
async fn without_a_database_the_answer_is_to_come_again() {
    let api = Api::without_database();
    let key = format!("tally_test_{}_{}", "a".repeat(12), "b".repeat(43));
    let answer = api.send(Some(&key), Method::GET, "/v1/users/u_1", None).await;
    answer.refused(503, "unavailable", None);
    assert!(answer.headers.contains_key(header::RETRY_AFTER));
}
