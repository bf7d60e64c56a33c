//! `tally up`: it serves, it keeps what it made, and nothing of it survives its death.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::{Value, json};
use testkit::events::{Purchase, metadata};

use crate::program::{Serving, deliver, kept, open_folder, run, tally};

/// Process number of the private server.
fn postmaster(data_dir: &Path) -> Pid {
    let file = fs::read_to_string(data_dir.join("postgres/cluster/postmaster.pid")).unwrap();
    Pid::from_raw(file.lines().next().unwrap().trim().parse().unwrap())
}

#[tokio::test]
async fn it_serves_and_keeps_what_it_made() {
    let folder = open_folder();
    let data_dir = folder.path().join("data");
    let toml = folder.path().join("tally.toml");
    let text = "[[tenants]]\nname = \"shop\"\n[tenants.catalogue]\nprice_50 = { credits = 50 }\n";
    fs::write(&toml, text).unwrap();

    let mut serving = Serving::up(&data_dir, |command| {
        command.env("TALLY_CONFIG", &toml);
    });
    let mode = fs::metadata(data_dir.join("dev.env")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(kept(&data_dir, "TALLY_URL"), serving.url);

    let user = format!("{}/v1/users/ada", serving.url);
    let app = reqwest::Client::new();
    let registered = app.put(&user).bearer_auth(kept(&data_dir, "TALLY_KEY_APP")).json(&json!({}));
    assert_eq!(registered.send().await.unwrap().status().as_u16(), 200);
    let purchase = Purchase {
        metadata: metadata(&[("user_id", "ada"), ("price", "price_50")]),
        ..Purchase::new("1")
    };
    let (status, answer) =
        deliver(&serving, &data_dir, purchase.checkout_session_completed().body).await;
    assert_eq!((status, &answer["status"]), (200, &json!("stored")));
    testkit::wait_for("the credits of the catalogue's price", async || {
        let asked =
            app.get(format!("{user}/balance")).bearer_auth(kept(&data_dir, "TALLY_KEY_READ"));
        let balance: Value = asked.send().await.unwrap().json().await.unwrap();
        (balance["available"] == 50).then_some(())
    })
    .await;

    let simulated = run(tally(&["simulate", "purchase"]).env("TALLY_DATA_DIR", &data_dir));
    assert_eq!(simulated.code, Some(0), "{}", simulated.stderr);
    let made =
        ["STRIPE_WEBHOOK_SECRET", "TALLY_SIGNING_KEY", "TALLY_KEY_ADMIN", "TALLY_KEY_SUPPORT"]
            .map(|name| kept(&data_dir, name));
    let server = postmaster(&data_dir);
    assert_eq!(serving.terminate(), Some(0));
    assert_eq!(kill(server, None), Err(Errno::ESRCH), "its Postgres is gone before it");

    let again = Serving::up(&data_dir, |command| {
        command.env("TALLY_CONFIG", &toml);
    });
    let kept_again =
        ["STRIPE_WEBHOOK_SECRET", "TALLY_SIGNING_KEY", "TALLY_KEY_ADMIN", "TALLY_KEY_SUPPORT"]
            .map(|name| kept(&data_dir, name));
    assert_eq!(made, kept_again);
    let (status, answer) =
        deliver(&again, &data_dir, purchase.checkout_session_completed().body).await;
    assert_eq!((status, &answer["status"]), (200, &json!("duplicate")));
}

#[tokio::test]
async fn nothing_of_it_survives_its_death() {
    let folder = open_folder();
    let data_dir = folder.path().join("data");
    let mut serving = Serving::up(&data_dir, |_| {});
    let server = postmaster(&data_dir);
    assert_eq!(kill(server, None), Ok(()));

    let mut second = tally(&["up", "--listen", "127.0.0.1:0", "--data-dir"]);
    let refused = run(second.arg(&data_dir).env("TALLY_ADMIN_LISTEN", "127.0.0.1:0"));
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
    assert!(refused.stderr.contains("another process runs the Postgres"), "{}", refused.stderr);

    serving.kill();
    testkit::wait_for("its Postgres to be gone", async || {
        (kill(server, None) == Err(Errno::ESRCH)).then_some(())
    })
    .await;
    let again = Serving::up(&data_dir, |_| {});
    let (status, _) = deliver(&again, &data_dir, Purchase::new("1").charge_succeeded().body).await;
    assert_eq!(status, 200);
}

#[test]
fn it_is_not_for_live_money() {
    let folder = open_folder();
    let mut command = tally(&["up", "--data-dir"]);
    let refused = run(command.arg(folder.path()).env("TALLY_MODE", "live"));
    assert!(refused.code == Some(1) && refused.stderr.contains("test mode"), "{}", refused.stderr);
}
