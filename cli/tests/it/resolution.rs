//! Whose a purchase is, from the configuration to the balance: what the app's server signed, and what it did not.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::events::{Event, Purchase, metadata};
use testkit::wait_for;

use crate::program::{Serving, deliver, kept, open_folder};

/// A day after which nothing is in force that is signed today.
const DAYS_LATER: i64 = 3;

/// A running service with a price of 50 credits, whose policy is this, and its data folder.
struct Shop {
    _folder: tempfile::TempDir,
    data_dir: PathBuf,
    serving: Serving,
}

impl Shop {
    fn open(policy: &str) -> Self {
        let folder = open_folder();
        let (data_dir, toml) = (folder.path().join("data"), folder.path().join("tally.toml"));
        let text = format!(
            "[[tenants]]\nname = \"shop\"\n{policy}\n[tenants.catalogue]\nprice_50 = {{ credits = 50 }}\n"
        );
        fs::write(&toml, text).unwrap();
        let serving = Serving::up(&data_dir, |command| {
            command.env("TALLY_CONFIG", &toml);
        });
        Self { _folder: folder, data_dir, serving }
    }

    /// Asks as `role`; the body of the answer.
    async fn ask(&self, role: &str, method: &str, path: &str, body: Option<Value>) -> Value {
        let client = reqwest::Client::new();
        let method = method.parse().unwrap();
        let mut request = client.request(method, format!("{}{path}", self.serving.url));
        request = request.bearer_auth(kept(&self.data_dir, &format!("TALLY_KEY_{role}")));
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn register(&self, user: &str) {
        let path = format!("/v1/users/{user}");
        let answer = self.ask("APP", "PUT", &path, Some(json!({}))).await;
        assert_eq!(answer["id"], user, "{answer}");
    }

    /// What a checkout of this user is started with.
    async fn params(&self, user: &str) -> Value {
        let body = json!({"user": user, "price": "price_50"});
        self.ask("APP", "POST", "/v1/checkout_params", Some(body)).await
    }

    /// Stripe tells of it.
    async fn hear(&self, event: Event) {
        let (status, answer) = deliver(&self.serving, &self.data_dir, event.body).await;
        assert_eq!((status, &answer["status"]), (200, &json!("stored")), "{answer}");
    }

    async fn has(&self, user: &str, credits: i64) {
        let path = format!("/v1/users/{user}/balance");
        wait_for("the credits", async || {
            let balance = self.ask("READ", "GET", &path, None).await;
            (balance["available"] == credits).then_some(())
        })
        .await;
    }

    /// The case of this payment, as soon as there is one.
    async fn case_of(&self, payment: &str) -> Value {
        let list = wait_for("the case", async || {
            let listed = self.ask("SUPPORT", "GET", "/v1/cases?status=open", None).await;
            let cases = listed["data"].as_array().unwrap().clone();
            cases.into_iter().find(|case| case.to_string().contains(payment))
        })
        .await;
        let path = format!("/v1/cases/{}", list["id"].as_str().unwrap());
        self.ask("SUPPORT", "GET", &path, None).await
    }
}

/// A purchase that names nobody but by this reference, as after metadata were stripped.
fn stripped(name: &str, reference: &str) -> Purchase {
    Purchase { client_reference_id: Some(reference.to_owned()), ..Purchase::new(name) }
}

#[tokio::test]
async fn what_was_signed_is_credited_and_what_was_tampered_with_is_a_case() {
    let shop = Shop::open("accept_unsigned_reference = true");
    shop.register("ada").await;
    shop.register("bob").await;
    let params = shop.params("ada").await;
    let reference = params["client_reference_id"].as_str().unwrap();
    shop.hear(stripped("1", reference).checkout_session_completed()).await;
    shop.has("ada", 50).await;

    // Stripe hands the session's metadata on to nothing: the payment intent has its own copy.
    let copied = params["payment_intent_data"]["metadata"]["tally_reference"].as_str().unwrap();
    let metadata_alone = Purchase {
        payment_metadata: metadata(&[("tally_reference", copied)]),
        ..Purchase::new("2")
    };
    shop.hear(metadata_alone.payment_intent_succeeded()).await;
    shop.has("ada", 100).await;

    let signed_for_bob = shop.params("bob").await;
    let of_bob = signed_for_bob["client_reference_id"].as_str().unwrap();
    // The terms of one reference with the signature of another.
    let (terms, signature) = (&of_bob[..of_bob.len() - 43], &reference[reference.len() - 43..]);
    shop.hear(stripped("3", &format!("{terms}{signature}")).checkout_session_completed()).await;
    let case = shop.case_of("pi_3").await;
    assert_eq!(case["reason"], "no_evidence", "{case}");
    let shown = case.to_string();
    assert!(shown.contains("bad_mac") && shown.contains("does not fit"), "{shown}");

    let mut late = stripped("4", of_bob);
    late.created = testkit::delivery::now() + DAYS_LATER * 24 * 60 * 60;
    shop.hear(late.checkout_session_completed()).await;
    let case = shop.case_of("pi_4").await;
    assert!(case.to_string().contains("expired"), "{case}");
    shop.has("ada", 100).await;
    shop.has("bob", 0).await;
}

#[tokio::test]
async fn a_user_whom_the_server_names_is_added_where_that_is_the_policy() {
    let shop = Shop::open("create_users = true");
    let named = [("user_id", "dora"), ("price", "price_50")];
    let vouched = Purchase { metadata: metadata(&named), ..Purchase::new("1") };
    shop.hear(vouched.checkout_session_completed()).await;
    wait_for("the user", async || {
        let user = shop.ask("APP", "GET", "/v1/users/dora", None).await;
        (user["id"] == "dora").then_some(())
    })
    .await;
    shop.has("dora", 50).await;
    let told = json!({"email": "dora@example.com"});
    let changed = shop.ask("APP", "PUT", "/v1/users/dora", Some(told)).await;
    assert_eq!(changed["email"], "dora@example.com", "{changed}");
    let kept = shop.ask("APP", "GET", "/v1/users/dora", None).await;
    assert_eq!(kept["email"], "dora@example.com", "{kept}");
}
