//! The server goes away and comes back: nothing that was acknowledged is lost, and processes heal by themselves.

use std::time::Duration;

use jiff::Timestamp;
use private_postgres::{Options, Server};
use store::log::{Appended, append};
use store::notify::{Hint, Listener};
use store::{Kind, PgUrl, Role, tenant};
use testkit::wait_for;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::support::{events, store_at};

/// Longest time after which a caller knows that the database is not there.
const SAID_WITHIN: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_is_said_in_time_and_its_return_heals() {
    let mut server = spawn_blocking(|| Server::start(&Options::default()).unwrap()).await.unwrap();
    let url = server.url("postgres");
    let _ = migrations::run(&url).await.unwrap();
    let admin = store_at(&url, Role::Login);
    let id = tenant::ensure(&admin, "shop", true, Timestamp::UNIX_EPOCH).await.unwrap().tenant_id;
    let store = store_at(&url, Role::Ingest);
    store.check().await.unwrap();
    let listener = Listener::start(&PgUrl::parse(&url).unwrap()).unwrap();
    assert_eq!(append(&store, id, &events(["evt_1"])).await.unwrap(), [Appended::Stored(1)]);

    let mut server = spawn_blocking(move || server.kill().map(|()| server)).await.unwrap().unwrap();
    let mut hints = listener.subscribe();
    // A process that starts now has nothing to connect to, one that runs has broken connections.
    for store in [store_at(&url, Role::Ingest), store.clone()] {
        for _ in 0..6 {
            let batch = events(["evt_2"]);
            let told = timeout(SAID_WITHIN, append(&store, id, &batch)).await.expect("an answer");
            assert_eq!(told.unwrap_err().kind(), Kind::Unavailable);
        }
    }

    let server = spawn_blocking(move || server.restart().map(|()| server)).await.unwrap().unwrap();
    let told = wait_for("the database to be back", async || {
        append(&store, id, &events(["evt_1", "evt_2"])).await.ok()
    });
    assert_eq!(told.await, [Appended::Duplicate(1), Appended::Stored(2)]);
    assert_eq!(hints.recv().await.unwrap(), Hint::Reconnected);
    spawn_blocking(move || server.stop()).await.unwrap().unwrap();
}
