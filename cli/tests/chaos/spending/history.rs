//! Clients of every kind on two processes that are killed again and again. Afterwards the model must tell every answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use store::statement::{Statement, query};
use tokio_postgres::types::Type;

use super::app::App;
use super::check::check;
use super::operation::{Answer, Operation};
use super::recorded::Recorded;
use super::traffic::{ACCOUNTS, Traffic};
use super::{payments, users};
use crate::cluster::Cluster;
use crate::storm::registrations;
use crate::{ONE_AT_A_TIME, checks, number, seed};

/// Longest time between two blows.
const QUIET_MAX: Duration = Duration::from_secs(2);

/// Most connections that are cut at a time.
const CUT_MAX: i64 = 4;

const CUT: Statement = Statement {
    sql: "-- spending.cut
SELECT count(pg_terminate_backend(s.pid)) FROM (
    SELECT pid FROM pg_stat_activity WHERE application_name IN ('tally_api', 'tally_projector')
    ORDER BY random() LIMIT $1) s",
    params: &[Type::INT8],
    columns: &[Type::INT8],
};

#[tokio::test(flavor = "multi_thread")]
async fn the_model_tells_every_answer_of_a_history_with_kills() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let (operations, seed) = (number("TALLY_SPENDING_OPERATIONS", 3_000), seed());
    let mut cluster = Cluster::start(1, 1).await;
    cluster.tell(&registrations(0..ACCOUNTS)).await;
    for role in ["api", "api", "keeper"] {
        cluster.start_one(role);
    }
    checks::quiescence(&cluster).await;

    let users = users(ACCOUNTS);
    let app = App::new(&cluster).await;
    let traffic = Arc::new(Traffic::new(app, users.clone(), operations));
    let flowing = tokio::spawn(Arc::clone(&traffic).flow(seed));
    let (address, is_done) = (cluster.addresses()[0], AtomicBool::new(false));
    let striking = async {
        let mut chance = StdRng::seed_from_u64(seed);
        while !flowing.is_finished() {
            tokio::time::sleep(chance.random_range(Duration::ZERO..QUIET_MAX)).await;
            strike(&mut cluster, &mut chance).await;
        }
        is_done.store(true, Ordering::Relaxed);
    };
    let ((), payments) = tokio::join!(striking, payments::arrive(address, &users, seed, &is_done));
    let operations = flowing.await.unwrap();

    checks::quiescence(&cluster).await;
    cluster.assert_all_running();
    checks::no_session_sits_in_a_transaction(&cluster).await;
    tell(&operations, payments);
    let recorded = Recorded::read(&cluster).await;
    if let Err(why) = check(&users, &operations, &recorded) {
        panic!("{why}\n{}", cluster.words());
    }
    assert_eq!(cluster.tally(&["verify"]).await, Some(0), "verify: {}", cluster.words());
    let log = cluster.server_log();
    assert!(!log.contains("deadlock detected"), "a deadlock:\n{log}");
}

/// Kills some processes, or cuts some connections.
async fn strike(cluster: &mut Cluster, chance: &mut StdRng) {
    if chance.random_bool(0.5) {
        let client = cluster.store.get().await.unwrap();
        let most = chance.random_range(1..=CUT_MAX);
        let _cut = query(&client, &CUT, &[&most]).await.unwrap();
    } else {
        cluster.kill_processes(chance.random_range(1..1_u32 << cluster.processes.len())).await;
    }
}

/// Says what came of it.
fn tell(operations: &[Operation], payments: usize) {
    let is_done = |one: &&Operation| one.answer.as_ref().is_some_and(Answer::is_success);
    let done = operations.iter().filter(is_done).count();
    let unknown = operations.iter().filter(|one| one.answer.is_none()).count();
    let refused = operations.len() - done - unknown;
    eprintln!("{done} done, {refused} refused, {unknown} not known; {payments} purchases");
    assert!(done > 0 && refused > 0, "nothing was done, or nothing refused");
}
