//! Three processes of each role at once, and a lot to do in random order. Nothing is killed; nothing may deadlock.

use std::sync::{Arc, Mutex};

use crate::cluster::Cluster;
use crate::sender::deliver;
use crate::storm::{EARLY_USERS, LATE_USERS, Storm, registrations};
use crate::{ONE_AT_A_TIME, checks, number, seed};

/// Deliveries that a purchase makes on average: nearly three doors, a fifth of them twice.
const DELIVERIES_OF_10_PURCHASES: usize = 35;

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_agree() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let deliveries = number("TALLY_CONCURRENCY_DELIVERIES", 5_000);
    let purchases = usize::try_from(deliveries).unwrap() * 10 / DELIVERIES_OF_10_PURCHASES;
    let storm = Arc::new(Mutex::new(Storm::new(seed(), purchases, usize::MAX)));
    let mut cluster = Cluster::start(3, 3).await;
    cluster.tell(&registrations(0..EARLY_USERS)).await;

    let addresses = cluster.addresses();
    let late = async {
        for number in EARLY_USERS..EARLY_USERS + LATE_USERS {
            cluster.tell(&registrations(number..number + 1)).await;
        }
    };
    let (acks, ()) = tokio::join!(deliver(&storm, &addresses), late);

    checks::quiescence(&cluster).await;
    cluster.assert_all_running();
    let storm = Arc::into_inner(storm).unwrap().into_inner().unwrap();
    checks::everything(&cluster, &storm, &acks).await;
    let log = cluster.server_log();
    assert!(!log.contains("deadlock detected"), "a deadlock:\n{log}");
}
