//! A database of its own for each test, on one private Postgres per test process.
//!
//! The server starts with the first test and stops when the process ends: its watchdog sees to
//! that. The migrations run once, into a template that each test's database is a copy of, which
//! takes some milliseconds.

use std::sync::atomic::{AtomicU32, Ordering};

use private_postgres::{Options, Server};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::OnceCell;

/// Database with the schema that every test's database is copied from.
const TEMPLATE: &str = "tally_template";

/// Connections that all tests of a process may have open together; they run in parallel, each with
/// some pools.
const CONNECTIONS_MAX: &str = "300";

static SERVER: OnceCell<Server> = OnceCell::const_new();
static MIGRATED: OnceCell<()> = OnceCell::const_new();
static NEXT_NUMBER: AtomicU32 = AtomicU32::new(1);

/// A database that belongs to one test, dropped when the test ends.
#[derive(Debug)]
pub struct TestDatabase {
    /// URL of the superuser's connection.
    pub url: String,
    /// Its name on the server.
    pub name: String,
    /// URL of the server's own database, to drop this one from.
    server_url: String,
}

/// A new database with the current schema and nothing in it.
///
/// # Panics
/// If no server can be started, or the migrations fail.
pub async fn database() -> TestDatabase {
    let server = server().await;
    MIGRATED.get_or_init(|| migrate_template(server)).await;
    create(server, TEMPLATE).await
}

/// A new database without any schema, for tests of the migrations themselves.
///
/// # Panics
/// If no server can be started.
pub async fn empty_database() -> TestDatabase {
    create(server().await, "template0").await
}

impl TestDatabase {
    /// A connection as the superuser, to look at what no role may see, and to break what none may
    /// break.
    ///
    /// # Panics
    /// If it cannot connect.
    pub async fn superuser(&self) -> tokio_postgres::Client {
        let mut config: tokio_postgres::Config = self.url.parse().expect("our own URL is valid");
        let connecting = config.options("-c search_path=tally").connect(tokio_postgres::NoTls);
        let (client, connection) =
            connecting.await.expect("the test's server accepts the superuser");
        // Ends when the client is dropped.
        tokio::spawn(connection);
        client
    }
}

impl Drop for TestDatabase {
    /// Drops the database in a thread of its own, because the test's runtime is ending. If the
    /// process ends first, the whole server goes with it.
    fn drop(&mut self) {
        let (server_url, name) = (self.server_url.clone(), self.name.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            runtime.map(|runtime| runtime.block_on(execute(&server_url, sql)))
        });
    }
}

async fn server() -> &'static Server {
    let start = || async {
        let options = Options {
            fsync: false,
            settings: vec![("max_connections".to_owned(), CONNECTIONS_MAX.to_owned())],
            ..Options::default()
        };
        let starting = tokio::task::spawn_blocking(move || Server::start(&options));
        match starting.await.expect("starting a server does not panic") {
            Ok(server) => server,
            Err(error) => panic!("no Postgres for the tests: {error}"),
        }
    };
    SERVER.get_or_init(start).await
}

async fn migrate_template(server: &Server) {
    let sql = format!("CREATE DATABASE {TEMPLATE} TEMPLATE template0");
    execute(&server.url("postgres"), sql).await.expect("making the template database");
    let _all =
        migrations::run(&server.url(TEMPLATE)).await.expect("migrating the template database");
}

async fn create(server: &Server, template: &str) -> TestDatabase {
    let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{number}");
    let server_url = server.url("postgres");
    // Copying files takes half the time of the default, which writes every page to the log as well.
    let sql = format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy");
    execute(&server_url, sql).await.expect("making a test's database");
    TestDatabase { url: server.url(&name), name, server_url }
}

async fn execute(url: &str, sql: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    // The names in it are our own constants and numbers.
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    connection.close().await
}
