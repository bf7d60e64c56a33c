//! A purchase under the wrong session: staff find it, and give it to whoever paid.

use testkit::wait_for;

use crate::service::Service;

#[tokio::test]
async fn staff_move_a_payment_to_its_right_user() {
    let service = Service::start();
    assert_eq!(
        service.run_with(&["users", "import", "-"], "{\"id\": \"ada\"}\n{\"id\": \"bob\"}\n").code,
        0
    );
    let buy = ["simulate", "purchase", "--user", "ada", "--credits", "30", "--seed", "1"];
    wait_for("the purchase", async || (service.run(&buy).code == 0).then_some(())).await;
    let payment = wait_for("the credits", async || {
        let postings = service.json(&["statement", "ada"]);
        postings["data"][0]["payment"].as_str().map(str::to_owned)
    })
    .await;
    let shown = service.run(&["payments", "show", &payment]).answered;
    assert!(shown.starts_with(&format!("{payment}: paid, 30 credits of user ada\n")), "{shown}");
    assert!(shown.contains(&format!("tally payments reassign {payment} --user USER")), "{shown}");
    for (user, said) in
        [("carol", "There is no user carol"), ("ada", "The payment is user ada's already")]
    {
        let refused = ["payments", "reassign", &payment, "--user", user, "--reason", "asked"];
        let refused = service.run(&refused);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.said.contains(said), "{refused:?}");
        assert_eq!(refused.said.lines().count(), 1, "{refused:?}");
    }
    let reassign = ["payments", "reassign", &payment, "--user", "bob", "--reason", "his card"];
    let moved = service.run(&reassign);
    assert_eq!(moved.answered, format!("{payment} is 30 credits of user bob\n"), "{moved:?}");
    assert_eq!(service.run(&["balance", "ada"]).answered, "ada: 0 credits available\n");
    assert_eq!(service.run(&["balance", "bob"]).answered, "bob: 30 credits available\n");
    let json = service.json(&["payments", "show", &payment]);
    let owners: Vec<_> = json["owners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["user"], &one["reason"]))
        .collect();
    assert_eq!(
        owners,
        [(&"ada".into(), &serde_json::Value::Null), (&"bob".into(), &"his card".into())]
    );
    let shown = service.run(&["payments", "show", &payment]).answered;
    assert!(shown.contains("his card") && shown.contains("adjustment"), "{shown}");
    let told = service.run(&["explain", &payment]).answered;
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("went to user bob, because a person decided so."), "{told}");
    let back =
        ["payments", "reassign", &payment, "--user", "ada", "--reason", "a mistake", "--json"];
    assert_eq!(service.run(&back).code, 0);
    assert_eq!(service.run(&["balance", "ada"]).answered, "ada: 30 credits available\n");
    let verified = service.json(&["verify", "--full"]);
    assert_eq!(verified["ok"], true, "{verified}");
    let unknown = service.run(&["payments", "show", "pi_nothing"]);
    assert_eq!(unknown.code, 1, "{unknown:?}");
}
