//! Transactions: all or nothing, begun again when they lose, and never left open.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use store::log::{Appended, append};
use store::projection::outbox::{self, MessageRow};
use store::statement::{Statement, Write, execute, query, query_one};
use store::{Error, Kind, PgUrl, Retryable, Role, Store, Tx, tenant};
use tokio::sync::Barrier;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::support::{World, event};

const LOCK: Statement = Statement {
    sql: "-- test.lock\nSELECT epoch FROM log_head WHERE tenant_id = $1 FOR UPDATE",
    params: &[Type::INT4],
    columns: &[Type::INT4],
};

const SET_EPOCH: Statement = Statement {
    sql: "-- test.set_epoch\nUPDATE log_head SET epoch = $2 WHERE tenant_id = $1",
    params: &[Type::INT4, Type::INT4],
    columns: &[],
};

const BROKEN: Statement =
    Statement { sql: "-- test.broken\nSELECT 1 / 0", params: &[], columns: &[Type::INT4] };

async fn epoch(world: &World) -> i32 {
    let client = world.database.superuser().await;
    client.query_one("SELECT epoch FROM log_head", &[]).await.unwrap().get(0)
}

async fn set_epoch(store: &Store, tenant_id: i32, epoch: i32) {
    let set = |tx: Tx| async move {
        execute(&tx, &SET_EPOCH, &[&tenant_id, &epoch]).await?;
        Ok((tx, ()))
    };
    let outcome: Result<(), Error> = store.run_tx("test", set).await;
    outcome.unwrap();
}

#[tokio::test]
async fn a_body_that_fails_leaves_nothing() {
    let world = World::new().await;
    let (store, id) = (world.store(Role::Ingest), world.tenant.tenant_id);
    let outcome: Result<(), Error> = store
        .run_tx("test", |tx: Tx| async move {
            assert_eq!(execute(&tx, &SET_EPOCH, &[&id, &7]).await?, 1);
            execute(&tx, &BROKEN, &[]).await?;
            Ok((tx, ()))
        })
        .await;
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Other, Some("22012")));
    assert!(error.to_string().starts_with("test.broken: "), "{error}");
    assert_eq!(epoch(&world).await, 1);

    set_epoch(&store, id, 8).await;
    assert_eq!(epoch(&world).await, 8);
}

/// Postgres answers COMMIT of a failed transaction with success and a rollback.
#[tokio::test]
async fn an_overlooked_error_is_not_taken_for_a_commit() {
    let world = World::new().await;
    let (store, id) = (world.store(Role::Ingest), world.tenant.tenant_id);
    let outcome: Result<(), Error> = store
        .run_tx("test", |tx: Tx| async move {
            execute(&tx, &SET_EPOCH, &[&id, &7]).await?;
            let _ = execute(&tx, &BROKEN, &[]).await;
            Ok((tx, ()))
        })
        .await;
    assert_eq!(outcome.unwrap_err().code(), Some("25P02"));
    assert_eq!(epoch(&world).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_loses_a_deadlock_begins_again() {
    let world = World::new().await;
    let admin = world.store(Role::Login);
    let other = tenant::ensure(&admin, "other", true, Timestamp::UNIX_EPOCH).await.unwrap();
    let (one, two) = (world.tenant.tenant_id, other.tenant_id);
    let (meeting, runs) = (Arc::new(Barrier::new(2)), Arc::new(AtomicU32::new(0)));
    let cross = [(one, two), (two, one)].map(|(first, second)| {
        let (store, meeting, runs) = (world.store(Role::Ingest), meeting.clone(), runs.clone());
        tokio::spawn(async move {
            let (meeting, runs) = (&meeting, &runs);
            let crossing = |tx: Tx| async move {
                query(&tx, &LOCK, &[&first]).await?;
                // Only the first runs meet; whoever has lost finds nobody to wait for.
                if runs.fetch_add(1, Ordering::SeqCst) < 2 {
                    meeting.wait().await;
                }
                query(&tx, &LOCK, &[&second]).await?;
                Ok((tx, ()))
            };
            store.run_tx::<_, Error, _>("test", crossing).await
        })
    });
    for outcome in cross {
        outcome.await.unwrap().unwrap();
    }
    assert_eq!(runs.load(Ordering::SeqCst), 3, "one of both lost, once");
}

/// An error of a caller's own.
#[derive(Debug)]
struct Lost;

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        panic!("{error}")
    }
}

impl Retryable for Lost {
    fn is_retry(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn nobody_begins_again_for_ever() {
    let world = World::new().await;
    let mut runs = 0_u32;
    let outcome: Result<(), Lost> = world
        .store(Role::Ingest)
        .run_tx("test", |_| {
            runs += 1;
            async { Err(Lost) }
        })
        .await;
    assert!(outcome.is_err());
    assert_eq!(runs, 6);
}

/// What stands behind a statement that failed is refused, too, and so is COMMIT: the one that failed says why.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_what_is_sent_together_the_first_failure_is_told() {
    let world = World::new().await;
    let (store, id) = (world.store(Role::Projector), world.tenant.tenant_id);
    let message = MessageRow {
        id: Uuid::from_u128(1),
        topic: "test",
        key: "u_1".to_owned(),
        payload: b"{}".to_vec(),
    };
    let (now, twice) = (Timestamp::UNIX_EPOCH, [message.clone(), message]);
    for is_last in [false, true].repeat(500) {
        let tx = store.begin().await.unwrap();
        let mut writes: Vec<Write<'_>> = outbox::write(id, now, &twice).into_iter().collect();
        writes.extend((1..20).filter_map(|_| outbox::write(id, now, &twice[..1])));
        let outcome = if is_last { tx.commit_with(writes).await } else { tx.write(&writes).await };
        assert_eq!(outcome.unwrap_err().code(), Some("23505"));
    }
    let tx = store.begin().await.unwrap();
    tx.commit_with(outbox::write(id, now, &twice[..1]).into_iter().collect()).await.unwrap();
    let sql = "SELECT count(*) FROM outbox WHERE topic = 'test'";
    let row = world.database.superuser().await.query_one(sql, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
}

/// A caller that goes away in the middle must not leave a transaction to the next borrower of its connection.
#[tokio::test]
async fn a_dropped_transaction_is_rolled_back() {
    let world = World::new().await;
    let id = world.tenant.tenant_id;
    let store = Store::connect(&world.url(), Role::Ingest, 1).unwrap();
    for cut in 0..100_u64 {
        let doomed = store.run_tx("test", |tx: Tx| async move {
            execute(&tx, &SET_EPOCH, &[&id, &7]).await?;
            std::future::pending::<Result<(Tx, ()), Error>>().await
        });
        let _ = tokio::time::timeout(Duration::from_micros(cut * 20), doomed).await;
        let epoch = query(&store.get().await.unwrap(), &LOCK, &[&id]).await.unwrap();
        assert_eq!(epoch[0].get::<_, i32>(0), 1);
    }
}

/// Behind a pooler in transaction mode nothing is prepared, and each transaction takes its role on anew.
#[tokio::test]
async fn all_of_it_works_through_a_pooler() {
    let world = World::new().await;
    let id = world.tenant.tenant_id;
    let url = PgUrl::parse(&format!("{}?pgbouncer=true", world.database.url)).unwrap();
    assert!(url.is_pooled());
    let store = Store::connect(&url, Role::Ingest, 2).unwrap().allow_unsafe_settings();
    store.check().await.unwrap();
    assert_eq!(append(&store, id, &[event("evt_1")]).await.unwrap(), [Appended::Stored(1)]);
    set_epoch(&store, id, 5).await;
    let client = store.get().await.unwrap();
    assert_eq!(query(&client, &LOCK, &[&id]).await.unwrap()[0].get::<_, i32>(0), 5);
    assert_eq!(query(&client, &BROKEN, &[]).await.unwrap_err().code(), Some("22012"));
    assert_eq!(execute(&client, &SET_EPOCH, &[&id, &6]).await.unwrap(), 1);

    let who = Statement {
        sql: "-- test.who\nSELECT current_user::text, (SELECT count(*) FROM pg_prepared_statements)",
        params: &[],
        columns: &[Type::TEXT, Type::INT8],
    };
    let row = query_one(&client, &who, &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), ("tally_ingest", 0_i64));
}
