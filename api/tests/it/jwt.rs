//! Users with tokens of the app's issuer: which tokens hold, and what they open.

use std::slice::from_ref;

use api::{Access, ForUsers, Issuer, IssuerTold, Operation};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode, header};
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ledger::ids::Owner;
use serde_json::{Value, json};
use testkit::wait_for;

use crate::support::{Answer, Api, World};
use crate::tokens::{AUDIENCE, KeyServer, Signer, claims, issuer, jwks, told, with};

const SECRET: &str = "8d1f6c0b97a24e35f7c9d2ab60e41358";

fn trusting(world: &World, issuer: Issuer) -> Api {
    let issuers = vec![(world.tenant.tenant_id, issuer)];
    world.api(from_ref(&world.tenant), Access { issuers, ..Access::default() })
}

/// Reads the user `u_1` with this token.
async fn read(api: &Api, token: &str) -> Answer {
    api.send(Some(token), Method::GET, "/v1/users/u_1", None).await
}

#[track_caller]
fn check_refused(answer: &Answer, what: &str) -> Value {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}: {}", answer.json());
    assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer", "{what}");
    answer.refused(401, "unauthorized", None)["detail"].clone()
}

#[tokio::test]
async fn a_user_reads_what_is_his_and_nothing_else() {
    let world = World::new().await;
    world.register("u_1").await;
    world.register("u_2").await;
    let signer = Signer::p256("k1");
    let api = trusting(&world, issuer(&[&signer]));
    let token = signer.token("u_1");
    for operation in Operation::ALL {
        let ask = async |user: &str| {
            let path = operation.path().replace("{user}", user);
            let path = path.replace("{id}", "nothing_1").replace("{key}", "price_1");
            api.send(Some(&token), operation.method(), &path, None).await
        };
        match operation.for_users() {
            ForUsers::Own => {
                assert_eq!(operation.method(), Method::GET);
                assert_eq!(ask("u_1").await.status, StatusCode::OK, "{operation:?}");
                let others = ask("u_2").await.refused(403, "forbidden", None);
                // Whether somebody exists cannot be told from the answer.
                assert_eq!(ask("u_9").await.refused(403, "forbidden", None), others);
                assert_eq!(ask("u_1%20").await.refused(403, "forbidden", None), others);
                assert_eq!(ask("U_1").await.refused(403, "forbidden", None), others);
                assert_eq!(ask("u%5F1").await.status, StatusCode::OK, "{operation:?}");
            }
            ForUsers::Told => {
                assert_eq!(operation.method(), Method::GET);
                ask("u_1").await.ok();
            }
            ForUsers::No => {
                ask("u_1").await.refused(403, "forbidden", None);
            }
        }
    }
}

#[tokio::test]
async fn a_user_who_was_never_registered_is_told_so() {
    let world = World::new().await;
    let signer = Signer::ed25519("k1");
    let api = trusting(&world, issuer(&[&signer]));
    read(&api, &signer.token("u_1")).await.refused(404, "user_not_found", Some("user"));
}

#[tokio::test]
async fn each_kind_of_key_verifies_what_it_signed() {
    let world = World::new().await;
    world.register("u_1").await;
    let signers = [Signer::rsa("k1"), Signer::p256("k2"), Signer::ed25519("k3")];
    let api = trusting(&world, issuer(&signers.each_ref()));
    for signer in &signers {
        read(&api, &signer.token("u_1")).await.ok();
        let nameless = Header { kid: None, ..signer.header() };
        read(&api, &signer.sign_as(&nameless, &claims("u_1"))).await.ok();
    }
    let several = with(claims("u_1"), "aud", json!(["other", AUDIENCE]));
    read(&api, &signers[1].sign(&several)).await.ok();
    let fractions = with(claims("u_1"), "exp", json!(1_800_000_000.5));
    read(&api, &signers[1].sign(&fractions)).await.ok();
}

#[tokio::test]
async fn what_does_not_hold_opens_nothing() {
    let world = World::new().await;
    world.register("u_1").await;
    let signer = Signer::p256("k1");
    let api = trusting(&world, issuer(&[&signer]));
    let good = claims("u_1");
    let exp = good["exp"].as_i64().unwrap();
    let changed = |name: &str, value: Value| signer.sign(&with(good.clone(), name, value));
    let signature = signer.token("u_1").rsplit_once('.').unwrap().1.to_owned();
    let other = signer.token("u_2");
    let swapped = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
    let critical = Header { crit: Some(vec!["b64".to_owned()]), ..signer.header() };
    for (what, token, told) in [
        ("no token", "abc".to_owned(), "neither a key nor a token"),
        ("two parts", "e30.e30".to_owned(), "neither"),
        ("too long", format!("{}.e30.e30", "a".repeat(9000)), "neither"),
        ("an extension", signer.sign_as(&critical, &good), "neither"),
        ("another issuer", changed("iss", json!("https://evil.example")), "issuer"),
        ("no issuer", changed("iss", Value::Null), "claim"),
        ("another audience", changed("aud", json!("shop")), "audience"),
        ("a part of the audience", changed("aud", json!("credit")), "audience"),
        ("no audience", changed("aud", Value::Null), "claim"),
        ("nobody's audience", changed("aud", json!([])), "audience"),
        ("no end", changed("exp", Value::Null), "claim"),
        ("a text as end", changed("exp", json!(exp.to_string())), "claim"),
        ("ended", changed("exp", json!(exp - 330)), "has ended"),
        ("not begun", changed("nbf", json!(exp)), "does not hold yet"),
        ("no user", changed("sub", Value::Null), "claim"),
        ("an empty user", changed("sub", json!("")), "claim"),
        ("a number as user", changed("sub", json!(1)), "claim"),
        ("another signature", swapped, "signature"),
        ("another key of that id", Signer::p256("k1").token("u_1"), "signature"),
        ("a key that nobody has", Signer::p256("k2").token("u_1"), "no key"),
        ("another kind of key", Signer::ed25519("k1").token("u_1"), "no key"),
    ] {
        let detail = check_refused(&read(&api, &token).await, what);
        assert!(detail.as_str().unwrap().contains(told), "{what}: {detail}");
    }
    read(&api, &changed("exp", json!(exp - 329))).await.ok();
    read(&api, &changed("nbf", json!(exp - 270))).await.ok();
}

#[tokio::test]
async fn a_public_key_is_no_secret_and_no_algorithm_is_none() {
    let world = World::new().await;
    world.register("u_1").await;
    let signer = Signer::rsa("k1");
    let api = trusting(&world, issuer(&[&signer]));
    read(&api, &signer.token("u_1")).await.ok();

    let jwk = signer.jwk();
    let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
    for public in [&modulus[..], jwk.to_string().as_bytes(), jwks(&[&signer]).as_bytes(), b""] {
        let forged = encode(&header, &claims("u_1"), &EncodingKey::from_secret(public)).unwrap();
        let detail = check_refused(&read(&api, &forged).await, "HS256 by a public key");
        assert!(detail.as_str().unwrap().contains("algorithm"), "{detail}");
    }
    // Its own key, but an algorithm that is not on the list.
    let other = Header { alg: Algorithm::RS384, ..signer.header() };
    check_refused(&read(&api, &signer.sign_as(&other, &claims("u_1"))).await, "RS384");
    for none in ["none", "None", "NONE", "nOnE"] {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let unsigned =
            format!("{}.{}", part(json!({"alg": none, "kid": "k1"})), part(claims("u_1")));
        for signature in ["", "AA"] {
            check_refused(&read(&api, &format!("{unsigned}.{signature}")).await, none);
        }
    }
    // A key that comes along in the header is nobody's.
    let own = Signer::rsa("k1");
    let embedded = serde_json::from_value(own.jwk()).unwrap();
    let brought = Header { jwk: Some(embedded), kid: None, ..own.header() };
    check_refused(&read(&api, &own.sign_as(&brought, &claims("u_1"))).await, "a key of its own");
}

#[tokio::test]
async fn a_shared_secret_goes_with_one_algorithm() {
    let world = World::new().await;
    world.register("u_1").await;
    let secret = IssuerTold { secret: Some(SECRET.to_owned().into()), ..told() };
    let api = trusting(&world, Issuer::new(secret, false).unwrap());
    let sign = |algorithm, secret: &str| {
        let key = EncodingKey::from_secret(secret.as_bytes());
        encode(&Header::new(algorithm), &claims("u_1"), &key).unwrap()
    };
    read(&api, &sign(Algorithm::HS256, SECRET)).await.ok();
    check_refused(&read(&api, &sign(Algorithm::HS512, SECRET)).await, "HS512");
    check_refused(&read(&api, &sign(Algorithm::HS256, "another")).await, "another secret");
    check_refused(&read(&api, &Signer::rsa("k1").token("u_1")).await, "RS256");
}

#[tokio::test]
async fn issuer_and_audience_say_whose_user_it_is() {
    let world = World::new().await;
    world.register("u_1").await;
    let other = world.tenant("other").await;
    let signer = Signer::p256("k1");
    let elsewhere =
        IssuerTold { audience: Some("other".to_owned()), jwks: Some(jwks(&[&signer])), ..told() };
    let issuers = vec![
        (other.tenant_id, Issuer::new(elsewhere, false).unwrap()),
        (world.tenant.tenant_id, issuer(&[&signer])),
    ];
    let api = world.api(&[world.tenant.clone(), other], Access { issuers, ..Access::default() });
    read(&api, &signer.token("u_1")).await.ok();
    let there = signer.sign(&with(claims("u_1"), "aud", json!("other")));
    read(&api, &there).await.refused(404, "user_not_found", Some("user"));
    // Other audiences of the issuer's are no business of ours; of two that are, neither is believed.
    let for_all = |audiences: Value| signer.sign(&with(claims("u_1"), "aud", audiences));
    read(&api, &for_all(json!(["elsewhere", AUDIENCE]))).await.ok();
    for both in [json!(["other", AUDIENCE]), json!([AUDIENCE, "other"])] {
        check_refused(&read(&api, &for_all(both)).await, "audience");
    }
}

#[tokio::test]
async fn a_new_key_is_read_from_the_issuer_but_not_for_every_stranger() {
    let (world, server) = (World::new().await, KeyServer::start().await);
    world.register("u_1").await;
    let (old, new) = (Signer::rsa("k1"), Signer::p256("k2"));
    server.say(StatusCode::OK, jwks(&[&old]));
    let at = IssuerTold { jwks_url: Some(server.url.clone()), ..told() };
    let api = trusting(&world, Issuer::new(at, false).unwrap());
    read(&api, &old.token("u_1")).await.ok();
    read(&api, &old.token("u_1")).await.ok();
    assert_eq!(server.asked(), 1);

    server.say(StatusCode::OK, jwks(&[&old, &new]));
    check_refused(&read(&api, &new.token("u_1")).await, "just asked");
    assert_eq!(server.asked(), 1, "asked too soon");
    world.hands.advance(SignedDuration::from_secs(10));
    read(&api, &new.token("u_1")).await.ok();
    assert_eq!(server.asked(), 2);
    for stranger in 0..20 {
        let header = Header { kid: Some(format!("stranger_{stranger}")), ..new.header() };
        check_refused(&read(&api, &new.sign_as(&header, &claims("u_1"))).await, "a stranger");
    }
    assert_eq!(server.asked(), 2, "strangers made it ask");

    // What the issuer withdrew opens nothing once its keys were read again.
    server.say(StatusCode::OK, jwks(&[&new]));
    world.hands.advance(SignedDuration::from_mins(10));
    let late = |signer: &Signer| signer.sign(&with(claims("u_1"), "exp", json!(2_000_000_000)));
    read(&api, &late(&new)).await.ok();
    wait_for("the withdrawn key to be refused", async || {
        let answer = read(&api, &late(&old)).await;
        (answer.status == StatusCode::UNAUTHORIZED).then_some(())
    })
    .await;
    assert_eq!(server.asked(), 3);
}

#[tokio::test]
async fn keys_are_kept_while_the_issuer_is_down_for_a_day() {
    let (world, server) = (World::new().await, KeyServer::start().await);
    world.register("u_1").await;
    let signer = Signer::ed25519("k1");
    let at = IssuerTold { jwks_url: Some(server.url.clone()), ..told() };
    let api = trusting(&world, Issuer::new(at, false).unwrap());
    let late = signer.sign(&with(claims("u_1"), "exp", json!(2_000_000_000)));
    let unavailable = async || {
        let answer = read(&api, &late).await;
        answer.refused(503, "unavailable", None);
        assert_eq!(answer.headers[header::RETRY_AFTER], "10");
    };

    let moved = (StatusCode::FOUND, jwks(&[&signer]));
    let endless = (StatusCode::OK, format!("{}{}", jwks(&[&signer]), " ".repeat(128 * 1024)));
    let empty = (StatusCode::OK, json!({"keys": [{"kty": "oct", "k": "AAAA"}]}).to_string());
    let broken = (StatusCode::OK, "<html>".to_owned());
    for (status, body) in [moved, endless, empty, broken] {
        let asked = server.asked();
        server.say(status, body);
        unavailable().await;
        assert_eq!(server.asked(), asked + 1);
        world.hands.advance(SignedDuration::from_secs(10));
    }
    server.say(StatusCode::OK, jwks(&[&signer]));
    read(&api, &late).await.ok();

    server.say(StatusCode::BAD_GATEWAY, String::new());
    let asked = server.asked();
    world.hands.advance(SignedDuration::from_hours(23));
    read(&api, &late).await.ok();
    wait_for("the issuer to be asked", async || (server.asked() > asked).then_some(())).await;
    read(&api, &late).await.ok();
    world.hands.advance(SignedDuration::from_hours(1));
    unavailable().await;
}

#[tokio::test]
async fn a_checkout_of_somebody_else_is_one_that_nobody_told_of() {
    let world = World::new().await;
    let signer = Signer::p256("k1");
    let api = trusting(&world, issuer(&[&signer]));
    let account = Owner::User("u_2".into()).account_id().0;
    world
        .run(&format!(
            "INSERT INTO owner VALUES ($1, '{account}', 1, 'u_2');
             INSERT INTO payment (tenant_id, root_key, owner_account, first_pos, status, facts) VALUES
               ($1, 'cs_1', '{account}', 1, 2, '{{}}'), ($1, 'cs_3', NULL, 1, 1, '{{}}');
             INSERT INTO payment_alias VALUES ($1, 'cs_1', 'cs_1'), ($1, 'cs_3', 'cs_3');
             INSERT INTO payment_leg (tenant_id, root_key, line, leg, unit, expected, target, posted) VALUES
               ($1, 'cs_1', 'credits', 1, 'credits', 500, 500, 500), ($1, 'cs_3', 'credits', 1, 'credits', 70, 0, 0)"
        ))
        .await;
    let ask = async |user: &str, session: &str| {
        let path = format!("/v1/checkout_sessions/{session}");
        let told = api.send(Some(&signer.token(user)), Method::GET, &path, None).await.ok();
        with(told, "id", Value::Null)
    };
    let own = ask("u_2", "cs_1").await;
    assert_eq!((&own["status"], &own["credits"]), (&json!("credited"), &json!(500)));
    assert_eq!(ask("u_1", "cs_1").await, ask("u_1", "cs_2").await);
    // It is nobody's yet: how far it is tells nothing of anybody.
    let nobodys = ask("u_1", "cs_3").await;
    let parts = ["status", "credits", "user", "payment"].map(|name| nobodys[name].clone());
    assert_eq!(parts, [json!("pending"), Value::Null, Value::Null, Value::Null]);
}
