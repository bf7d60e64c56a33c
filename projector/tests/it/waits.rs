//! Each kind of key that a case may wait for, and the fact that satisfies it: the case opens and waits for that key, and
//! the fact alone heals it. Where the fact comes first, no case opens.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use store::log::{NewEvent, Origin, Source, append};

use crate::harness::{Harness, event, new_event, price_set, registration, session, unique};

/// Credits of each purchase.
const CREDITS: i64 = 7;

/// A case and the fact that heals it, all of whose names hold `n`.
struct Wait {
    /// What was known before.
    before: Option<NewEvent>,
    /// What opens the case.
    opened_by: Value,
    /// What it then waits for, among others. What a thin event names is waited for by the event's position, for which
    /// [`ITS_POSITION`] stands.
    key: String,
    /// What satisfies that.
    fact: NewEvent,
    /// Who has more credits in the end.
    user: String,
    /// How many more.
    credits: i64,
}

/// In a key: the position of the event that waits for it.
const ITS_POSITION: &str = "@its position";

/// Makes one of them.
type Make = fn(&str) -> Wait;

/// Each of them, by a name.
const WAITS: [(&str, Make); 11] = [
    ("a user", for_a_user),
    ("a price", for_a_price),
    ("another price than metadata agree with", for_another_price),
    ("a customer who is told of", for_a_customer),
    ("a customer who is linked", for_a_link),
    ("a customer of a connected account", for_a_connected_customer),
    ("a subscription", for_a_subscription),
    ("the lines of a session", for_lines_of_a_session),
    ("the lines of an invoice", for_lines_of_an_invoice),
    ("an object that a thin event names", for_an_object),
    ("a customer whom a thin event names", for_a_fetched_customer),
];

/// The kinds of keys that there are.
const KINDS: [&str; 4] = ["customer", "price", "pull", "user"];

#[tokio::test]
async fn each_kind_of_wait_has_its_fact() {
    let world = shop().await;
    for (what, wait) in WAITS {
        let Wait { before, opened_by, key, mut fact, user, credits } = wait("1");
        let had = world.balance(&user).await;
        tell(&world, Vec::from_iter(before)).await;
        let position = format!("@{}", world.stripe(&opened_by).await);
        let key = key.replace(ITS_POSITION, &position);
        fact.source_id = fact.source_id.replace(ITS_POSITION, &position);
        world.drain().await;
        assert_eq!(open_cases(&world).await, 1, "{what}: a case opens");
        let waits = format!("SELECT count(*) FROM case_wait WHERE key = '{key}'");
        assert_eq!(world.count(&waits).await, 1, "{what}: it waits for {key}");
        tell(&world, vec![fact]).await;
        world.drain().await;
        assert_eq!(open_cases(&world).await, 0, "{what}: {key} heals it");
        assert_eq!(world.balance(&user).await, had + credits, "{what}: credits of {user}");
    }
    world.check_invariants().await;
}

#[tokio::test]
async fn what_is_known_before_is_not_waited_for() {
    let world = shop().await;
    for (what, wait) in WAITS {
        let Wait { before, opened_by, key, mut fact, user, credits } = wait("2");
        let had = world.balance(&user).await;
        if key.ends_with(ITS_POSITION) {
            // What was fetched for an event stands behind it in the log, but may be decided first.
            tell(&world, Vec::from_iter(before)).await;
            let position = format!("@{}", world.stripe(&opened_by).await);
            fact.source_id = fact.source_id.replace(ITS_POSITION, &position);
            tell(&world, vec![fact]).await;
        } else {
            tell(&world, before.into_iter().chain([fact]).collect()).await;
            world.drain().await;
            world.stripe(&opened_by).await;
        }
        world.drain().await;
        assert_eq!(open_cases(&world).await, 0, "{what}: {key} was known");
        assert_eq!(world.balance(&user).await, had + credits, "{what}: credits of {user}");
    }
    world.check_invariants().await;
}

#[test]
fn all_kinds_are_tried() {
    let kind = |wait: Make| {
        let key = wait("1").key;
        key.split_once(':').map(|(kind, _)| kind.to_owned()).unwrap()
    };
    let tried: BTreeSet<String> = WAITS.into_iter().map(|(_, wait)| kind(wait)).collect();
    assert!(tried.iter().eq(KINDS));
}

/// A shop with a user, `ada`, and a price.
async fn shop() -> Harness {
    let world = Harness::new().await;
    world.register("ada").await;
    world.set_price("price_1", CREDITS).await;
    world.drain().await;
    world
}

async fn open_cases(world: &Harness) -> i64 {
    world.count("SELECT count(*) FROM review_case WHERE state = 1").await
}

async fn tell(world: &Harness, facts: Vec<NewEvent>) {
    append(&world.api, world.tenant.tenant_id, &facts).await.unwrap();
}

fn for_a_user(n: &str) -> Wait {
    let user = format!("late{n}");
    let opened_by = session(&format!("user{n}"), &json!({"user_id": user, "price": "price_1"}));
    let fact = new_event(Origin::Directory, &unique(&format!("user:{user}")), &registration(&user));
    Wait { before: None, opened_by, key: format!("user:{user}"), fact, user, credits: CREDITS }
}

fn for_a_price(n: &str) -> Wait {
    let price = format!("price_new{n}");
    let opened_by = session(&format!("price{n}"), &json!({"user_id": "ada", "price": price}));
    Wait {
        before: None,
        opened_by,
        key: format!("price:{price}"),
        fact: priced(&price, CREDITS),
        user: ada(),
        credits: CREDITS,
    }
}

fn for_another_price(n: &str) -> Wait {
    let price = format!("price_other{n}");
    let metadata = json!({"user_id": "ada", "price": price, "credits": CREDITS.to_string()});
    let before = Some(priced(&price, 1));
    let opened_by = session(&format!("other{n}"), &metadata);
    Wait {
        before,
        opened_by,
        key: format!("price:{price}"),
        fact: priced(&price, CREDITS),
        user: ada(),
        credits: CREDITS,
    }
}

fn for_a_customer(n: &str) -> Wait {
    let opened_by = session(&format!("told{n}"), &json!({"price": "price_1"}));
    let customer = format!("cus_told{n}");
    let fact = stripe(&event("customer.updated", &named(&customer, "customer")));
    Wait {
        before: None,
        opened_by,
        key: format!("customer:{customer}"),
        fact,
        user: ada(),
        credits: CREDITS,
    }
}

fn for_a_link(n: &str) -> Wait {
    let opened_by = session(&format!("link{n}"), &json!({"price": "price_1"}));
    let mut another =
        session(&format!("another{n}"), &json!({"user_id": "ada", "price": "price_1"}));
    another["data"]["object"]["customer"] = json!(format!("cus_link{n}"));
    let key = format!("customer:cus_link{n}");
    Wait { before: None, opened_by, key, fact: stripe(&another), user: ada(), credits: 2 * CREDITS }
}

fn for_a_connected_customer(n: &str) -> Wait {
    let mut opened_by = session(&format!("connected{n}"), &json!({"price": "price_1"}));
    let customer = format!("cus_connected{n}");
    let mut fact = event("customer.updated", &named(&customer, "customer"));
    for event in [&mut opened_by, &mut fact] {
        event["account"] = json!("acct_1");
    }
    let key = format!("customer:acct_1/{customer}");
    Wait { before: None, opened_by, key, fact: stripe(&fact), user: ada(), credits: CREDITS }
}

fn for_a_subscription(n: &str) -> Wait {
    let subscription = format!("sub_{n}");
    let mut invoice = invoice(&format!("in_sub{n}"), true);
    invoice["parent"] = json!({"type": "subscription_details",
                               "subscription_details": {"subscription": subscription}});
    let fact = event("customer.subscription.updated", &named(&subscription, "subscription"));
    let key = format!("customer:{subscription}");
    Wait {
        before: None,
        opened_by: event("invoice.paid", &invoice),
        key,
        fact: stripe(&fact),
        user: ada(),
        credits: CREDITS,
    }
}

fn for_lines_of_a_session(n: &str) -> Wait {
    let opened_by = session(&format!("lines{n}"), &json!({"user_id": "ada"}));
    let mut pulled = opened_by["data"]["object"].clone();
    let price = json!({"id": "price_1", "object": "price"});
    let line = json!({"id": "li_1", "object": "item", "quantity": 1, "price": price});
    pulled["line_items"] = json!({"object": "list", "has_more": false, "data": [line]});
    let key = format!("pull:/v1/checkout/sessions/cs_lines{n}?expand[]=line_items");
    let fact = answer(&key, &pulled);
    Wait { before: None, opened_by, key, fact, user: ada(), credits: CREDITS }
}

fn for_lines_of_an_invoice(n: &str) -> Wait {
    let id = format!("in_lines{n}");
    let named_after = |mut invoice: Value| {
        invoice["metadata"] = json!({"user_id": "ada"});
        invoice
    };
    let opened_by = event("invoice.paid", &named_after(invoice(&id, false)));
    let key = format!("pull:/v1/invoices/{id}");
    let fact = answer(&key, &named_after(invoice(&id, true)));
    Wait { before: None, opened_by, key, fact, user: ada(), credits: CREDITS }
}

fn for_an_object(n: &str) -> Wait {
    let id = format!("pi_thin{n}");
    let opened_by = thin("v1.payment_intent.succeeded", &id, "payment_intent");
    let key = format!("pull:/v1/payment_intents/{id}{ITS_POSITION}");
    let metadata = json!({"user_id": "ada", "price": "price_1"});
    let intent = json!({"id": id, "object": "payment_intent", "status": "succeeded", "amount": 990,
                        "amount_received": 990, "currency": "eur", "metadata": metadata});
    let fact = answer(&key, &intent);
    Wait { before: None, opened_by, key, fact, user: ada(), credits: CREDITS }
}

fn for_a_fetched_customer(n: &str) -> Wait {
    let id = format!("cus_thin{n}");
    let opened_by = thin("v1.customer.updated", &id, "customer");
    let key = format!("pull:/v1/customers/{id}{ITS_POSITION}");
    let fact = answer(&key, &named(&id, "customer"));
    Wait { before: None, opened_by, key, fact, user: ada(), credits: 0 }
}

fn ada() -> String {
    "ada".to_owned()
}

fn stripe(body: &Value) -> NewEvent {
    new_event(Origin::Stripe, body["id"].as_str().unwrap(), body)
}

fn priced(price: &str, credits: i64) -> NewEvent {
    new_event(Origin::Catalogue, &unique(&format!("price:{price}")), &price_set(price, credits))
}

/// An object of Stripe's whose metadata names the user.
fn named(id: &str, object: &str) -> Value {
    json!({"id": id, "object": object, "metadata": {"user_id": "ada"}})
}

/// A paid invoice with its line, or with the first of several that it tells.
fn invoice(id: &str, is_complete: bool) -> Value {
    let line = json!({"id": "il_1", "object": "line_item", "quantity": 1, "amount": 990,
                      "pricing": {"type": "price_details", "price_details": {"price": "price_1"}}});
    let lines = json!({"object": "list", "has_more": !is_complete, "data": [line]});
    json!({"id": id, "object": "invoice", "status": "paid", "amount_paid": 990, "total": 990, "currency": "eur",
           "lines": lines, "metadata": {}})
}

/// An event that only names its object.
fn thin(event_type: &str, id: &str, kind: &str) -> Value {
    json!({"id": unique("evt"), "object": "v2.core.event", "type": event_type, "livemode": false,
           "created": "2026-11-21T10:00:00Z", "related_object": {"id": id, "type": kind}})
}

/// What Stripe answered when it was asked for what a case waits for.
fn answer(key: &str, object: &Value) -> NewEvent {
    let source_id =
        if key.ends_with(ITS_POSITION) { key.to_owned() } else { unique(&format!("{key}#")) };
    let event = new_event(Origin::Stripe, &source_id, object);
    NewEvent { source: Source::Backfill, event_type: "tally.pulled".to_owned(), ..event }
}
