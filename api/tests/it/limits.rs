//! Who asks too often is told when to come again, before anything is looked up.

use std::slice::from_ref;

use api::{Access, RateLimit};
use http::{Method, StatusCode, header};
use store::keys::KeyRole;
use testkit::wait_for;

use crate::support::{Answer, Api, World, make_key};
use crate::tokens::{Signer, issuer};

/// So many requests in a row take less time than it takes to be allowed as many.
const MANY: usize = 60;

fn limit(text: &str) -> RateLimit {
    text.parse().unwrap()
}

async fn read(api: &Api, key: &str) -> Answer {
    api.send(Some(key), Method::GET, "/v1/users/u_1", None).await
}

/// Asks again and again until it is refused.
async fn until_refused(api: &Api, key: &str) -> (usize, Answer) {
    for asked in 0..MANY {
        let answer = read(api, key).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            return (asked, answer);
        }
    }
    panic!("{MANY} requests were let in");
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_when_to_come_again() {
    let world = World::new().await;
    world.register("u_1").await;
    let access = Access { key_limit: Some(limit("1:5")), ..Access::default() };
    let api = world.api(from_ref(&world.tenant), access);
    let (_, busy) = make_key(&world.login, &world.tenant, KeyRole::Read).await;
    let (_, other) = make_key(&world.login, &world.tenant, KeyRole::Read).await;
    let (asked, refused) = until_refused(&api, &busy).await;
    assert!(asked >= 5, "refused after {asked}");
    refused.refused(429, "rate_limited", None);
    assert_eq!(refused.headers[header::RETRY_AFTER], "1");
    read(&api, &other).await.ok();
    wait_for("the key to be let in again", async || {
        (read(&api, &busy).await.status == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_a_limit_a_key_asks_as_often_as_it_likes() {
    let world = World::new().await;
    world.register("u_1").await;
    let access = Access { user_limit: Some(limit("1")), ..Access::default() };
    let api = world.api(from_ref(&world.tenant), access);
    let (_, key) = make_key(&world.login, &world.tenant, KeyRole::Read).await;
    for _ in 0..MANY {
        read(&api, &key).await.ok();
    }
}

#[tokio::test]
async fn a_user_is_counted_whatever_his_token_and_the_database_is_not_asked() {
    let signers = [Signer::p256("k1"), Signer::p256("k2")];
    let issuers = vec![(1, issuer(&signers.each_ref()))];
    let api = Api::without_database_but(Access {
        issuers,
        user_limit: Some(limit("1:4")),
        ..Access::default()
    });
    let tokens = signers.each_ref().map(|signer| signer.token("u_1"));
    // Who is let in finds no database; who is refused does not come so far.
    read(&api, &tokens[0]).await.refused(503, "unavailable", None);
    read(&api, &tokens[1]).await.refused(503, "unavailable", None);
    until_refused(&api, &tokens[0]).await.1.refused(429, "rate_limited", None);
    // Another user is not counted with him, though this is none of his either.
    read(&api, &signers[0].token("u_2")).await.refused(403, "forbidden", None);
}
