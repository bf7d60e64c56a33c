//! What a checkout is started with: signed, complete, within Stripe's limits, and for nobody else's e-mail.

use std::collections::BTreeMap;

use http::Method;
use rules::hashing::EvidenceKey;
use serde_json::{Value, json};
use store::keys::KeyRole;

use crate::support::{Answer, NOW, World, signing_keys};

const PATH: &str = "/v1/checkout_params";

/// A world in which some users have these e-mails, verified or not.
async fn world(users: &[(&str, Option<(&str, bool)>)]) -> World {
    let world = World::new().await;
    for (user, email) in users {
        world.register(user).await;
        if let Some((email, is_verified)) = email {
            let hash = EvidenceKey::new(&world.tenant.evidence_key).hash_text(email).unwrap();
            world
                .run(&format!(
                    "UPDATE app_user SET email = '{email}', email_verified = {is_verified},
                            email_hash = '\\x{hash}' WHERE tenant_id = $1 AND user_id = '{user}'"
                ))
                .await;
        }
    }
    world
}

async fn ask(world: &World, body: Value) -> Answer {
    world.ask(KeyRole::App, Method::POST, PATH, Some(body)).await
}

fn seconds_of(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().unwrap().as_second()
}

#[tokio::test]
async fn the_answer_is_signed_and_repeated_where_stripe_hands_nothing_on() {
    let world = world(&[("u_1", None)]).await;
    let body =
        json!({"user": "u_1", "price": "price_50", "quantity": 3, "metadata": {"order": "7"}});
    let answer = ask(&world, body).await.ok();
    let reference = answer["client_reference_id"].as_str().unwrap();
    let metadata = json!({"order": "7", "tally_reference": reference});
    let expected = json!({
        "client_reference_id": reference, "customer_creation": "always", "metadata": metadata,
        "payment_intent_data": {"metadata": metadata},
    });
    assert_eq!(answer, expected);
    assert!(reference.len() <= 200, "{reference}");

    let keys = signing_keys(&world.tenant);
    let signed_for = 2 * 24 * 60 * 60;
    let terms = keys.verify(reference, seconds_of(NOW) + signed_for).unwrap();
    assert_eq!((terms.user.as_str(), terms.price.as_str(), terms.quantity), ("u_1", "price_50", 3));
    assert_eq!((terms.credits, terms.unit, terms.tenant.as_str()), (None, None, "shop:test"));
    assert!(keys.verify(reference, seconds_of(NOW) + signed_for + 1).is_err());

    let again = ask(&world, json!({"user": "u_1", "price": "price_50", "quantity": 3})).await.ok();
    assert_ne!(again["client_reference_id"], reference, "each is for one checkout");
}

#[tokio::test]
async fn as_many_as_there_are_connections_may_ask_at_once() {
    let world = world(&[("u_1", Some(("ada@example.com", true)))]).await;
    let body = json!({"user": "u_1", "price": "price_50", "email": "ada@example.com"});
    let one = || ask(&world, body.clone());
    // Twice as many as the pool has.
    let four = || async { tokio::join!(one(), one(), one(), one()) };
    let answers = tokio::join!(four(), four(), four(), four());
    for (a, b, c, d) in [answers.0, answers.1, answers.2, answers.3] {
        for answer in [a, b, c, d] {
            answer.ok();
        }
    }
}

#[tokio::test]
async fn a_subscription_hands_its_metadata_on_and_makes_its_customer_itself() {
    let world = world(&[("u_1", None)]).await;
    let body = json!({"user": "u_1", "price": "price_50", "mode": "subscription"});
    let answer = ask(&world, body).await.ok();
    let members: Vec<_> = answer.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["client_reference_id", "metadata", "subscription_data"]);
    assert_eq!(answer["subscription_data"]["metadata"], answer["metadata"]);
}

#[tokio::test]
async fn a_user_stays_the_customer_that_he_is() {
    let world = world(&[("u_1", None)]).await;
    world
        .run(
            "INSERT INTO customer_link (tenant_id, account, customer, from_pos, user_id, to_pos) VALUES
               ($1, '', 'cus_old', 1, 'u_1', NULL), ($1, '', 'cus_new', 2, 'u_1', NULL),
               ($1, '', 'cus_ended', 3, 'u_1', 4), ($1, '', 'sub_1', 3, 'u_1', NULL),
               ($1, 'acct_1', 'cus_of_another_account', 3, 'u_1', NULL),
               ($1, '', 'cus_of_another_user', 3, 'u_2', NULL)",
        )
        .await;
    for mode in ["payment", "subscription"] {
        let answer =
            ask(&world, json!({"user": "u_1", "price": "price_50", "mode": mode})).await.ok();
        assert_eq!(answer["customer"], "cus_new");
        assert_eq!(answer.get("customer_creation"), None);
    }
}

#[tokio::test]
async fn a_reference_that_is_too_long_for_one_place_stands_in_the_other() {
    let long = "u".repeat(200);
    let world = world(&[(&long, None)]).await;
    let answer = ask(&world, json!({"user": long, "price": "price_50"})).await.ok();
    assert_eq!(answer.get("client_reference_id"), None);
    let reference = answer["metadata"]["tally_reference"].as_str().unwrap();
    assert_eq!(signing_keys(&world.tenant).verify(reference, 0).unwrap().user, long);
}

#[tokio::test]
async fn an_email_of_another_user_is_refused() {
    let world = world(&[
        ("u_ada", Some(("ada@example.com", true))),
        ("u_bob", Some(("bob@example.com", true))),
        ("u_eve", Some(("shared@example.com", false))),
        ("u_fay", Some(("shared@example.com", false))),
        ("u_mal", Some(("ada@example.com", false))),
    ])
    .await;
    for (user, email, is_refused) in [
        ("u_ada", "ada@example.com", false),
        ("u_ada", "new@example.com", false),
        ("u_ada", "BOB@example.com", true),
        ("u_ada", "shared@example.com", true),
        ("u_mal", "ada@example.com", true),
        ("u_fay", "shared@example.com", false),
    ] {
        let answer = ask(&world, json!({"user": user, "email": email, "price": "price_50"})).await;
        if is_refused {
            answer.refused(409, "email_taken", Some("email"));
        } else {
            answer.ok();
        }
    }
}

#[tokio::test]
async fn what_cannot_be_signed_is_refused_by_name() {
    let world = world(&[("u_1", None)]).await;
    let base = json!({"user": "u_1", "price": "price_50"});
    let with = |fields: Value| {
        let mut body = base.clone();
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    let pairs = |count: usize| -> BTreeMap<String, &str> {
        (0..count).map(|number| (number.to_string(), "x")).collect()
    };
    ask(&world, with(json!({"metadata": pairs(49)}))).await.ok();
    let limit = json!({"k".repeat(40): "v".repeat(500)});
    ask(&world, with(json!({"metadata": limit, "quantity": 1_000_000}))).await.ok();

    ask(&world, json!({"price": "price_50"})).await.refused(400, "parameter_missing", Some("user"));
    ask(&world, json!({"user": "u_1"})).await.refused(400, "parameter_missing", Some("price"));
    ask(&world, with(json!({"credits": 5}))).await.refused(
        400,
        "parameter_unknown",
        Some("credits"),
    );
    for (fields, param) in [
        (json!({"metadata": pairs(50)}), "metadata"),
        (json!({"metadata": {"k".repeat(41): "v"}}), "metadata"),
        (json!({"metadata": {"": "v"}}), "metadata"),
        (json!({"metadata": {"a[b]": "v"}}), "metadata"),
        (json!({"metadata": {"k": "v".repeat(501)}}), "metadata.k"),
        (json!({"metadata": {"k": 1}}), "metadata.k"),
        (json!({"metadata": {"tally_reference": "tly1_x"}}), "metadata.tally_reference"),
        (json!({"quantity": 0}), "quantity"),
        (json!({"quantity": 1_000_001}), "quantity"),
        (json!({"quantity": "1"}), "quantity"),
        (json!({"price": ""}), "price"),
        (json!({"price": "p".repeat(256)}), "price"),
        (json!({"price": " price_50"}), "price"),
        (json!({"mode": "setup"}), "mode"),
        (json!({"email": "ada"}), "email"),
        (json!({"user": 1}), "user"),
    ] {
        let answer = ask(&world, with(fields.clone())).await;
        answer.refused(400, "parameter_invalid", Some(param));
    }
    let path = format!("{PATH}?x=1");
    let answer = world.ask(KeyRole::App, Method::POST, &path, Some(base.clone())).await;
    answer.refused(400, "parameter_unknown", Some("x"));
}

#[tokio::test]
async fn nobody_is_signed_for_whom_nobody_knows() {
    let world = world(&[]).await;
    for user in ["u_1", "", "undefined", &"u".repeat(300)] {
        let answer = ask(&world, json!({"user": user, "price": "price_50"})).await;
        answer.refused(404, "user_not_found", Some("user"));
    }
}

#[tokio::test]
async fn only_the_apps_server_may_sign() {
    let world = world(&[("u_1", None)]).await;
    let body = json!({"user": "u_1", "price": "price_50"});
    let refused = world.ask(KeyRole::Read, Method::POST, PATH, Some(body.clone())).await;
    refused.refused(403, "forbidden", None);
    let refused = world.send(None, Method::POST, PATH, Some(body)).await;
    refused.refused(401, "unauthorized", None);
}
