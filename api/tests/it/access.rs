//! Who may what: every operation with every role, and what opens nothing.

use api::{Access, ForUsers, Operation, scopes_of};
use futures_util::future::join_all;
use http::{Method, StatusCode, header};
use jiff::SignedDuration;
use ledger::ids::Owner;
use serde_json::json;
use store::keys::{KeyRole, Rotated};
use store::log::Origin;
use testkit::wait_for;

use crate::support::{Api, NOW, World, make_key, make_narrow_key};

/// Every operation with the least role that may, its scope, and what it is open to users for. Written by hand, so that a new
/// operation and a change of the table need a second look.
const DECIDED: &str = "
POST /v1/users                            app       users:write       no
PUT  /v1/users/{user}                     app       users:write       no
GET  /v1/users/{user}                     read      users:read        own
GET  /v1/users/{user}/balance             read      balance:read      own
GET  /v1/users/{user}/balances            read      balance:read      own
GET  /v1/users/{user}/balance/stream      read      balance:read      own
GET  /v1/users/{user}/postings            read      postings:read     own
GET  /v1/users/{user}/grants              read      grants:read       own
GET  /v1/units                            read      balance:read      told
POST /v1/users/{user}/spends              app       spends:write      no
GET  /v1/spends/{id}                      read      spends:read       no
POST /v1/spends/{id}/reverse              app       spends:write      no
POST /v1/users/{user}/holds               app       holds:write       no
GET  /v1/holds/{id}                       read      holds:read        no
POST /v1/holds/{id}/capture               app       holds:write       no
POST /v1/holds/{id}/release               app       holds:write       no
POST /v1/users/{user}/grants              app       grants:write      no
POST /v1/users/{user}/freeze              support   accounts:write    no
POST /v1/users/{user}/thaw                support   accounts:write    no
POST /v1/users/{user}/overdraft           admin     overdrafts:write  no
POST /v1/checkout_params                  app       checkout:write    no
GET  /v1/checkout_sessions/{id}           read      checkout:read     told
GET  /v1/cases                            support   cases:read        no
GET  /v1/cases/{id}                       support   cases:read        no
POST /v1/cases/{id}/assign                support   cases:write       no
POST /v1/cases/{id}/dismiss               support   cases:write       no
POST /v1/cases/{id}/retry                 support   cases:write       no
GET  /v1/events                           support   events:read       no
GET  /v1/events/{id}                      support   events:read       no
GET  /v1/events/{id}/payload              support   events:read       no
GET  /v1/payments/{id}                    support   payments:read     no
POST /v1/payments/{id}/reassign           support   payments:write    no
POST /v1/payments/{id}/import             admin     payments:import   no
GET  /v1/explain/{id}                     support   explain:read      no
GET  /v1/audit                            support   audit:read        no
GET  /v1/catalogue                        support   catalogue:read    no
GET  /v1/catalogue/{key}                  support   catalogue:read    no
PUT  /v1/catalogue/{key}                  admin     catalogue:write   no
";

/// The path with ids of things that the world has.
fn path(operation: Operation) -> String {
    let id = match operation.path().split('/').nth(2) {
        Some("checkout_sessions") => "cs_1",
        Some("events") => "evt_1",
        Some("payments" | "explain") => "pi_1",
        Some(_) | None => "nothing_1",
    };
    operation.path().replace("{user}", "u_1").replace("{id}", id).replace("{key}", "price_1")
}

/// A world with a user, an event and a payment, all of which name the canary.
async fn world() -> World {
    let world = World::new().await;
    world.register("u_1").await;
    let body = format!(r#"{{"id":"evt_1","canary":"{CANARY}"}}"#);
    world.tell(Origin::Stripe, "evt_1", "customer.updated", body.as_bytes()).await;
    let account = Owner::User("u_1".into()).account_id().0;
    world
        .run(&format!(
            "UPDATE app_user SET name = '{CANARY}' WHERE tenant_id = $1;
             INSERT INTO owner VALUES ($1, '{account}', 1, 'u_1');
             INSERT INTO payment (tenant_id, root_key, owner_account, first_pos, status, facts) VALUES
               ($1, 'pi_1', '{account}', 1, 2, '{{}}');
             INSERT INTO payment_alias VALUES ($1, 'pi_1', 'pi_1'), ($1, 'cs_1', 'pi_1')"
        ))
        .await;
    world
}

/// Stands in what belongs to the one tenant.
const CANARY: &str = "canary-of-the-shop";

#[test]
fn every_operation_is_decided() {
    let said = Operation::ALL.map(|operation| {
        let for_users = match operation.for_users() {
            ForUsers::No => "no",
            ForUsers::Own => "own",
            ForUsers::Told => "told",
        };
        let (method, path) = (operation.method().to_string(), operation.path());
        let (role, scope) = (operation.least_role().name(), operation.scope());
        format!("{method:<4} {path:<36} {role:<9} {scope:<17} {for_users}")
    });
    assert_eq!(format!("\n{}\n", said.join("\n")), DECIDED);
    for operation in Operation::ALL {
        let is_read = operation.method() == Method::GET;
        assert_eq!(operation.scope().ends_with(":read"), is_read, "{operation:?}");
        assert!(is_read || operation.for_users() == ForUsers::No, "{operation:?}");
        assert!(is_read || operation.least_role() > KeyRole::Read, "{operation:?}");
        let names_user = operation.path().contains("{user}");
        assert!(names_user || operation.for_users() != ForUsers::Own, "{operation:?}");
    }
}

#[tokio::test]
async fn every_operation_asks_for_its_role() {
    let world = world().await;
    for operation in Operation::ALL {
        let (method, path, least) = (operation.method(), path(operation), operation.least_role());
        let answer = world.send(None, method.clone(), &path, None).await;
        answer.refused(401, "unauthorized", None);
        assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
        for role in KeyRole::ALL {
            let status = world.ask(role, method.clone(), &path, None).await.status;
            let refused = status == StatusCode::FORBIDDEN;
            assert_eq!(refused, role < least, "{method} {path} as {}: {status}", role.name());
            assert_ne!(status, StatusCode::UNAUTHORIZED);
            assert!(!status.is_server_error(), "{method} {path} as {}: {status}", role.name());
        }
    }
}

#[tokio::test]
async fn no_operation_shows_another_tenants_things() {
    let world = world().await;
    let other = world.tenant("other").await;
    let api = world.api(&[world.tenant.clone(), other.clone()], Access::default());
    for role in KeyRole::ALL {
        let (_, own) = make_key(&world.login, &world.tenant, role).await;
        let (_, key) = make_key(&world.login, &other, role).await;
        for operation in Operation::ALL {
            let (method, path) = (operation.method(), path(operation));
            let answer = api.send(Some(&key), method.clone(), &path, None).await;
            let what = format!("{method} {path} as {}: {}", role.name(), answer.status);
            let refused = answer.status == StatusCode::FORBIDDEN;
            assert_eq!(refused, role < operation.least_role(), "{what}");
            assert!(!answer.status.is_server_error(), "{what}");
            let text = String::from_utf8_lossy(&answer.bytes);
            assert!(!text.contains(CANARY), "{what}: {text}");
            if operation.method() == Method::GET && !refused {
                // To one tenant, what the other has is what nobody has.
                let nobodys = path.replace("u_1", "u_0").replace("_1", "_0");
                let nobodys = api.send(Some(&key), method, &nobodys, None).await;
                assert_eq!(nobodys.status, answer.status, "{what}");
            }
        }
        let answer = api.send(Some(&own), Method::GET, "/v1/users/u_1", None).await;
        assert!(String::from_utf8_lossy(&answer.bytes).contains(CANARY));
    }
}

#[tokio::test]
async fn a_narrowed_key_does_what_its_scopes_say_and_its_role_may() {
    let world = world().await;
    let scopes = scopes_of(KeyRole::Admin);
    let narrow = async |role, scopes: &[&str]| {
        make_narrow_key(&world.login, &world.tenant, role, Some(scopes)).await.1
    };
    for scope in scopes {
        let key = narrow(KeyRole::Admin, &[scope]).await;
        for operation in Operation::ALL {
            let answer = world.send(Some(&key), operation.method(), &path(operation), None).await;
            let refused = answer.status == StatusCode::FORBIDDEN;
            assert_eq!(refused, operation.scope() != scope, "{operation:?} with {scope}");
        }
    }
    let two = narrow(KeyRole::Read, &["users:read", "cases:read"]).await;
    world.send(Some(&two), Method::GET, "/v1/users/u_1", None).await.ok();
    for (path, told) in [("/v1/users/u_1/balance", "balance:read"), ("/v1/cases", "support")] {
        let answer = world.send(Some(&two), Method::GET, path, None).await;
        let problem = answer.refused(403, "forbidden", None);
        assert!(problem["detail"].as_str().unwrap().contains(told), "{problem}");
    }
    let read =
        "balance:read checkout:read grants:read holds:read postings:read spends:read users:read";
    assert_eq!(scopes_of(KeyRole::Read).join(" "), read);
}

#[tokio::test]
async fn what_is_not_served_is_said_so() {
    let world = World::new().await;
    for path in ["/", "/v1", "/v1/users/u_1/nothing", "/metrics", "/console"] {
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
    world.hands.advance(SignedDuration::from_hours(1));
    world.send(Some(&text), Method::GET, "/v1/users/u_1", None).await.refused(
        401,
        "unauthorized",
        None,
    );
}

#[tokio::test]
async fn a_rotated_key_goes_on_for_its_grace_and_leaves_what_it_could_to_its_successor() {
    let world = World::new().await;
    world.register("u_1").await;
    let (tenant, now) = (&world.tenant, NOW.parse().unwrap());
    let scopes: &[&str] = &["users:read"];
    let (old_id, old) = make_narrow_key(&world.login, tenant, KeyRole::App, Some(scopes)).await;
    world
        .run(&format!(
            "UPDATE api_key SET expires_at = '2026-11-24T10:00:00Z' WHERE key_id = '{old_id}'"
        ))
        .await;
    let grace_ends = "2026-11-22T10:00:00Z".parse().unwrap();
    let rotate = async |id: &str| {
        store::keys::rotate(&world.login, tenant, id, grace_ends, now).await.unwrap()
    };
    let Rotated::Now(key, new) = rotate(&old_id).await else { panic!("not rotated") };
    let seen = (key.role, key.name.as_str(), key.scopes.clone(), key.replaces.clone());
    let scopes = Some(vec!["users:read".to_owned()]);
    assert_eq!(seen, (KeyRole::App, "app of shop", scopes, Some(old_id.clone())));
    // It was made for three days, and so is its successor.
    assert_eq!(key.expires_at, "2026-11-24T10:00:00Z".parse().ok());
    let Rotated::Before(successor) = rotate(&old_id).await else { panic!("rotated twice") };
    assert_eq!(successor, key.key_id);

    let status =
        async |text: &str| world.send(Some(text), Method::GET, "/v1/users/u_1", None).await.status;
    assert_eq!((status(&old).await, status(new.expose()).await), (StatusCode::OK, StatusCode::OK));
    world.hands.advance(SignedDuration::from_hours(24));
    assert_eq!(status(new.expose()).await, StatusCode::OK);
    wait_for("the old key to end", async || {
        (status(&old).await == StatusCode::UNAUTHORIZED).then_some(())
    })
    .await;

    let revoked = store::keys::revoke(&world.login, tenant.tenant_id, &key.key_id, now).await;
    assert!(revoked.unwrap());
    for gone in [key.key_id.as_str(), "key_nothing"] {
        assert!(matches!(rotate(gone).await, Rotated::Gone), "{gone}");
    }
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
async fn a_database_that_only_reads_answers_who_reads() {
    let world = World::new().await;
    world.register("u_1").await;
    let (_, key) = make_key(&world.login, &world.tenant, KeyRole::App).await;
    let only_reads = "DO $do$ BEGIN
                          EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
                      END $do$";
    world.sql.batch_execute(only_reads).await.unwrap();
    let api = world.api(std::slice::from_ref(&world.tenant), Access::default());
    api.send(Some(&key), Method::GET, "/v1/users/u_1/balance", None).await.ok();
    api.send(Some(&key), Method::PUT, "/v1/users/u_2", Some(json!({}))).await.refused(
        503,
        "unavailable",
        None,
    );
}

/// What nobody remembers any more is looked up for all who wait for it, by one of them: otherwise those who come in the same
/// moment would take every connection, and wait for them in vain.
#[tokio::test]
async fn a_key_that_many_come_with_is_looked_up_once() {
    let world = World::new().await;
    // Refused at the door: nothing else is asked of the database.
    let asked = (0..200).map(|_| world.get("/v1/users/u_1/balance?colour=blue"));
    for answer in join_all(asked).await {
        answer.refused(400, "parameter_unknown", Some("colour"));
    }
    let sql = "SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND query LIKE '-- keys.%'";
    assert_eq!(world.sql.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 1);
}

#[tokio::test]
async fn without_a_database_the_answer_is_to_come_again() {
    let api = Api::without_database();
    let key = format!("tally_test_{}_{}", "a".repeat(12), "b".repeat(43));
    let answer = api.send(Some(&key), Method::GET, "/v1/users/u_1", None).await;
    answer.refused(503, "unavailable", None);
    assert!(answer.headers.contains_key(header::RETRY_AFTER));
}
