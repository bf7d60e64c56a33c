//! `tally migrate` and `tally serve`: what they need, and what they refuse to serve on.

use private_postgres::{Options, Server};

use crate::program::{SECRET, run, tally};

#[test]
fn serve_names_what_is_missing() {
    let mut command = tally(&["serve"]);
    let refused = run(&mut command);
    assert!(refused.code == Some(2) && refused.stderr.contains("TALLY_MODE"), "{}", refused.stderr);
    let refused = run(command.env("TALLY_MODE", "test"));
    assert!(
        refused.code == Some(2) && refused.stderr.contains("DATABASE_URL"),
        "{}",
        refused.stderr
    );
    let refused = run(command.env("DATABASE_URL", "postgres://127.0.0.1:1/tally"));
    assert!(refused.stderr.contains("STRIPE_WEBHOOK_SECRET"), "{}", refused.stderr);
    assert_eq!(refused.code, Some(2));
}

#[tokio::test]
async fn serve_refuses_a_database_that_is_not_fit() {
    let database = testkit::empty_database().await;
    let serve = || {
        let mut command = tally(&["serve"]);
        command.env("TALLY_MODE", "live").env("DATABASE_URL", &database.url);
        command.env("STRIPE_WEBHOOK_SECRET", SECRET);
        run(command.env("TALLY_LISTEN", "127.0.0.1:0").env("TALLY_ADMIN_LISTEN", "127.0.0.1:0"))
    };
    let refused = serve();
    assert!(refused.stderr.contains("tally migrate"), "{}", refused.stderr);

    // The tests' server does not write to disk, which is just what nobody may serve on.
    let migrated = run(tally(&["migrate"]).env("DATABASE_URL", &database.url));
    assert_eq!(migrated.code, Some(0), "{}", migrated.stderr);
    let refused = serve();
    assert!(
        refused.code != Some(0) && refused.stderr.contains("fsync is off"),
        "{}",
        refused.stderr
    );
}

#[tokio::test]
async fn migrate_makes_the_tenants_of_its_modes_once() {
    let database = testkit::empty_database().await;
    let migrate = |mode: &str| {
        let mut command = tally(&["migrate", "--json"]);
        let migrated = run(command.env("DATABASE_URL", &database.url).env("TALLY_MODE", mode));
        assert_eq!(migrated.code, Some(0), "{}", migrated.stderr);
        migrated.stdout
    };
    assert!(migrate("test").contains(r#""tenants":[{"id":1,"name":"default","mode":"test"}]"#));
    let live = migrate("live");
    assert!(live.contains(r#""applied":[],"#), "{live}");
    assert!(live.contains(r#"{"id":2,"name":"default","mode":"live"}"#), "{live}");
    assert!(live.contains(r#"{"id":1,"name":"default","mode":"test"}"#), "{live}");
}

#[test]
fn what_cannot_be_reached_ends_with_4() {
    let url = "postgres://127.0.0.1:1/tally";
    for arguments in [&["migrate"][..], &["healthcheck"], &["simulate", "purchase"]] {
        let mut command = tally(arguments);
        command.env("DATABASE_URL", url).env("STRIPE_WEBHOOK_SECRET", SECRET);
        command.env("TALLY_URL", "http://127.0.0.1:1").env("TALLY_ADMIN_LISTEN", "127.0.0.1:1");
        let failed = run(&mut command);
        assert_eq!(failed.code, Some(4), "{arguments:?}: {}", failed.stderr);
    }
}

#[test]
fn doctor_says_what_to_do() {
    let mut command = tally(&["doctor"]);
    command.env("TALLY_LISTEN", "127.0.0.1:0").env("TALLY_ADMIN_LISTEN", "127.0.0.1:0");
    let found = run(&mut command);
    assert_eq!(found.code, Some(1));
    for told in ["WRONG  secrets", "stripe listen --print-secret", "WRONG  database", "tally up"] {
        assert!(found.stdout.contains(told), "{told} in {}", found.stdout);
    }
    let server = Server::start(&Options { fsync: false, ..Options::default() }).unwrap();
    let found = run(command.env("DATABASE_URL", server.url("postgres")));
    for told in ["fsync and full_page_writes is off", "run `tally migrate`"] {
        assert!(found.stdout.contains(told), "{told} in {}", found.stdout);
    }
}
