//! Every recorded event, delivered as Stripe delivers it, becomes what the reviewed tables of testkit say.
//!
//! Each stands alone: in a tenant of its own, signed, posted over HTTP, stored, decided. The recorded events are not part of
//! this project; without them there is nothing to test, and that is said.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot be set up has failed"
)]

mod common_webhook;

use std::fmt::Write as _;

use futures_util::{StreamExt as _, stream};
use ingest::Tenants;
use jiff::Timestamp;
use projector::Tenant;
use serde_json::{Value, json};
use store::log::{NewEvent, Origin, Source, append, slot_of};
use store::read::balance::balance_get;
use store::{Role, Store};
use testkit::TestDatabase;
use testkit::delivery::{SECRET, sign};
use testkit::fixtures::Fixture;

use common_webhook::{NOW, Webhook, endpoint, patient, store_as, tenant};

/// How many tenants are at work at the same time.
const AT_ONCE: usize = 8;

/// The user and the price of the second table.
const USER: &str = "u_fixture";
const PRICE: &str = "price_fixture";
const CREDITS: i64 = 40;

/// A row of a table: what one recorded event is to become.
struct Row {
    file: &'static str,
    verdict: String,
    /// Only in the second table: what the metadata asks for, and what the user then has.
    bought: Option<(&'static str, i64)>,
}

/// What an event became: its verdict, or why it has none, and the credits of the user if there is one.
type Became = (String, Option<i64>);

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_event_alone_becomes_what_its_review_says() {
    let Some(fixtures) = fixtures() else { return };
    let table = include_str!("../../testkit/tables/fixture_outcomes.tsv");
    let rows: Vec<Row> = lines(table)
        .map(|cells| {
            let [file, _type, outcome, reason, _note] = cells[..] else {
                panic!("a line of five cells: {cells:?}")
            };
            Row { file, verdict: format!("{outcome} {reason}"), bought: None }
        })
        .collect();
    let named: Vec<&str> = rows.iter().map(|row| row.file).collect();
    let there: Vec<&str> = fixtures.iter().map(|fixture| fixture.name.as_str()).collect();
    assert_eq!(named, there, "the table and the folder name the same files in the same order");
    compare(&rows, &fixtures).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_purchase_credits_the_user_that_it_names() {
    let Some(fixtures) = fixtures() else { return };
    let table = include_str!("../../testkit/tables/fixture_credits.tsv");
    let rows: Vec<Row> = lines(table)
        .map(|cells| {
            let [file, quantity, outcome, reason, credits] = cells[..] else {
                panic!("a line of five cells: {cells:?}")
            };
            let bought = Some((quantity, credits.parse().unwrap()));
            Row { file, verdict: format!("{outcome} {reason}"), bought }
        })
        .collect();
    compare(&rows, &fixtures).await;
}

/// The recorded events, where they are at hand.
#[expect(clippy::print_stderr, reason = "a test that tests nothing has to say so")]
fn fixtures() -> Option<Vec<Fixture>> {
    let fixtures = testkit::fixtures::events();
    if fixtures.is_none() {
        eprintln!("passed without testing: there are no recorded events (see TALLY_FIXTURES)");
    }
    fixtures
}

/// The cells of each line but the first.
fn lines(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().skip(1).map(|line| line.split('\t').collect())
}

/// Delivers each row's event and fails with a table of all that became something else.
async fn compare(rows: &[Row], fixtures: &[Fixture]) {
    let world = World::new(rows).await;
    let mut wrong = String::new();
    let at = &world;
    let deliveries = rows.iter().zip(&world.tenants).map(|(row, tenant)| {
        let fixture = fixtures.iter().find(|fixture| fixture.name == row.file);
        let fixture = fixture.unwrap_or_else(|| panic!("there is no file {}", row.file));
        async move { (row, at.deliver(tenant, row, &fixture.body).await) }
    });
    let mut deliveries = stream::iter(deliveries).buffered(AT_ONCE);
    while let Some((row, became)) = deliveries.next().await {
        let expected = (row.verdict.clone(), row.bought.map(|(_quantity, credits)| credits));
        if became != expected {
            writeln!(wrong, "{}\n    expected {expected:?}\n    became   {became:?}", row.file)
                .unwrap();
        }
    }
    drop(deliveries);
    assert!(wrong.is_empty(), "\n{wrong}");

    let sql = world.webhook.database.superuser().await;
    let count = "SELECT count(*) FROM event WHERE origin = 1";
    let stored: i64 = sql.query_one(count, &[]).await.unwrap().get(0);
    assert_eq!(usize::try_from(stored).unwrap(), rows.len(), "what Stripe told, once each");
    drop(sql);
    world.webhook.stop().await;
}

/// A webhook with an endpoint for each row, named after the tenant that is the row's own.
struct World {
    webhook: Webhook,
    tenants: Vec<Tenant>,
    client: reqwest::Client,
    api: Store,
    /// What a tenant is told beforehand, if its row names a user.
    facts: Vec<NewEvent>,
}

impl World {
    async fn new(rows: &[Row]) -> Self {
        let database = testkit::database().await;
        let login = store_as(&database, Role::Login);
        let mut tenants = Vec::with_capacity(rows.len());
        for number in 0..rows.len() {
            tenants.push(tenant(&login, &format!("shop_{number}"), false).await);
        }
        let endpoints = tenants.iter().map(|tenant| {
            let name = tenant.tenant_id.to_string();
            endpoint(Some(&name), Tenants::Test(tenant.tenant_id), &[SECRET])
        });
        let endpoints = endpoints.collect();
        let facts = facts(&database).await;
        let api = store_as(&database, Role::Api);
        let http = service::http::Limits::default();
        let webhook = Webhook::serve(database, endpoints, patient(), http).await;
        Self { webhook, tenants, client: reqwest::Client::new(), api, facts }
    }

    /// Posts the event as the only one of Stripe's in its tenant, and sees what becomes of it.
    async fn deliver(&self, tenant: &Tenant, row: &Row, recorded: &[u8]) -> Became {
        let id = tenant.tenant_id;
        let told = if row.bought.is_some() { self.facts.as_slice() } else { &[] };
        append(&self.api, id, told).await.unwrap();

        let body = body(recorded, &format!("evt_fixture_{id}"), row.bought);
        let url = format!("http://{}/v1/webhooks/stripe/{id}", self.webhook.address);
        let request = self.client.post(url).header("Stripe-Signature", sign(SECRET, NOW, &body));
        let response = request.body(body).send().await.unwrap();
        let pos = i64::try_from(told.len()).unwrap() + 1;
        let answer = (response.status().as_u16(), response.text().await.unwrap());
        let stored = format!(r#"{{"received":true,"status":"stored","position":{pos}}}"#);
        if answer != (200, stored) {
            return (format!("answered {answer:?}"), None);
        }
        if let Err(error) = projector::drain(&self.webhook.projector, tenant).await {
            return (format!("not decided: {error}"), None);
        }
        let credits = if row.bought.is_some() { Some(self.available(id).await) } else { None };
        (self.webhook.verdict(id, pos).await, credits)
    }

    /// What the user has; nothing is held here.
    async fn available(&self, tenant_id: i32) -> i64 {
        let client = self.api.get().await.unwrap();
        let now = Timestamp::from_second(NOW).unwrap();
        let parts = balance_get(&client, tenant_id, USER, "credits", now).await.unwrap();
        parts.expect("the user is registered").posted
    }
}

/// The recorded event under an id of its own, because many share one; with metadata that names the user, if he buys.
fn body(recorded: &[u8], id: &str, bought: Option<(&str, i64)>) -> Vec<u8> {
    let mut event: Value = serde_json::from_slice(recorded).unwrap();
    event["id"] = json!(id);
    if let Some((quantity, _credits)) = bought {
        event["data"]["object"]["metadata"] =
            json!({"user_id": USER, "price": PRICE, "quantity": quantity});
    }
    serde_json::to_vec_pretty(&event).unwrap()
}

/// That the user is there, and what the price is worth.
async fn facts(database: &TestDatabase) -> Vec<NewEvent> {
    let user =
        json!({"object": "tally.event", "type": "tally.user.registered", "user": USER}).to_string();
    let price = json!({"object": "tally.event", "type": "tally.catalogue.set", "price": PRICE, "credits": CREDITS,
                       "unit": "credits", "actor": "test"})
    .to_string();
    vec![
        fact(database, Origin::Directory, &format!("user:{USER}"), user).await,
        fact(database, Origin::Catalogue, &format!("price:{PRICE}"), price).await,
    ]
}

async fn fact(database: &TestDatabase, origin: Origin, about: &str, body: String) -> NewEvent {
    let said: Value = serde_json::from_str(&body).unwrap();
    let sql = database.superuser().await;
    let row = sql.query_one("SELECT sha256($1)", &[&body.as_bytes()]).await.unwrap();
    let hash: Vec<u8> = row.get(0);
    let now = Timestamp::from_second(NOW).unwrap();
    NewEvent {
        origin,
        source: Source::Api,
        account: String::new(),
        source_id: format!("{about}:1"),
        event_type: said["type"].as_str().unwrap().to_owned(),
        root_key: None,
        slot: slot_of(about),
        livemode: None,
        api_version: None,
        endpoint: None,
        user_agent: None,
        peer: None,
        occurred_at: now,
        received_at: now,
        body_sha256: hash.try_into().unwrap(),
        body: body.into(),
        signature: None,
        traceparent: None,
    }
}
