//! The commands of staff and administrators, run as people run them, against `tally up`.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod catalogue;
mod checkouts;
mod import;
mod payments;
mod service;
mod simulated;
mod spending;

use serde_json::Value;
use testkit::wait_for;

use service::Service;

/// Two users, and three lines that describe none.
const USERS: &str = r#"{"id": "u_1", "email": "ada@example.com", "email_verified": true, "name": "Ada", "metadata": {"plan": "pro"}}

{"id": 2}
u_3,ada@example.com
{"id": "undefined"}
{"id": "u_4", "nme": "x"}
"#;

#[tokio::test]
async fn staff_find_a_lost_purchase_and_give_it_to_its_owner() {
    let service = Service::start();
    import_users(&service);
    // Like Stripe, it delivers again what was not accepted at once.
    let buy = ["simulate", "unresolved", "--credits", "30", "--seed", "1"];
    wait_for("the purchase", async || (service.run(&buy).code == 0).then_some(())).await;
    let case = wait_for("a case", async || open_case(&service)).await;
    let shown = service.run(&["cases", "show", &case]);
    assert!(shown.answered.starts_with(&format!("{case}: open (no_evidence)\n")), "{shown:?}");
    assert!(shown.answered.contains("tally cases assign"), "{shown:?}");
    let nobody = ["cases", "assign", &case, "--user", "nobody", "--reason", "asked"];
    let refused = service.run(&nobody);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.said.contains("There is no user nobody") && refused.said.contains("req_"),
        "{refused:?}"
    );
    assert_eq!(refused.said.lines().count(), 1, "{refused:?}");
    let done = service.run(&["cases", "assign", &case, "--user", "u_1", "--reason", "asked"]);
    assert_eq!(done.answered, format!("{case} is closed: assigned\n"), "{done:?}");
    let balance = service.json(&["balance", "u_1"]);
    assert_eq!((&balance["object"], &balance["available"]), (&"balance".into(), &30.into()));
    assert_eq!(service.run(&["balance", "u_1"]).answered, "u_1: 30 credits available\n");
    assert_eq!(service.json(&["statement", "u_1"])["data"][0]["amount"], 30);
    let told = service.run(&["explain", &case]).answered;
    assert!(told.contains("u_1") && told.contains("\nNow:  "), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 100), "{told}");
    let events = service.json(&["events", "list", "--type", "tally.case.assigned"]);
    let event = events["data"][0]["id"].as_str().unwrap();
    assert!(service.run(&["events", "show", event]).answered.contains("said by   operator"));
    let verified = service.json(&["verify", "--full"]);
    assert_eq!(verified["ok"], true, "{verified}");
}

fn import_users(service: &Service) {
    let imported = service.run_with(&["--json", "users", "import", "-"], USERS);
    assert_eq!(imported.code, 1, "{imported:?}");
    let counts: Value = serde_json::from_str(&imported.answered).unwrap();
    assert_eq!((&counts["registered"], &counts["failed"]), (&2.into(), &3.into()), "{counts}");
    let lines: Vec<_> =
        counts["errors"].as_array().unwrap().iter().map(|one| &one["line"]).collect();
    assert_eq!(lines, [4, 5, 6], "{counts}");
    let shown = service.run(&["users", "show", "u_1"]);
    assert!(shown.answered.contains("ada@example.com (verified)"), "{shown:?}");
    assert_eq!(service.json(&["users", "show", "2"])["id"], "2");
}

fn open_case(service: &Service) -> Option<String> {
    let cases = service.json(&["cases", "list", "--reason", "no_evidence"]);
    cases["data"][0]["id"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn keys_are_made_shown_once_and_revoked() {
    let service = Service::start();
    let made = service.run(&["keys", "create", "--role", "support", "--name", "Sam"]);
    let key = made.answered.trim_end();
    assert!(key.starts_with("tally_test_"), "{made:?}");
    let listed = service.json(&["keys", "list"]);
    let listed = listed["data"].as_array().unwrap();
    let ours = listed.iter().find(|one| one["name"] == "Sam").unwrap();
    assert!(!listed.iter().any(|one| one.to_string().contains(key)), "{listed:?}");
    let id = ours["id"].as_str().unwrap();
    let with_it = [("TALLY_KEY_SUPPORT", key)];
    assert_eq!(service.run_in(&["cases", "list"], &with_it, "").code, 0);
    assert_eq!(service.run(&["keys", "revoke", id]).code, 0);
    let again = service.run(&["keys", "revoke", id]);
    assert_eq!(again.code, 1, "{again:?}");
    let gone = service.run(&["keys", "rotate", id]);
    assert!(gone.code == 1 && gone.said.contains("no key"), "{gone:?}");
    let wrong = service.run(&["keys", "create", "--role", "king", "--name", "x"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
}

#[tokio::test]
async fn keys_are_narrowed_end_by_themselves_and_are_rotated() {
    let service = Service::start();
    let create = ["keys", "create", "--role", "support", "--name", "Sam"];
    let narrow =
        [&create[..], &["--scopes", "cases:read,users:read", "--expires-in", "90d"]].concat();
    let made = service.json(&narrow);
    assert_eq!(made["scopes"], serde_json::json!(["cases:read", "users:read"]));
    let at = |name: &str| made[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(at("expires").duration_since(at("created")).as_hours(), 90 * 24);
    let list = |key: &str, what: &str| {
        service.run_in(&[what, "list"], &[("TALLY_KEY_SUPPORT", key)], "").code
    };
    let old = made["key"].as_str().unwrap();
    assert_eq!((list(old, "cases"), list(old, "events")), (0, 4));

    let rotated = service.json(&["keys", "rotate", made["id"].as_str().unwrap(), "--grace", "0s"]);
    assert_eq!((&rotated["replaces"], &rotated["scopes"]), (&made["id"], &made["scopes"]));
    assert_eq!(list(rotated["key"].as_str().unwrap(), "cases"), 0);
    wait_for("the old key to end", async || (list(old, "cases") == 4).then_some(())).await;
    let before = service.run(&["keys", "rotate", made["id"].as_str().unwrap()]);
    assert_eq!(before.code, 1, "{before:?}");

    let wrong = service.run(&[&create[..], &["--scopes", "cases:read,catalogue:write"]].concat());
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(wrong.said.contains("catalogue:write is no scope of role support"), "{wrong:?}");
}

#[tokio::test]
async fn who_is_not_let_in_or_finds_nobody_ends_with_4_and_advice() {
    let service = Service::start();
    let strange = "tally_test_000000000000_0000000000000000000000000000000000000000000";
    let refused = service.run_in(&["cases", "list"], &[("TALLY_KEY_SUPPORT", strange)], "");
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.said.contains("set TALLY_KEY_SUPPORT"), "{refused:?}");
    let alone = service.run_in(&["balance", "u_1"], &[("TALLY_URL", "http://127.0.0.1:1")], "");
    assert_eq!(alone.code, 4, "{alone:?}");
    assert!(alone.said.contains("nothing answers at http://127.0.0.1:1"), "{alone:?}");
    assert_eq!(alone.said.lines().count(), 1, "{alone:?}");
}
