//! A real server: private, durable, found again after stops and crashes.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails the test")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use private_postgres::{Error, Options, Server};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// A folder that the server's user can enter, also when root runs the tests.
fn open_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn kept_in(folder: &Path) -> Options {
    Options { data_dir: Some(folder.join("postgres")), fsync: false, ..Options::default() }
}

async fn connect(server: &Server) -> Client {
    let (client, connection) =
        tokio_postgres::connect(&server.url("postgres"), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn text(client: &Client, sql: &str) -> String {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn it_is_private_and_durable_by_default() {
    let settings = vec![("max_connections".to_owned(), "17".to_owned())];
    let server = Server::start(&Options { settings, ..Options::default() }).unwrap();
    let client = connect(&server).await;
    for (setting, value) in [
        ("listen_addresses", ""),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
        ("TimeZone", "UTC"),
        ("max_connections", "17"),
    ] {
        let sql = format!(
            "SELECT coalesce(current_setting('{setting}', true), datcollate) FROM pg_database LIMIT 1"
        );
        assert_eq!(text(&client, &sql).await, value, "{setting}");
    }
    let folder = text(&client, "SHOW unix_socket_directories").await;
    let metadata = fs::metadata(&folder).unwrap();
    assert_eq!(metadata.mode() & 0o777, 0o700);
    assert_ne!(metadata.uid(), 0, "the server does not run as root");

    let pid = server.pid().unwrap();
    server.stop().unwrap();
    assert!(!Path::new(&folder).exists(), "temporary folders are removed");
    assert!(!Path::new(&format!("/proc/{pid}")).exists(), "the process is gone");
}

#[tokio::test]
async fn other_roles_need_a_password() {
    let server = Server::start(&Options { fsync: false, ..Options::default() }).unwrap();
    let client = connect(&server).await;
    client.batch_execute("CREATE ROLE app LOGIN PASSWORD 'correct-horse'").await.unwrap();
    let url = server.url("postgres");
    for (login, is_let_in) in [("app:correct-horse@", true), ("app:wrong@", false), ("app@", false)]
    {
        let result = tokio_postgres::connect(&url.replace("postgres@", login), NoTls).await;
        assert_eq!(result.is_ok(), is_let_in, "{login}");
    }
}

#[tokio::test]
async fn data_is_kept_where_asked() {
    let folder = open_folder();
    let server = Server::start(&kept_in(folder.path())).unwrap();
    connect(&server).await.batch_execute("CREATE TABLE kept ()").await.unwrap();
    server.stop().unwrap();

    let server = Server::start(&kept_in(folder.path())).unwrap();
    connect(&server).await.batch_execute("TABLE kept").await.unwrap();
}

#[tokio::test]
async fn committed_data_survives_a_crash() {
    let mut server = Server::start(&Options::default()).unwrap();
    let client = connect(&server).await;
    client.batch_execute("CREATE TABLE kept ()").await.unwrap();
    server.kill().unwrap();
    assert!(client.batch_execute("TABLE kept").await.is_err());
    assert_eq!(server.pid(), None);

    server.restart().unwrap();
    connect(&server).await.batch_execute("TABLE kept").await.unwrap();
}

#[tokio::test]
async fn second_caller_with_the_same_folder_is_refused() {
    let folder = open_folder();
    let first = Server::start(&kept_in(folder.path())).unwrap();
    let second = Server::start(&kept_in(folder.path()));
    assert!(matches!(second, Err(Error::InUse(_))), "{second:?}");
    connect(&first).await.batch_execute("SELECT 1").await.unwrap();
}

#[test]
fn folder_of_something_else_is_refused() {
    let folder = open_folder();
    fs::create_dir(folder.path().join("postgres")).unwrap();
    fs::write(folder.path().join("postgres/novel.txt"), "It was a dark and stormy night").unwrap();
    let refused = Server::start(&kept_in(folder.path()));
    assert!(matches!(refused, Err(Error::Foreign(_))), "{refused:?}");
}

#[tokio::test]
async fn pid_file_that_names_another_process_is_removed() {
    let folder = open_folder();
    Server::start(&kept_in(folder.path())).unwrap().stop().unwrap();
    let pid_file = folder.path().join("postgres/cluster/postmaster.pid");
    fs::write(&pid_file, format!("{}\n/elsewhere\n", std::process::id())).unwrap();

    let server = Server::start(&kept_in(folder.path())).unwrap();
    connect(&server).await.batch_execute("SELECT 1").await.unwrap();
}

#[test]
fn wrong_setting_is_told_with_the_server_s_own_words() {
    let settings = vec![("max_connections".to_owned(), "many".to_owned())];
    let refused = Server::start(&Options { settings, ..Options::default() }).unwrap_err();
    assert!(refused.to_string().contains("invalid value for parameter"), "{refused}");
}
