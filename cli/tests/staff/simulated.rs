//! `tally simulate`: whatever happens to a purchase, in whatever order and however often it is told, the balance comes out
//! right, and everybody who asks is told the same.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::wait_for;

use crate::service::Service;

/// Kinds of simulation, and how each ends for a purchase of 100 credits: what is left, the status of the checkout, and
/// what refunds and disputes took back.
const KINDS: [(&str, i64, &str, i64, i64); 6] = [
    ("purchase", 100, "credited", 0, 0),
    ("async-purchase", 100, "credited", 0, 0),
    ("refund", 0, "reversed", -100, 0),
    ("partial-refund", 50, "credited", -50, 0),
    ("dispute-lost", 0, "reversed", 0, -100),
    ("dispute-won", 100, "credited", 0, 0),
];

#[tokio::test]
async fn every_kind_of_purchase_ends_as_it_should() {
    let service = Service::start();
    let users: Vec<String> =
        KINDS.iter().map(|kind| format!("{{\"id\": \"{}\"}}\n", kind.0)).collect();
    let imported = service.run_with(&["users", "import", "-"], &users.concat());
    assert_eq!(imported.code, 0, "{imported:?}");
    for (seed, kind) in (1..).zip(KINDS) {
        let seed = seed.to_string();
        let told = ["--user", kind.0, "--seed", &seed, "--shuffle", "--duplicate", "40"];
        deliver(&service, kind.0, &told).await;
    }
    for (seed, (kind, left, status, refunded, disputed)) in (1..).zip(KINDS) {
        let session = format!("cs_test_sim_{seed:x}_1");
        let path = format!("/v1/checkout_sessions/{session}");
        let checkout = wait_for(status, async || {
            let checkout = service.ask(Method::GET, &path, None).await;
            (checkout["status"] == status && checkout["credits"] == left).then_some(checkout)
        });
        assert_eq!(checkout.await["user"], kind);
        let balance = service.json(&["balance", kind]);
        let parts = ["available", "posted", "pending", "in_review", "disputed", "debt"];
        let parts = parts.map(|part| balance[part].as_i64().unwrap());
        assert_eq!(parts, [left, left, 0, 0, 0, 0], "{kind}: {balance}");

        let payment = service.ask(Method::GET, &format!("/v1/payments/{session}"), None).await;
        let line = &payment["lines"][0];
        assert_eq!((&line["posted"], &line["expected"]), (&left.into(), &100.into()), "{payment}");
        let leg = |name: &str| {
            let legs = line["legs"].as_array().unwrap().iter();
            legs.filter(|leg| leg["leg"] == name).filter_map(|leg| leg["posted"].as_i64()).sum()
        };
        let legs: [i64; 3] = ["purchase", "refund", "dispute"].map(leg);
        assert_eq!(legs, [100, refunded, disputed], "{payment}");
    }
    let told = service.run(&["explain", "cs_test_sim_4_1"]).answered;
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "2.00 USD were refunded (re_sim_4_1_1)",
        "5.00 USD of the charge ch_sim_4_1 were refunded so far",
        "Of 100 credits that were bought, refunds took 50 credits back.",
    ] {
        assert!(told.contains(said), "{told}");
    }
    let verified = service.json(&["verify", "--full"]);
    assert_eq!(verified["ok"], true, "{verified}");
}

#[tokio::test]
async fn a_subscription_is_worth_what_the_catalogue_says_of_its_price() {
    let service = Service::start();
    let imported = service.run_with(&["users", "import", "-"], "{\"id\": \"u_1\"}\n");
    assert_eq!(imported.code, 0, "{imported:?}");
    let entry = json!({"credits": 70, "unit": "credits"});
    service.ask(Method::PUT, "/v1/catalogue/price_simulated", Some(entry)).await;
    deliver(&service, "subscription", &["--seed", "1", "--shuffle"]).await;
    wait_for("the credits", async || {
        (service.json(&["balance", "u_1"])["available"] == 70).then_some(())
    })
    .await;
    for object in ["in_sim_1_1", "pi_sim_1_1", "ch_sim_1_1", "cs_test_sim_1_1"] {
        let payment = service.ask(Method::GET, &format!("/v1/payments/{object}"), None).await;
        assert_eq!((&payment["user"], &payment["status"]), (&"u_1".into(), &"paid".into()));
    }
}

/// Delivers what is simulated, until all of it is decided. Like Stripe, it delivers again what was not accepted at once.
async fn deliver(service: &Service, kind: &str, options: &[&str]) {
    let told = [&["simulate", kind], options].concat();
    wait_for("the deliveries", async || (service.run(&told).code == 0).then_some(())).await;
    wait_for("everything to be decided", async || {
        let waiting = service.ask(Method::GET, "/v1/events?outcome=pending&limit=1", None).await;
        (waiting["data"] == Value::Array(Vec::new())).then_some(())
    })
    .await;
}
