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

/// The prices that recorded invoices name; each is worth as much as the usual one.
const BILLED: [&str; 8] = [
    "price_1M3wjkE0b6fckueSKPgfRMSG",
    "price_1IDQm5JDPojXS6LNM31hxKzp",
    "price_000000000000000000000000",
    "price_00000000000000",
    "platinum",
    "gold",
    "d4154bd1-f33d-4313-8f22-ecb665362682",
    "fkx0AFo",
];

/// A row of a table: what one recorded event is to become.
struct Row {
    file: &'static str,
    verdict: String,
    /// Only in the second table.
    story: Option<Story>,
    /// Only in the second table: what the user then has.
    credits: Option<i64>,
}

/// What is told around the event, so that the user has to do with it.
enum Story {
    /// Its metadata name him, the usual price, and how many of it.
    Bought(&'static str),
    /// Its metadata name him; what he bought, its lines say.
    Billed,
    /// Before it, he buys by the charge that it is about, for so many cents.
    Paid(i64),
    /// Its metadata name him; after it, an invoice of its customer or subscription is paid.
    Named,
}

impl Story {
    fn read(name: &str, number: &'static str) -> Self {
        match name {
            "bought" => Self::Bought(number),
            "billed" => Self::Billed,
            "paid" => Self::Paid(number.parse().unwrap()),
            "named" => Self::Named,
            _ => panic!("there is no story {name}"),
        }
    }

    /// The event, in which metadata name the user where the story says so.
    fn told(&self, recorded: &Value) -> Value {
        let metadata = match self {
            Self::Bought(quantity) => {
                json!({"user_id": USER, "price": PRICE, "quantity": quantity})
            }
            Self::Billed | Self::Named => json!({"user_id": USER}),
            Self::Paid(_) => return recorded.clone(),
        };
        let mut event = recorded.clone();
        event["data"]["object"]["metadata"] = metadata;
        event
    }

    /// What Stripe told before.
    fn before(&self, recorded: &Value) -> Option<Value> {
        let Self::Paid(amount) = self else { return None };
        let object = &recorded["data"]["object"];
        let id = object["charge"].as_str().unwrap_or("ch_fixture");
        let intent = object["payment_intent"]
            .as_str()
            .or_else(|| object["payment"]["payment_intent"].as_str());
        let charge = json!({
            "id": id, "object": "charge", "status": "succeeded", "amount": amount, "currency": "usd",
            "payment_intent": intent, "invoice": object["invoice"],
            "metadata": {"user_id": USER, "price": PRICE},
        });
        Some(event(recorded, "charge.succeeded", &charge))
    }

    /// What Stripe tells afterwards.
    fn after(&self, recorded: &Value) -> Option<Value> {
        let object = &recorded["data"]["object"];
        let is = |kind: &str| object["object"] == kind;
        let (customer, subscription) = match self {
            Self::Named if is("customer") => (&object["id"], &Value::Null),
            Self::Named if is("subscription") => (&Value::Null, &object["id"]),
            Self::Named => (&object["customer"], &object["subscription"]),
            Self::Bought(_) | Self::Billed | Self::Paid(_) => return None,
        };
        let id = object["invoice"].as_str().unwrap_or("in_fixture");
        let line = json!({"id": "il_fixture", "price": {"id": PRICE}, "quantity": 1});
        let invoice = json!({
            "id": id, "object": "invoice", "status": "paid", "amount_paid": 1000, "currency": "usd",
            "customer": customer, "subscription": subscription, "lines": {"has_more": false, "data": [line]},
        });
        Some(event(recorded, "invoice.paid", &invoice))
    }
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
            Row { file, verdict: format!("{outcome} {reason}"), story: None, credits: None }
        })
        .collect();
    let named: Vec<&str> = rows.iter().map(|row| row.file).collect();
    let there: Vec<&str> = fixtures.iter().map(|fixture| fixture.name.as_str()).collect();
    assert_eq!(named, there, "the table and the folder name the same files in the same order");
    let deferred = lines(table).find(|cells| cells[2] == "deferred");
    assert_eq!(deferred, None, "whatever moves money is understood");
    compare(&rows, &fixtures).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_event_of_a_purchase_gives_the_user_what_its_review_says() {
    let Some(fixtures) = fixtures() else { return };
    let table = include_str!("../../testkit/tables/fixture_credits.tsv");
    let rows: Vec<Row> = lines(table)
        .map(|cells| {
            let [file, story, number, outcome, reason, credits] = cells[..] else {
                panic!("a line of six cells: {cells:?}")
            };
            let verdict = format!("{outcome} {reason}");
            let (story, credits) = (Story::read(story, number), credits.parse().unwrap());
            Row { file, verdict, story: Some(story), credits: Some(credits) }
        })
        .collect();
    let all = include_str!("../../testkit/tables/fixture_outcomes.tsv");
    let matters = lines(all).filter(|cells| !["ignored", "deferred"].contains(&cells[2]));
    let expected: Vec<&str> = matters.map(|cells| cells[0]).collect();
    let named: Vec<&str> = rows.iter().map(|row| row.file).collect();
    assert_eq!(named, expected, "every event that is understood and matters alone");
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
        let expected = (row.verdict.clone(), row.credits);
        if became != expected {
            writeln!(wrong, "{}\n    expected {expected:?}\n    became   {became:?}", row.file)
                .unwrap();
        }
    }
    drop(deliveries);
    assert!(wrong.is_empty(), "\n{wrong}");

    let sql = world.webhook.database.superuser().await;
    let counts =
        "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM decision WHERE rev = 0)";
    let counts = sql.query_one(counts, &[]).await.unwrap();
    assert_eq!(counts.get::<_, i64>(0), counts.get::<_, i64>(1), "each is decided");
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

    /// Tells the event's story in its tenant, and sees what becomes of the event.
    async fn deliver(&self, tenant: &Tenant, row: &Row, recorded: &[u8]) -> Became {
        let recorded: Value = serde_json::from_slice(recorded).unwrap();
        let Some(story) = &row.story else {
            return (self.post(tenant, 1, &recorded).await, None);
        };
        append(&self.api, tenant.tenant_id, &self.facts).await.unwrap();
        let mut pos = i64::try_from(self.facts.len()).unwrap();
        if let Some(before) = story.before(&recorded) {
            pos += 1;
            assert_eq!(self.post(tenant, pos, &before).await, "applied credited", "{}", row.file);
        }
        pos += 1;
        let verdict = self.post(tenant, pos, &story.told(&recorded)).await;
        if let Some(after) = story.after(&recorded) {
            self.post(tenant, pos + 1, &after).await;
        }
        (verdict, Some(self.available(tenant.tenant_id).await))
    }

    /// Posts an event, under an id of its own because many share one, which is to get this position; its verdict, or what
    /// went wrong.
    async fn post(&self, tenant: &Tenant, pos: i64, event: &Value) -> String {
        let id = tenant.tenant_id;
        let mut event = event.clone();
        event["id"] = json!(format!("evt_fixture_{id}_{pos}"));
        let body = serde_json::to_vec_pretty(&event).unwrap();
        let url = format!("http://{}/v1/webhooks/stripe/{id}", self.webhook.address);
        let request = self.client.post(url).header("Stripe-Signature", sign(SECRET, NOW, &body));
        let response = request.body(body).send().await.unwrap();
        let answer = (response.status().as_u16(), response.text().await.unwrap());
        let stored = format!(r#"{{"received":true,"status":"stored","position":{pos}}}"#);
        if answer != (200, stored) {
            return format!("answered {answer:?}");
        }
        if let Err(error) = projector::drain(&self.webhook.projector, tenant).await {
            return format!("not decided: {error}");
        }
        self.webhook.verdict(id, pos).await
    }

    /// What the user has; nothing is held here.
    async fn available(&self, tenant_id: i32) -> i64 {
        let client = self.api.get().await.unwrap();
        let now = Timestamp::from_second(NOW).unwrap();
        let parts = balance_get(&client, tenant_id, USER, "credits", now).await.unwrap();
        parts.expect("the user is registered").posted
    }
}

/// An event that was not recorded, of the same account as one that was.
fn event(recorded: &Value, event_type: &str, object: &Value) -> Value {
    json!({
        "object": "event", "type": event_type, "created": NOW, "account": recorded["account"],
        "data": {"object": object},
    })
}

/// That the user is there, and what the prices are worth.
async fn facts(database: &TestDatabase) -> Vec<NewEvent> {
    let user = json!({"object": "tally.event", "type": "tally.user.registered", "user": USER});
    let mut facts =
        vec![fact(database, Origin::Directory, &format!("user:{USER}"), user.to_string()).await];
    for price in BILLED.into_iter().chain([PRICE]) {
        let entry = json!({
            "object": "tally.event", "type": "tally.catalogue.set", "price": price, "credits": CREDITS,
            "unit": "credits", "actor": "test",
        });
        let about = format!("price:{price}");
        facts.push(fact(database, Origin::Catalogue, &about, entry.to_string()).await);
    }
    facts
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
