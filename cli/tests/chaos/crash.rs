//! Processes and Postgres are killed at random moments, under load. Nothing acknowledged is lost, nothing is counted
//! twice, and whatever comes back goes on by itself.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::cluster::Cluster;
use crate::sender::deliver;
use crate::storm::{EARLY_USERS, LATE_USERS, Storm, registrations};
use crate::{ONE_AT_A_TIME, checks, number, seed};

/// Deliveries that are mixed up at a time: a purchase's doors lie some seconds apart.
const DISORDER: usize = 300;

/// Longest time between two kills. What happens in it is up to the processes, which is the point.
const QUIET_MAX: Duration = Duration::from_millis(400);

/// Most rounds that are added to find an open transaction.
const ROUNDS_MAX: u64 = 100;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_by_crashes() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let (rounds, of_postgres) =
        (number("TALLY_CRASH_ROUNDS", 8), number("TALLY_CRASH_POSTGRES", 3));
    let seed = seed();
    let storm = Arc::new(Mutex::new(Storm::new(seed, usize::MAX, DISORDER)));
    let mut cluster = Cluster::start(2, 2).await;
    cluster.tell(&registrations(0..EARLY_USERS)).await;

    let addresses = cluster.addresses();
    let sending = {
        let storm = Arc::clone(&storm);
        tokio::spawn(async move { deliver(&storm, &addresses).await })
    };
    let mut chance = StdRng::seed_from_u64(seed);
    let mut late = EARLY_USERS..EARLY_USERS + LATE_USERS;
    // Kills of Postgres are spread evenly over the rounds.
    let kills_by = |round: u64| (round * of_postgres).checked_div(rounds).unwrap_or_default();
    let mut round = 0;
    // A few more, if by chance no kill met an open transaction yet: that is what this test is about.
    while round < rounds || (round < ROUNDS_MAX && cluster.rolled_back_by_kills() == 0) {
        round += 1;
        tokio::time::sleep(chance.random_range(Duration::ZERO..QUIET_MAX)).await;
        checks::open_transaction(&cluster).await;
        // Any number of them at once, but one at least.
        let victims = chance.random_range(1..1_u32 << cluster.processes.len());
        cluster.kill_processes(victims).await;
        if let Some(number) = late.next() {
            cluster.tell(&registrations(number..number + 1)).await;
        }
        if kills_by(round) > kills_by(round - 1) {
            tokio::time::sleep(chance.random_range(Duration::ZERO..QUIET_MAX)).await;
            cluster.kill_postgres();
        }
    }
    cluster.tell(&registrations(late)).await;
    storm.lock().unwrap().abate();
    let acks = sending.await.unwrap();

    checks::quiescence(&cluster).await;
    cluster.assert_all_running();
    let storm = Arc::into_inner(storm).unwrap().into_inner().unwrap();
    checks::everything(&cluster, &storm, &acks).await;
    let rolled_back = cluster.rolled_back_by_kills();
    eprintln!("{} deliveries, {rolled_back} transactions rolled back by kills", acks.len());
    assert!(rolled_back > 0, "no kill met an open transaction");
}
