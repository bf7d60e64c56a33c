//! The login that migrates needs CREATEROLE and CREATE on the database, and is no superuser. Alone
//! in its file, because roles belong to the server and each test process has its own: here nobody
//! else makes them first.

#[tokio::test]
async fn login_with_createrole_can_migrate_and_take_on_every_role() {
    let database = testkit::empty_database().await;
    let superuser = database.superuser().await;
    let sql = format!(
        "CREATE ROLE deployer LOGIN PASSWORD 'correct-horse' CREATEROLE;
         GRANT CREATE ON DATABASE {} TO deployer",
        database.name
    );
    superuser.batch_execute(&sql).await.unwrap();

    let url = database.url.replace("postgres@", "deployer:correct-horse@");
    let applied = migrations::run(&url).await.unwrap();
    assert!(!applied.versions.is_empty());

    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let roles = superuser
        .query("SELECT rolname FROM pg_roles WHERE rolname LIKE 'tally\\_%'", &[])
        .await
        .unwrap();
    assert!(roles.len() >= 8);
    for row in roles {
        let role: String = row.get(0);
        client.batch_execute(&format!("SET ROLE {role}; RESET ROLE")).await.unwrap();
    }
}
