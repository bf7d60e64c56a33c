//! Credits given and used from the command line, each under a key that makes it once.

use serde_json::Value;

use crate::service::Service;

#[tokio::test]
async fn credits_are_given_and_spent_once_under_each_key() {
    let service = Service::start();
    assert_eq!(service.run_with(&["users", "import", "-"], "{\"id\": \"ada\"}\n").code, 0);
    let give = ["grants", "create", "--user", "ada", "--amount", "30", "--reason", "for the delay"];
    let ends = ["--expires-at", "2100-01-01T00:00:00Z", "--priority", "-1"];
    let given = service.run(&[&give[..], &ends[..]].concat());
    assert_eq!(given.code, 0, "{given:?}");
    let told = "30 credits for ada until 2100-01-01 00:00:00 UTC, 30 available\n";
    assert!(given.answered.starts_with("grt_") && given.answered.ends_with(told), "{given:?}");

    let spend = ["spend", "--user", "ada", "--amount", "12", "--description", "a picture"];
    let once = [&spend[..], &["--idempotency-key", "picture 7"]].concat();
    let spent: Value = service.json(&once);
    assert_eq!((&spent["amount"], &spent["description"]), (&12.into(), &"a picture".into()));
    assert_eq!(service.json(&once), spent);
    let again = service.run(&spend);
    assert!(again.answered.starts_with("spd_"), "{again:?}");
    assert!(again.answered.ends_with("12 credits of ada spent, 6 available\n"), "{again:?}");

    let poor = service.run(&spend);
    assert_eq!(poor.code, 1, "{poor:?}");
    assert!(
        poor.said.contains("12 asked for, 6 available.") && poor.said.contains("402"),
        "{poor:?}"
    );
    let reused = ["spend", "--user", "ada", "--amount", "1", "--idempotency-key", "picture 7"];
    let reused = service.run(&reused);
    assert!(reused.code == 1 && reused.said.contains("422"), "{reused:?}");
    for amount in ["0", "-1", "1.5", "9223372036854775808"] {
        let refused = service.run(&["spend", "--user", "ada", &format!("--amount={amount}")]);
        assert_eq!(refused.code, 2, "{refused:?}");
    }
    let nobody = service.run(&["spend", "--user", "eve", "--amount", "1"]);
    assert!(nobody.code == 1 && nobody.said.contains("There is no user eve"), "{nobody:?}");

    assert_eq!(
        service.run(&["balance", "ada"]).answered.lines().next(),
        Some("ada: 6 credits available")
    );
    let statement = service.json(&["statement", "ada"]);
    let amounts: Vec<_> =
        statement["data"].as_array().unwrap().iter().map(|one| &one["amount"]).collect();
    assert_eq!(amounts, [-12, -12, 30]);
    let verified = service.json(&["verify", "--full"]);
    assert_eq!(verified["ok"], true, "{verified}");
}
