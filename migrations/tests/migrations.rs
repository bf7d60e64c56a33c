//! The migrations run, once, by whoever may run them; and the program that runs them says what it
//! did.

use migrations::{Applied, Error, MIGRATOR, SCHEMA_VERSION};
use testkit::TestDatabase;

#[tokio::test]
async fn second_run_applies_nothing() {
    let database = testkit::empty_database().await;
    assert_eq!(migrations::version(&database.url).await.unwrap(), None);

    let all: Vec<i64> = MIGRATOR.iter().map(|file| file.version).collect();
    assert_eq!(migrations::run(&database.url).await.unwrap(), Applied { versions: all });
    assert_eq!(migrations::version(&database.url).await.unwrap(), Some(SCHEMA_VERSION));

    assert_eq!(migrations::run(&database.url).await.unwrap(), Applied { versions: vec![] });
}

#[tokio::test]
async fn of_two_at_once_one_applies_and_one_waits() {
    let database = testkit::empty_database().await;
    let [one, two] = [database.url.clone(), database.url.clone()]
        .map(|url| tokio::spawn(async move { migrations::run(&url).await }));
    let one = one.await.unwrap().unwrap().versions;
    let two = two.await.unwrap().unwrap().versions;
    assert!(one.is_empty() != two.is_empty(), "one: {one:?}, two: {two:?}");
}

#[tokio::test]
async fn many_databases_of_one_server_migrate_at_once() {
    // Roles belong to the server, so these meet in them.
    let databases: [TestDatabase; 4] = [
        testkit::empty_database().await,
        testkit::empty_database().await,
        testkit::empty_database().await,
        testkit::empty_database().await,
    ];
    let [a, b, c, d] = databases.each_ref().map(|database| migrations::run(&database.url));
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    for applied in [a, b, c, d] {
        assert!(!applied.unwrap().versions.is_empty());
    }
}

#[tokio::test]
async fn newer_schema_is_refused() {
    let database = testkit::database().await;
    let sql =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
               VALUES (99999999999999, 'from the future', true, '', 0)";
    database.superuser().await.batch_execute(sql).await.unwrap();
    let refused = migrations::run(&database.url).await;
    assert!(matches!(refused, Err(Error::Newer(99_999_999_999_999))), "{refused:?}");
}

#[tokio::test]
async fn edited_migration_is_refused() {
    let database = testkit::database().await;
    let sql =
        format!("UPDATE _sqlx_migrations SET checksum = 'x' WHERE version = {SCHEMA_VERSION}");
    database.superuser().await.batch_execute(&sql).await.unwrap();
    let refused = migrations::run(&database.url).await;
    assert!(matches!(refused, Err(Error::Edited(SCHEMA_VERSION))), "{refused:?}");
}
