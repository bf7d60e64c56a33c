//! The database goes away and comes back.

use std::time::{Duration, Instant};

use private_postgres::{Options, Server};

use crate::support::*;

/// An answer that takes longer is as good as none.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// How soon deliveries are stored again.
const HEAL_MAX: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "what is promised here is a real duration")]
async fn without_a_database_the_answer_is_503_in_time_and_it_heals_by_itself() {
    let options = Options { fsync: false, ..Options::default() };
    let mut server =
        tokio::task::spawn_blocking(move || Server::start(&options).unwrap()).await.unwrap();
    let url = server.url("postgres");
    let _all = migrations::run(&url).await.unwrap();
    let setup = Setup { limits: ingest::Limits::default(), ..Setup::default() };
    let world = World::at(url, setup).await;
    assert_eq!(answer(world.post(event_body("evt_before"))).await, stored_at(1));

    for round in 0..2 {
        let mut down = tokio::task::spawn_blocking(move || {
            server.kill().unwrap();
            server
        })
        .await
        .unwrap();
        for n in 0..5 {
            let begun = Instant::now();
            let got = answer(world.post(event_body(&format!("evt_{round}_{n}")))).await;
            assert_eq!(got, refused(503, "not_stored"));
            assert!(begun.elapsed() < ANSWER_MAX, "{:?}", begun.elapsed());
        }
        server = tokio::task::spawn_blocking(move || {
            down.restart().unwrap();
            down
        })
        .await
        .unwrap();
        let returned = Instant::now();
        testkit::wait_for("deliveries to be stored again", async || {
            (answer(world.post(event_body(&format!("evt_after_{round}")))).await.0 == 200)
                .then_some(())
        })
        .await;
        assert!(returned.elapsed() < HEAL_MAX, "{:?}", returned.elapsed());
    }
    assert_eq!(answer(world.post(event_body("evt_before"))).await, duplicate_of(1));
}
