//! `tally demo`: one object with books that add up, wherever it plays.

use private_postgres::{Options, Server};
use serde_json::{Value, json};

use crate::program::{run, tally};

#[track_caller]
fn check(stdout: &str) {
    let mut answer: Value = serde_json::from_str(stdout).unwrap();
    let balances = answer.as_object_mut().unwrap().remove("balances").unwrap();
    let expected = json!({
        "received": 14, "pending": 0, "applied": 13, "ignored": 1, "deferred": 0, "in_review": 0, "duplicates": 1,
        "cases_opened": 3, "cases_closed": 3, "bought": 800, "granted": 800, "unclaimed": 0, "written_off": 0,
        "books": "ok",
    });
    assert_eq!(answer, expected);
    let of = |user: &str, available: i64| json!({"user": user, "unit": "credits", "available": available});
    assert_eq!(balances, json!([of("ada", 100), of("bob", 600), of("carol", 100)]));
}

#[test]
fn it_needs_nothing_and_proves_its_books() {
    let told = run(&mut tally(&["demo", "--json"]));
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    assert_eq!(told.stdout.lines().count(), 1);
    check(&told.stdout);
}

#[tokio::test]
async fn in_a_given_database_it_plays_in_a_tenant_of_its_own() {
    let server = Server::start(&Options::default()).unwrap();
    let url = server.url("postgres");
    for _ in 1..=2 {
        let told = run(tally(&["demo", "--json"]).env("DATABASE_URL", &url));
        assert_eq!(told.code, Some(0), "{}", told.stderr);
        check(&told.stdout);
    }
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let rows = client.query("SELECT name FROM tally.tenant ORDER BY tenant_id", &[]).await.unwrap();
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(names, ["demo-1", "demo-2"]);
}

#[test]
fn people_are_told_the_same_in_words() {
    let told = run(&mut tally(&["demo"]));
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    for line in [
        "in_review (unknown_user), then applied (credited)",
        "duplicate of position",
        "assigned",
        "800 credits bought = 800 granted",
        "proof   ok",
    ] {
        assert!(told.stdout.contains(line), "{line} in {}", told.stdout);
    }
    assert!(!told.stdout.contains('\u{1b}'), "no colour where nobody looks");
}
