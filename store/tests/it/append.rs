//! Appending: dense positions in commit order, each event once, whatever goes wrong.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bytes::Bytes;
use store::log::{
    Appended, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_KEY_BYTES, NewEvent, append, append_on,
};
use store::log::{Origin, event_get};
use store::{Kind, Role, Store};
use testkit::wait_for;

use crate::support::{World, event, events};

use Appended::{Duplicate, Stored};

#[tokio::test]
async fn each_event_stands_once_in_the_order_given() {
    let world = World::new().await;
    let (store, id) = (world.store(Role::Ingest), world.tenant.tenant_id);

    let first = append(&store, id, &events(["evt_1", "evt_2", "evt_1"])).await.unwrap();
    assert_eq!(first, [Stored(1), Stored(2), Duplicate(1)]);
    let second = append(&store, id, &events(["evt_3", "evt_2", "evt_4", "evt_3"])).await.unwrap();
    assert_eq!(second, [Stored(3), Duplicate(2), Stored(4), Duplicate(3)]);
    let third = append(&store, id, &events(["evt_4", "evt_1"])).await.unwrap();
    assert_eq!(third, [Duplicate(4), Duplicate(1)]);
    assert_eq!(append(&store, id, &[]).await.unwrap(), []);
}

#[tokio::test]
async fn appends_follow_each_other_on_one_connection() {
    let world = World::new().await;
    let (store, id) = (world.store(Role::Ingest), world.tenant.tenant_id);
    let client = store.get().await.unwrap();
    // There are 64 slots, and what the database refuses does not harm what is behind it.
    let refused = [NewEvent { slot: 64, ..event("evt_9") }];

    let (one, two) = (events(["evt_1", "evt_2"]), events(["evt_2", "evt_3"]));
    let (first, none, second) = tokio::join!(
        append_on(&client, id, &one),
        append_on(&client, id, &refused),
        append_on(&client, id, &two),
    );
    assert_eq!(first.unwrap(), [Stored(1), Stored(2)]);
    none.unwrap_err();
    assert_eq!(second.unwrap(), [Duplicate(2), Stored(3)]);
}

#[tokio::test]
async fn an_id_is_one_event_within_its_origin_and_account_only() {
    let world = World::new().await;
    let (store, id) = (world.store(Role::Api), world.tenant.tenant_id);
    let own = event("x");
    let connected = NewEvent { account: "acct_1".to_owned(), ..event("x") };
    let spoken = NewEvent { origin: Origin::Operator, ..event("x") };

    let told = append(&store, id, &[own, connected.clone(), spoken]).await.unwrap();
    assert_eq!(told, [Stored(1), Stored(2), Stored(3)]);
    assert_eq!(append(&store, id, &[connected]).await.unwrap(), [Duplicate(2)]);
}

#[tokio::test]
async fn every_byte_comes_back() {
    let world = World::new().await;
    let (store, id) = (world.store(Role::Keeper), world.tenant.tenant_id);
    let given = NewEvent {
        account: "acct_1".to_owned(),
        root_key: Some("pi_1".to_owned()),
        livemode: None,
        api_version: Some("2026-10-28.endive".to_owned()),
        endpoint: Some("main".to_owned()),
        user_agent: Some("Stripe/1.0\0!".to_owned()),
        peer: Some("127.0.0.1:1".to_owned()),
        occurred_at: "2026-11-20T10:00:00.123456Z".parse().unwrap(),
        received_at: "2026-11-20T10:00:01Z".parse().unwrap(),
        body: Bytes::from_static(b"\0\xff not JSON, not even text"),
        signature: Some("t=1,v1=ab".to_owned()),
        traceparent: Some("00-1-2-01".to_owned()),
        ..event("evt\0")
    };
    let told = append(&store, id, &[given.clone(), given.clone()]).await.unwrap();
    assert_eq!(told, [Stored(1), Duplicate(1)]);

    let read = event_get(&store.get().await.unwrap(), id, 1).await.unwrap().unwrap();
    assert_eq!((read.pos, read.origin, read.source), (1, given.origin, given.source));
    assert_eq!(read.body, Some(given.body));
    assert_eq!(read.source_id, "evt\u{fffd}");
    assert_eq!(read.user_agent.as_deref(), Some("Stripe/1.0\u{fffd}!"));
    assert_eq!((read.account, read.event_type), (given.account, given.event_type));
    assert_eq!((read.root_key, read.slot), (given.root_key, given.slot));
    assert_eq!((read.livemode, read.api_version), (given.livemode, given.api_version));
    assert_eq!((read.endpoint, read.peer), (given.endpoint, given.peer));
    assert_eq!((read.occurred_at, read.received_at), (given.occurred_at, given.received_at));
    assert_eq!((read.body_sha256, read.signature), (given.body_sha256, given.signature));
    assert_eq!(read.traceparent, given.traceparent);
    assert!(event_get(&store.get().await.unwrap(), id, 2).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_too_big_is_refused_as_a_whole() {
    let world = World::new().await;
    let (store, id) = (world.store(Role::Ingest), world.tenant.tenant_id);
    let large = |id: &str| NewEvent { body: vec![0; MAX_BATCH_BYTES].into(), ..event(id) };

    let many: Vec<_> = (0..=MAX_BATCH_EVENTS).map(|n| event(&n.to_string())).collect();
    let mut key = event("k");
    key.source_id = "k".repeat(MAX_KEY_BYTES);
    let mut long_key = key.clone();
    long_key.account = "a".to_owned();
    for refused in [&many[..], &[large("1"), large("2"), large("3")], &[event("1"), long_key]] {
        let error = append(&store, id, refused).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Other, "{error}");
    }
    let told = append(&store, id, &[large("1"), large("2")]).await.unwrap();
    assert_eq!(told, [Stored(1), Stored(2)]);
    assert_eq!(append(&store, id, &[key.clone(), key]).await.unwrap(), [Stored(3), Duplicate(3)]);
}

#[tokio::test]
async fn a_tenant_that_is_not_there_has_no_log() {
    let world = World::new().await;
    let error = append(&world.store(Role::Ingest), 99, &events(["evt_1"])).await.unwrap_err();
    assert!(error.to_string().contains("tenant 99 has no log"), "{error}");
}

/// The argument of the order by lock: a position that is given out but not committed is waited for, never skipped.
#[tokio::test]
async fn nobody_overtakes_a_transaction_that_holds_the_log() {
    let world = World::new().await;
    let (store, id) = (world.store(Role::Ingest), world.tenant.tenant_id);
    let mut other = world.database.superuser().await;
    let slow = other.transaction().await.unwrap();
    slow.query("SELECT FROM log_head WHERE tenant_id = $1 FOR UPDATE", &[&id]).await.unwrap();
    let insert = "INSERT INTO event (tenant_id, pos, origin, source, source_id, type, slot, occurred_at, received_at, \
                  body_sha256, body) VALUES ($1, 1, 1, 1, 'evt_slow', '', 0, now(), now(), sha256(''), '')";
    slow.execute(insert, &[&id]).await.unwrap();

    let waiting = tokio::spawn({
        let store = store.clone();
        async move { append(&store, id, &events(["evt_fast"])).await }
    });
    let observer = world.database.superuser().await;
    wait_for("the second appender to wait for the lock", async || {
        let sql = "SELECT FROM pg_stat_activity WHERE application_name = 'tally_ingest' AND wait_event_type = 'Lock' \
                   AND datname = current_database()";
        observer.query_opt(sql, &[]).await.unwrap()
    })
    .await;
    let visible = observer.query_one("SELECT count(*) FROM event", &[]).await.unwrap();
    assert_eq!(visible.get::<_, i64>(0), 0);

    slow.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), [Stored(2)]);
}

#[tokio::test]
async fn a_lock_that_is_never_given_back_ends_in_an_error_that_may_be_retried() {
    let world = World::new().await;
    let (store, id) = (world.store(Role::Ingest), world.tenant.tenant_id);
    let mut other = world.database.superuser().await;
    let stuck = other.transaction().await.unwrap();
    stuck.query("SELECT FROM log_head WHERE tenant_id = $1 FOR UPDATE", &[&id]).await.unwrap();

    let error = append(&store, id, &events(["evt_1"])).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Retry, Some("55P03")), "{error}");
    stuck.rollback().await.unwrap();
    assert_eq!(append(&store, id, &events(["evt_1"])).await.unwrap(), [Stored(1)]);
}

#[tokio::test]
async fn a_dropped_append_leaves_its_connection_fit_for_use() {
    let world = World::new().await;
    let id = world.tenant.tenant_id;
    let store = Store::connect(&world.url(), Role::Ingest, 1).unwrap();
    for n in 0..200_u64 {
        let name = format!("evt_{n}");
        let doomed = append(&store, id, std::slice::from_ref(&event(&name))).await;
        drop(doomed);
        let batch = events([format!("dropped_{n}")]);
        let cut = tokio::time::timeout(Duration::from_micros(n * 10), append(&store, id, &batch));
        let _ = cut.await;
    }
    // Whatever was cut off is either there or not; appending it again says which, and nothing is stuck.
    let again = events((0..200).map(|n| format!("dropped_{n}")));
    let told = append(&store, id, &again).await.unwrap();
    assert!(
        told.iter().any(|one| matches!(one, Duplicate(_))),
        "none was dropped after it was sent"
    );
    check_log(&world, 400).await;
}

/// Three appenders with overlapping ids; backends are killed and transactions rolled back under them all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_stay_dense_under_kills_and_rollbacks() {
    const APPENDERS: u32 = 3;
    const BATCHES: u32 = 120;
    let world = World::new().await;
    let id = world.tenant.tenant_id;
    let killer = tokio::spawn(kill_backends(world.database.superuser().await));
    let spoiler = tokio::spawn(hold_and_roll_back(world.database.superuser().await, id));

    let appenders = (0..APPENDERS).map(|appender| {
        let store = world.store(Role::Ingest);
        tokio::spawn(async move {
            let mut told: HashMap<String, i64> = HashMap::new();
            let mut failures = 0_u32;
            for batch in 0..BATCHES {
                // Half of the ids are the same for all appenders.
                let names: Vec<_> = (0..20_u32)
                    .map(|n| format!("{}_{batch}_{n}", if n % 2 == 0 { 9 } else { appender }))
                    .collect();
                let batch = events(&names);
                let answers = loop {
                    match append(&store, id, &batch).await {
                        Ok(answers) => break answers,
                        Err(error) => {
                            assert!(error.is_transient(), "{error}");
                            failures = failures.saturating_add(1);
                        }
                    }
                };
                told.extend(names.into_iter().zip(answers.iter().map(|answer| answer.pos())));
            }
            (told, failures)
        })
    });
    let mut all: HashMap<String, i64> = HashMap::new();
    let mut failures = 0_u32;
    for appender in appenders.collect::<Vec<_>>() {
        let (told, failed) = appender.await.unwrap();
        failures = failures.saturating_add(failed);
        for (name, pos) in told {
            let before = all.insert(name.clone(), pos);
            assert!(before.is_none_or(|before| before == pos), "{name} stands at two positions");
        }
    }
    killer.abort();
    spoiler.abort();
    assert!(failures > 0, "nothing was ever killed");
    let distinct = BATCHES * 10 * (APPENDERS + 1);
    assert_eq!(all.len(), usize::try_from(distinct).unwrap());
    check_log(&world, i64::from(distinct)).await;

    let client = world.database.superuser().await;
    for row in client.query("SELECT source_id, pos FROM event_key", &[]).await.unwrap() {
        assert_eq!(all.get(row.get::<_, &str>(0)), Some(&row.get(1)));
    }
}

/// Positions 1 to `count`, each with its key and no key without one.
async fn check_log(world: &World, count: i64) {
    let client = world.database.superuser().await;
    let rows = client
        .query(
            "SELECT e.pos FROM event e JOIN event_key k USING (tenant_id, origin, account, source_id, pos) ORDER BY pos",
            &[],
        )
        .await
        .unwrap();
    let positions: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(positions, (1..=count).collect::<Vec<_>>());
    let keys = client.query_one("SELECT count(*) FROM event_key", &[]).await.unwrap();
    assert_eq!(keys.get::<_, i64>(0), count);
    let distinct: HashSet<_> = positions.iter().collect();
    assert_eq!(distinct.len(), positions.len());
}

async fn kill_backends(client: tokio_postgres::Client) {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name = 'tally_ingest' ORDER BY random() LIMIT 1";
    loop {
        client.query("SELECT pg_sleep(0.03)", &[]).await.unwrap();
        client.query(sql, &[]).await.unwrap();
    }
}

/// Takes the lock, writes the next position, and rolls back: what a crashed appender leaves.
async fn hold_and_roll_back(mut client: tokio_postgres::Client, tenant_id: i32) {
    loop {
        let tx = client.transaction().await.unwrap();
        let lock = "SELECT FROM log_head WHERE tenant_id = $1 FOR UPDATE";
        tx.query(lock, &[&tenant_id]).await.unwrap();
        tx.execute(
            "INSERT INTO event SELECT tenant_id, max(pos) + 1, 1, 1, '', 'ghost', '', NULL, 0, NULL, NULL, NULL, NULL, NULL, \
             now(), now(), sha256(''), '' FROM event WHERE tenant_id = $1 GROUP BY tenant_id",
            &[&tenant_id],
        )
        .await
        .unwrap();
        tx.rollback().await.unwrap();
        client.query("SELECT pg_sleep(0.01)", &[]).await.unwrap();
    }
}
