//! A thousand spends at once for the last credit.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use super::app::App;
use super::operation::Ask;
use super::users;
use crate::cluster::Cluster;
use crate::storm::registrations;
use crate::{ONE_AT_A_TIME, checks, number};

/// Spends at once.
const SPENDS: usize = 1_000;

/// HTTP/2 connections that they come over. A server takes 128 requests of each at a time.
const CONNECTIONS: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_spends_one_gets_the_last_credit() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let rounds = usize::try_from(number("TALLY_RACE_ROUNDS", 2)).unwrap();
    let mut cluster = Cluster::start(0, 1).await;
    cluster.tell(&registrations(0..rounds)).await;
    for role in ["api", "api"] {
        cluster.start_one(role);
    }
    checks::quiescence(&cluster).await;
    let mut apps = Vec::new();
    for _ in 0..CONNECTIONS {
        apps.push(App::multiplexed(&cluster).await);
    }
    for (round, user) in users(rounds).into_iter().enumerate() {
        let last = Ask::Grant { amount: 1, priority: 0, expires_at: None };
        let granted = apps[0].ask(0, (&user, &last), &format!("grant {round}")).await;
        assert_eq!(granted.status, 201, "{granted:?}");
        let mut spends = JoinSet::new();
        for number in 0..SPENDS {
            let (app, user) = (apps[number % CONNECTIONS].clone(), user.clone());
            let key = format!("spend {round} {number}");
            spends.spawn(async move {
                app.ask(number / CONNECTIONS, (&user, &Ask::Spend { amount: 1 }), &key).await.status
            });
        }
        let mut answers = BTreeMap::new();
        for status in spends.join_all().await {
            *answers.entry(status).or_insert(0) += 1;
        }
        assert_eq!(answers, BTreeMap::from([(201, 1), (402, SPENDS - 1)]), "round {round}");
    }
    assert_eq!(cluster.tally(&["verify"]).await, Some(0), "verify: {}", cluster.words());
}
