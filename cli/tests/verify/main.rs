//! `store::verify` over books that real projections wrote: all is well, and each way to tamper with them shows.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod tampering;
mod world;

use std::process::Command;

use serde_json::Value;
use store::verify::Extent;
use testkit::delivery::SECRET;

use world::World;

#[tokio::test]
async fn what_the_projector_wrote_passes_every_check() {
    let world = World::with_history().await;
    for extent in [Extent::Newest, Extent::Full] {
        let checks = world.verify(extent).await;
        for check in &checks {
            assert_eq!(check.differences, [""; 0], "{}", check.name);
            assert_eq!(check.not_checkable, 0, "{}", check.name);
            assert_ne!(check.checked, 0, "{} looked at nothing", check.name);
        }
        let names: Vec<_> = checks.iter().map(|check| check.name).collect();
        let expected = [
            "positions",
            "event_keys",
            "first_decisions",
            "revisions",
            "outcomes",
            "cases",
            "bodies",
            "signatures",
            "owners",
            "chains",
            "causes",
            "moves",
            "grants",
            "balances",
            "holds",
            "steps",
            "origins",
            "sums",
        ];
        assert_eq!(names, expected);
    }
}

#[tokio::test]
async fn what_a_retired_secret_signed_is_counted_and_no_fault() {
    let world = World::with_history().await;
    let secret = "whsec_8cQz1Rk5TnV3yWb7XmJd4L6g";
    let checks = world.verify_with(secret, Extent::Full).await;
    let signatures = checks.iter().find(|check| check.name == "signatures").unwrap();
    assert_eq!(signatures.differences, [""; 0]);
    assert_eq!(signatures.not_checkable, signatures.checked);
    assert_ne!(signatures.checked, 0);
}

#[tokio::test]
async fn an_erased_body_is_no_fault() {
    let world = World::with_history().await;
    let sql = "SELECT erase_event_body(1, 4, 'sam', 'asked for', now())";
    world.sql.batch_execute(sql).await.unwrap();
    world.drain().await;
    for check in world.verify(Extent::Full).await {
        assert_eq!(check.differences, [""; 0], "{}", check.name);
    }
}

#[tokio::test]
async fn a_tenant_without_a_history_is_in_order() {
    let world = World::new().await;
    for check in world.verify(Extent::Full).await {
        assert_eq!((check.checked, check.differences.len()), (0, 0), "{}", check.name);
    }
}

#[tokio::test]
async fn the_command_ends_with_3_and_names_what_differs() {
    let world = World::with_history().await;
    let verify = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tally"));
        command.args(["verify", "--full", "--json"]).env_clear();
        command.env("DATABASE_URL", world.url()).env("STRIPE_WEBHOOK_SECRET", SECRET);
        let output = command.env("TALLY_DATA_DIR", "/nowhere").output().unwrap();
        let verified: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), verified)
    };
    let (code, verified) = verify();
    assert_eq!((code, &verified["ok"]), (Some(0), &true.into()), "{verified}");
    world.sql.batch_execute("UPDATE account SET posted = 51 WHERE posted = 50").await.unwrap();
    let (code, verified) = verify();
    assert_eq!((code, &verified["ok"]), (Some(3), &false.into()), "{verified}");
    let checks = verified["checks"].as_array().unwrap();
    let balances = checks.iter().find(|check| check["name"] == "balances").unwrap();
    assert!(balances["differences"][0].as_str().unwrap().contains("has 51"), "{balances}");
}
