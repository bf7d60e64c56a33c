//! `tally catalogue`: prices are set, imported and listed, and credits are worth and last what they say.

use std::fs;

use serde_json::{Value, json};
use testkit::wait_for;

use crate::service::Service;

const FILE: &str = r#"
[catalogue.price_50]
credits = 50
expires = "P1Y"

[catalogue."lookup_key:gold plan"]
credits = 500
unit = "gpu_seconds"
expires = "period_end"
priority = 2
valid_from = "2027-01-01T00:00:00Z"

[catalogue.prod_shirt]
not_ours = true
"#;

#[tokio::test]
async fn a_price_is_set_and_what_is_bought_of_it_ends() {
    let service = Service::start();
    service.run_with(&["users", "import", "-"], r#"{"id": "u_1"}"#);
    let buy = ["simulate", "purchase", "--user", "u_1", "--price", "price_new", "--seed", "1"];
    wait_for("the purchase", async || (service.run(&buy).code == 0).then_some(())).await;
    let arguments = ["cases", "list", "--reason", "unknown_price"];
    wait_for("a case", async || service.json(&arguments)["data"][0].as_object().map(|_| ())).await;
    let set = [
        "catalogue",
        "set",
        "price_new",
        "--credits",
        "20",
        "--expires",
        "P1M",
        "--priority",
        "-1",
        "--reason",
        "spring",
    ];
    let set = service.run(&set);
    assert_eq!(set.answered, "price_new: 20 credits, for P1M, priority -1\n", "{set:?}");
    let balance = wait_for("the credits", async || {
        let balance = service.json(&["balance", "u_1"]);
        (balance["available"] == 20).then_some(balance)
    });
    let expiring = balance.await["expiring_next"].clone();
    assert_eq!(expiring["amount"], 20, "{expiring}");
    assert!(service.run(&["balance", "u_1"]).answered.contains("expiring  20 at "));
    let listed = service.run(&["catalogue", "list", "price_new"]);
    assert!(
        listed.answered.contains("20 credits, for P1M, priority -1")
            && listed.answered.contains("spring"),
        "{listed:?}"
    );
    for wrong in [
        &["catalogue", "set", "price_new"][..],
        &["catalogue", "set", "price_new", "--credits", "5", "--not-ours"],
        &["catalogue", "set", "price_new", "--not-ours", "--expires", "P1M"],
        &["catalogue", "set", "price_new", "--credits", "5", "--valid-from", "tomorrow"],
        &["catalogue", "list", "price_new", "--limit", "5"],
    ] {
        assert_eq!(service.run(wrong).code, 2, "{wrong:?}");
    }
    let refused =
        service.run(&["catalogue", "set", "price_new", "--credits", "5", "--expires", "1M"]);
    assert!(refused.code == 1 && refused.said.contains("P30D"), "{refused:?}");
}

#[tokio::test]
async fn a_file_is_imported_as_often_as_one_likes() {
    let service = Service::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.toml");
    let file = path.to_str().unwrap();
    let counts = |imported: &Value| {
        let changed = imported["changed"].as_array().unwrap().len();
        (changed, imported["unchanged"].as_i64().unwrap(), imported["dry_run"].as_bool().unwrap())
    };
    fs::write(&path, FILE).unwrap();
    let dry = service.json(&["catalogue", "import", file, "--dry-run"]);
    assert_eq!(counts(&dry), (3, 0, true), "{dry}");
    assert_eq!(service.json(&["catalogue", "list"])["data"], json!([]));
    assert_eq!(counts(&service.json(&["catalogue", "import", file])), (3, 0, false));
    // What stands when it is asked for the first time may still wait for its decision.
    wait_for("the entries", async || {
        (counts(&service.json(&["catalogue", "import", file, "--dry-run"])) == (0, 3, true))
            .then_some(())
    })
    .await;
    let listed = service.run(&["catalogue", "list"]).answered;
    let lines: Vec<_> = listed.lines().map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(lines, ["key", "lookup_key:gold plan", "price_50", "prod_shirt"]);
    assert!(
        listed.contains("500 gpu_seconds, until the billing period ends, priority 2"),
        "{listed}"
    );
    assert!(listed.contains("2027-01-01 00:00:00") && listed.contains("not ours"), "{listed}");

    fs::write(&path, FILE.replace("credits = 50\n", "credits = 60\n")).unwrap();
    let changed = service.run(&["catalogue", "import", file]).answered;
    assert_eq!(
        changed,
        "price_50: 50 credits, for P1Y -> 60 credits, for P1Y\n1 changed, 2 unchanged\n"
    );
    let history = service.json(&["catalogue", "list", "price_50"]);
    assert_eq!(
        (&history["credits"], history["versions"].as_array().unwrap().len()),
        (&json!(60), 2)
    );

    for (text, told) in [
        ("[catalogue.price_50]\ncredits = 0\n", "catalogue.price_50: credits is not"),
        ("[catalogue.price_50]\nworth = 5\n", "line 2"),
        ("[prices.price_50]\ncredits = 5\n", "line 1"),
    ] {
        fs::write(&path, text).unwrap();
        let refused = service.run(&["catalogue", "import", file]);
        assert!(refused.code == 2 && refused.said.contains(told), "{text}: {refused:?}");
    }
    let missing = service.run(&["catalogue", "import", "/no/such/file"]);
    assert!(missing.code == 2 && missing.said.contains("/no/such/file"), "{missing:?}");
}
