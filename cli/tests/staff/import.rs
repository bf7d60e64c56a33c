//! Cutover: what another system kept is brought over once, and what Stripe tells of it before and after changes nothing.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::wait_for;

use crate::service::Service;

/// The session of the purchases that are simulated for this user.
fn session(seed: u32) -> String {
    format!("cs_test_sim_{seed:x}_1")
}

/// Ada has 250 credits left of what she bought, among it two purchases; Bob has 40, of which 10 end.
fn file() -> String {
    format!(
        r#"{{"type": "balance", "user": "ada", "amount": 250, "reference": 17}}
{{"type": "balance", "user": "bob", "amount": 30, "reference": "bob's"}}

{{"type": "balance", "user": "bob", "amount": 10, "reference": "bob's gift", "expires_at": "2100-01-01T00:00:00Z", "priority": -1}}
{{"type": "payment", "payment": "{}", "user": "ada", "credits": 100, "paid": 1000, "currency": "usd", "paid_at": "2026-01-01T00:00:00Z"}}
{{"type": "payment", "payment": "{}", "user": "ada", "credits": 100, "reversed": 50}}
{{"type": "payment", "payment": "{}", "user": "bob", "credits": 100}}
"#,
        session(1),
        session(2),
        session(3)
    )
}

fn import(service: &Service, arguments: &[&str], input: &str) -> (i32, Value) {
    let imported = service.run_with(&[&["import", "-", "--json"], arguments].concat(), input);
    let report = serde_json::from_str(&imported.answered);
    (imported.code, report.unwrap_or_else(|_| panic!("{imported:?}")))
}

/// What was imported, what was there, and what could not be: of balances, payments and all lines.
fn counts(report: &Value) -> [i64; 5] {
    let count = |path: &str| report.pointer(path).and_then(Value::as_i64).unwrap();
    [
        count("/balances/imported"),
        count("/balances/already"),
        count("/payments/imported"),
        count("/payments/already"),
        count("/failed"),
    ]
}

async fn simulate(service: &Service, kind: &str, user: &str, seed: u32) {
    let seed = seed.to_string();
    let told =
        ["simulate", kind, "--user", user, "--seed", &seed, "--shuffle", "--duplicate", "40"];
    wait_for("the deliveries", async || (service.run(&told).code == 0).then_some(())).await;
}

async fn has(service: &Service, user: &str, available: i64) {
    wait_for("the balance", async || {
        (service.json(&["balance", user])["available"] == available).then_some(())
    })
    .await;
}

/// What a leg of a payment comes to.
async fn leg(service: &Service, session: &str, name: &str) -> i64 {
    let payment = service.ask(Method::GET, &format!("/v1/payments/{session}"), None).await;
    let lines = payment["lines"].as_array().unwrap().iter();
    let legs = lines.flat_map(|line| line["legs"].as_array().unwrap());
    legs.filter(|leg| leg["leg"] == name).filter_map(|leg| leg["posted"].as_i64()).sum()
}

#[tokio::test]
async fn what_another_system_kept_is_brought_over_once() {
    let service = Service::start();
    let users = "{\"id\": \"ada\"}\n{\"id\": \"bob\"}\n";
    assert_eq!(service.run_with(&["users", "import", "-"], users).code, 0);
    // One purchase comes by webhook before the import does: it is credited, and taken off again.
    simulate(&service, "purchase", "bob", 3).await;
    has(&service, "bob", 100).await;

    let (code, report) = import(&service, &["--dry-run"], &file());
    assert_eq!((code, counts(&report)), (0, [3, 0, 3, 0, 0]), "{report}");
    assert_eq!(report["payments"]["told"], 1, "{report}");
    has(&service, "ada", 0).await;

    let (code, report) = import(&service, &[], &file());
    assert_eq!((code, counts(&report)), (0, [3, 0, 3, 0, 0]), "{report}");
    has(&service, "ada", 250).await;
    has(&service, "bob", 40).await;
    let (code, report) = import(&service, &[], &file());
    assert_eq!((code, counts(&report)), (0, [0, 3, 0, 3, 0]), "{report}");
    assert_eq!(report["opened"], json!([{"unit": null, "amount": 290}]));
    let (code, report) = import(&service, &["--dry-run"], &file());
    assert_eq!((code, counts(&report)), (0, [3, 0, 0, 3, 0]), "{report}");

    // Then Stripe tells of them: of the one half that was taken back before, and of another that was not.
    simulate(&service, "partial-refund", "ada", 1).await;
    simulate(&service, "partial-refund", "ada", 2).await;
    has(&service, "ada", 200).await;
    wait_for("the other refund", async || {
        let payment = service.ask(Method::GET, &format!("/v1/payments/{}", session(2)), None).await;
        let refunds = payment["refunds"].as_array().unwrap();
        (!refunds.is_empty()).then_some(())
    })
    .await;
    has(&service, "ada", 200).await;
    let mut legs = Vec::new();
    for seed in 1..=3 {
        for name in ["purchase", "refund", "carried"] {
            legs.push(leg(&service, &session(seed), name).await);
        }
    }
    assert_eq!(legs, [100, -50, -100, 100, -50, -50, 100, 0, -100]);
    let checkout = format!("/v1/checkout_sessions/{}", session(1));
    let checkout = service.ask(Method::GET, &checkout, None).await;
    assert_eq!((&checkout["status"], &checkout["credits"]), (&"credited".into(), &50.into()));
    assert_eq!(service.json(&["cases", "list"])["data"].as_array().unwrap().len(), 0);

    let shown = service.run(&["payments", "show", &session(1)]).answered;
    assert!(shown.contains("carried over") && shown.contains("100 credits"), "{shown}");
    let told = service.run(&["explain", &session(1)]).answered;
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("the system before had credited it to user ada"), "{told}");
    assert!(
        told.contains("left the account of user ada, whose opening balance has them"),
        "{told}"
    );
    let verified = service.json(&["verify", "--full"]);
    assert_eq!(verified["ok"], true, "{verified}");
}

#[tokio::test]
async fn what_is_wrong_is_told_line_by_line_and_keeps_nothing_else_out() {
    let service = Service::start();
    assert_eq!(service.run_with(&["users", "import", "-"], "{\"id\": \"ada\"}\n").code, 0);
    let file = r#"{"type": "balance", "user": "ada", "amount": 5, "reference": "a"}
{"type": "balance", "user": "eve", "amount": 5, "reference": "b"}
{"type": "payment", "payment": "pi_1", "user": "eve", "credits": 5}
{"type": "payment", "payment": "pi_1", "user": "ada", "credits": 5}
{"type": "payment", "payment": "sub_1", "user": "ada", "credits": 5}
{"type": "payment", "payment": "pi_2", "user": "ada", "credits": 5, "reversed": 5}
not JSON
"#;
    for dry_run in [&["--dry-run"][..], &[]] {
        let (code, report) = import(&service, dry_run, file);
        assert_eq!((code, counts(&report)), (3, [1, 0, 1, 0, 5]), "{report}");
        let errors = report["errors"].as_array().unwrap();
        let lines: Vec<_> = errors.iter().map(|error| &error["line"]).collect();
        assert_eq!(lines, [2, 3, 4, 5, 7], "{report}");
        assert!(errors[0]["error"].as_str().unwrap().contains("There is no user eve"), "{report}");
    }
    has(&service, "ada", 5).await;
    // What is said otherwise later is refused, and changes nothing.
    let other = r#"{"type": "payment", "payment": "pi_2", "user": "ada", "credits": 6}
{"type": "balance", "user": "ada", "amount": 6, "reference": "a"}"#;
    let (code, report) = import(&service, &[], other);
    assert_eq!((code, counts(&report)), (3, [0, 0, 0, 0, 2]), "{report}");
    let text = service.run_with(&["import", "-"], other);
    assert_eq!(text.code, 3, "{text:?}");
    assert!(
        text.answered.contains("line 1: ") && text.answered.contains("was imported otherwise"),
        "{text:?}"
    );
    assert!(text.answered.ends_with("2 lines that cannot be imported\n"), "{text:?}");
    has(&service, "ada", 5).await;
    let missing = service.run(&["import", "/nonexistent"]);
    assert!(missing.code == 1 && missing.said.contains("reading /nonexistent"), "{missing:?}");
    let key = service.variable("TALLY_KEY_SUPPORT");
    let refused = service.run_in(&["import", "-"], &[("TALLY_KEY_ADMIN", &key)], other);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert_eq!(service.json(&["verify", "--full"])["ok"], true);
}
