//! Connecting: each role with its settings, healing by itself, and the check at start.

use store::statement::{Statement, query_one};
use store::{Kind, Role, Store};
use testkit::wait_for;
use tokio_postgres::types::Type;

use crate::support::{World, login_for, store_at};

const SESSION: Statement = Statement {
    sql: "-- test.session
SELECT current_user::text, current_setting('search_path'), current_setting('application_name'),
       current_setting('statement_timeout'), current_setting('lock_timeout'),
       current_setting('idle_in_transaction_session_timeout'), current_setting('plan_cache_mode')",
    params: &[],
    columns: &[Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT],
};

#[tokio::test]
async fn each_connection_acts_as_its_role() {
    let world = World::new().await;
    for role in [
        Role::Ingest,
        Role::Projector,
        Role::Keeper,
        Role::Relay,
        Role::Api,
        Role::Eraser,
        Role::Reader,
        Role::Login,
    ] {
        let store = world.store(role);
        assert_eq!(store.role(), role);
        let row = query_one(&store.get().await.unwrap(), &SESSION, &[]).await.unwrap();
        let session: Vec<&str> = (0..7).map(|column| row.get(column)).collect();
        let name = role.name().unwrap_or("postgres");
        let application = role.name().unwrap_or("tally_login");
        assert_eq!(session[..3], [name, "tally", application]);
        assert!(["30s", "10min"].contains(&session[3]), "{session:?}");
        assert_eq!(session[4..], ["5s", "10s", "force_custom_plan"]);
    }
    let reads = Store::connect_for_reads(&world.url(), Role::Api, 1).unwrap();
    let row = query_one(&reads.get().await.unwrap(), &SESSION, &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(6)), ("tally_api", "force_generic_plan"));
}

#[tokio::test]
async fn a_login_acts_as_the_roles_that_it_was_given_and_no_other() {
    let world = World::new().await;
    let login = login_for(&world.database, Role::Api).await;
    store_at(&login, Role::Api).check().await.unwrap();
    let error = store_at(&login, Role::Projector).check().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused, "{error}");
    assert!(error.to_string().contains("tally_projector"), "{error}");
}

#[tokio::test]
async fn connections_that_were_killed_are_replaced() {
    let world = World::new().await;
    let store = world.store(Role::Api);
    let held = [store.get().await.unwrap(), store.get().await.unwrap()];
    drop(held);
    let client = world.database.superuser().await;
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                WHERE datname = current_database() AND application_name = 'tally_api'";
    assert_eq!(client.query_one(kill, &[]).await.unwrap().get::<_, i64>(0), 2);
    wait_for("a new connection", async || {
        let session = query_one(&store.get().await.ok()?, &SESSION, &[]).await;
        match session {
            Ok(row) => Some(row),
            Err(error) => {
                assert_eq!(error.kind(), Kind::Unavailable, "{error}");
                None
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_full_pool_is_waited_for_and_not_for_ever() {
    let world = World::new().await;
    let store = Store::connect(&world.url(), Role::Ingest, 1).unwrap();
    let held = store.get().await.unwrap();
    let error = store.get().await.err().unwrap();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.to_string().contains("all of the pool are in use"), "{error}");
    drop(held);
    store.get().await.unwrap();
}

#[tokio::test]
async fn a_database_of_another_version_is_refused_but_a_process_survives_a_newer_one() {
    let world = World::new().await;
    let store = world.store(Role::Projector);
    store.check().await.unwrap();

    let client = world.database.superuser().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (99990101000000, 'from the future', true, '', 0)";
    client.execute(newer, &[]).await.unwrap();
    let error = store.check().await.unwrap_err();
    assert!(error.to_string().contains("run a newer tally"), "{error}");
    store.check_running().await.unwrap();

    let remove = "DELETE FROM _sqlx_migrations WHERE version >= $1";
    client.execute(remove, &[&migrations::SCHEMA_VERSION]).await.unwrap();
    for checked in [store.check().await, store.check_running().await] {
        let error = checked.unwrap_err();
        assert!(error.to_string().contains("run tally migrate"), "{error}");
    }
}

#[tokio::test]
async fn a_database_without_the_schema_is_refused() {
    let database = testkit::empty_database().await;
    for role in [Role::Ingest, Role::Login] {
        let error = store_at(&database.url, role).check().await.unwrap_err();
        assert!(error.to_string().contains("tally migrate"), "{error}");
        assert!(!error.is_transient(), "{error}");
    }
}

/// The tests' server runs with fsync=off, which is what must be refused anywhere else.
#[tokio::test]
async fn a_server_that_may_forget_is_refused() {
    let world = World::new().await;
    let store = Store::connect(&world.url(), Role::Ingest, 1).unwrap();
    let error = store.check().await.unwrap_err();
    assert!(error.to_string().contains("fsync is off"), "{error}");
    store.allow_unsafe_settings().check().await.unwrap();
}
