//! What Stripe has to be asked for: the items of a session, lists that were cut off, what thin events name. Asked, it says
//! what its webhooks say.

use ledger::decision::Reason::{Credited, Joined, UnknownPrice, Waiting};
use rules::world::Status;
use serde_json::{Value, json};

use super::bodies::{
    ADA, PRICE, SAID_AT, at, charge, charge_refunded, dispute, intent, invoice, line, lines, names,
    priced, session, session_of, thin, with,
};
use super::doors::{COMPLETED, SUCCEEDED, session_event};
use super::engine::Engine;
use super::invoices::decided_invoice;
use super::reversals::bought;

/// The session as Stripe's API tells of it, with these things bought.
pub(crate) fn with_items(items: &[(&str, i64)], fields: Value) -> Value {
    let item = |(price, quantity): &(&str, i64)| json!({"id": format!("li_{price}"), "object": "item", "price": {"id": price, "object": "price"}, "quantity": quantity});
    let items: Vec<_> = items.iter().map(item).collect();
    let listed = json!({"line_items": {"object": "list", "has_more": false, "data": items}});
    let told = session(with(json!({"metadata": {"user_id": ADA}}), fields));
    with(told["data"]["object"].clone(), listed)
}

pub(crate) const ITEMS: &str = "pull:/v1/checkout/sessions/cs_1?expand[]=line_items";

#[test]
fn what_a_session_does_not_say_is_fetched() {
    let mut engine = Engine::with_users();
    engine.tell(&priced("price_7", 7));
    let pos = engine.tell(&session_of(json!({"user_id": ADA})));
    let (_, case) = engine.open_case();
    assert_eq!((case.reason, Vec::from_iter(case.waits_for)), (UnknownPrice, vec![ITEMS.into()]));
    let pulled = engine.pulled(ITEMS, &with_items(&[(PRICE, 2), ("price_7", 3)], json!({})));
    assert_eq!(engine.reasons(&[pos, pulled]), [Joined, Credited]);
    assert_eq!((engine.balance(ADA), engine.payment().legs.len()), (221, 2));
    assert_eq!(engine.open_cases(), []);
}

#[test]
fn a_fetched_list_waits_for_prices_that_nobody_knows() {
    let mut engine = Engine::with_users();
    engine.tell(&session_of(json!({"user_id": ADA})));
    engine.pulled(ITEMS, &with_items(&[(PRICE, 1), ("price_new", 2)], json!({})));
    let (_, case) = engine.open_case();
    assert_eq!(
        (case.reason, Vec::from_iter(case.waits_for)),
        (UnknownPrice, vec!["price:price_new".into()])
    );
    assert_eq!(engine.balance(ADA), 100, "what is known is hers");
    engine.tell(&priced("price_new", 5));
    assert_eq!((engine.balance(ADA), engine.open_cases().len()), (110, 0));
}

#[test]
fn quantities_from_none_to_a_million_multiply() {
    for (quantity, credits) in [(0, 0), (1, 100), (1_000_000, 100_000_000)] {
        let mut engine = Engine::with_users();
        engine.tell(&session_of(json!({"user_id": ADA})));
        engine.pulled(ITEMS, &with_items(&[(PRICE, quantity)], json!({})));
        assert_eq!((engine.balance(ADA), engine.open_cases().len()), (credits, 0), "{quantity}");
        let list = lines(&[line(PRICE, quantity, json!({}))]);
        let engine = decided_invoice(json!({"lines": list}));
        assert_eq!((engine.balance(ADA), engine.open_cases().len()), (credits, 0), "{quantity}");
    }
}

#[test]
fn a_list_that_was_cut_off_is_fetched_whole() {
    let mut cut_off = lines(&[line(PRICE, 1, json!({}))]);
    cut_off["has_more"] = true.into();
    let mut engine = decided_invoice(json!({"lines": cut_off}));
    let (_, case) = engine.open_case();
    let key = "pull:/v1/invoices/in_1";
    assert!(case.reason == UnknownPrice && case.waits_for.contains(key), "{case:?}");
    let whole = invoice(json!({"lines": lines(&vec![line(PRICE, 1, json!({})); 12])}));
    engine.pulled(key, &whole["data"]["object"]);
    assert_eq!((engine.balance(ADA), engine.open_cases().len()), (1200, 0));
}

#[test]
fn a_thin_event_and_its_classic_twin_are_one() {
    let key = "pull:/v1/payment_intents/pi_1";
    let twin = intent(json!({"metadata": names(ADA)}));
    let named = thin("v1.payment_intent.succeeded", "payment_intent", "pi_1");
    // The thin one alone: what it names is fetched.
    let mut engine = Engine::with_users();
    let pos = engine.tell(&named);
    assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Waiting], 0));
    let pulled = engine.pulled(key, &twin["data"]["object"]);
    assert_eq!(engine.reasons(&[pos, pulled]), [Joined, Credited]);
    assert_eq!((engine.balance(ADA), engine.open_cases().len()), (100, 0));
    let again = engine.tell(&named);
    assert_eq!(engine.reasons(&[again]), [Joined], "it was fetched");
    // The twin comes before, between or after.
    for place in 0..3 {
        let mut engine = Engine::with_users();
        for step in 0..3 {
            if step == place {
                engine.tell(&twin);
            }
            match step {
                0 => drop(engine.tell_all(std::slice::from_ref(&named))),
                1 => _ = engine.pulled(key, &twin["data"]["object"]),
                _ => {}
            }
        }
        assert_eq!((engine.balance(ADA), engine.open_cases().len()), (100, 0), "{place}");
    }
}

#[test]
fn thin_events_of_sessions_invoices_and_customers_say_what_their_twins_do() {
    for (event_type, kind, id, twin) in [
        ("v1.checkout.session.completed", "checkout.session", "cs_1", session_of(names(ADA))),
        (
            "v1.checkout.session.async_payment_succeeded",
            "checkout.session",
            "cs_1",
            session_event(SUCCEEDED),
        ),
        ("v1.invoice.paid", "invoice", "in_1", invoice(json!({}))),
        ("v1.charge.captured", "charge", "ch_1", charge(json!({"metadata": names(ADA)}))),
    ] {
        let mut engine = Engine::with_users();
        engine.tell(&thin(event_type, kind, id));
        let (_, case) = engine.open_case();
        let key = case.waits_for.first().unwrap().clone();
        engine.pulled(&key, &twin["data"]["object"]);
        assert_eq!((engine.balance(ADA), engine.open_cases().len()), (100, 0), "{event_type}");
    }
    let expired =
        session(json!({"payment_status": "unpaid", "status": "expired", "metadata": names(ADA)}));
    let mut engine = Engine::with_users();
    engine.tell(&session_event(COMPLETED));
    engine.tell(&thin("v1.checkout.session.expired", "checkout.session", "cs_1"));
    engine.pulled("pull:/v1/checkout/sessions/cs_1", &expired["data"]["object"]);
    assert_eq!((engine.payment().status, engine.open_cases().len()), (Status::Failed, 0));
}

/// What Stripe's API says of the usual dispute when it is asked: so much was moved so many seconds after [`SAID_AT`].
fn dispute_now(status: &str, movements: &[(i64, i64)]) -> Value {
    let movement = |(amount, seconds): &(i64, i64)| json!({"id": format!("txn_{seconds}"), "amount": amount, "created": SAID_AT + seconds, "type": "adjustment"});
    let movements: Vec<_> = movements.iter().map(movement).collect();
    json!({
        "id": "dp_1", "object": "dispute", "amount": 1190, "status": status, "charge": "ch_1", "payment_intent": "pi_1",
        "balance_transactions": movements,
    })
}

const DISPUTE: &str = "pull:/v1/disputes/dp_1";

#[test]
fn a_dispute_that_was_fetched_says_what_moved() {
    let (withdrawn, reinstated) = ((-1190, 10), (1190, 20));
    for (status, movements, credits) in [
        ("warning_needs_response", vec![], 100),
        ("prevented", vec![], 100),
        ("needs_response", vec![withdrawn], 0),
        ("lost", vec![withdrawn], 0),
        ("won", vec![withdrawn, reinstated], 100),
    ] {
        let mut engine = bought();
        let pos = engine.tell(&thin("v1.charge.dispute.updated", "dispute", "dp_1"));
        let (_, case) = engine.open_case();
        let waiting = (engine.reasons(&[pos]), Vec::from_iter(case.waits_for));
        assert_eq!(waiting, (vec![Waiting], vec![DISPUTE.into()]));
        engine.pulled(DISPUTE, &dispute_now(status, &movements));
        assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Joined], credits));
        assert_eq!(engine.open_cases(), []);
    }
}

#[test]
fn a_dispute_that_was_fetched_stands_as_it_did_and_not_as_it_does_since() {
    let now = dispute_now("needs_response", &[(-1190, 10)]);
    let told = [
        dispute("funds_withdrawn", "dp_1", 1190, 10),
        dispute("funds_reinstated", "dp_1", 1190, 50),
    ];
    // Whenever it is fetched, by a clock that is not Stripe's.
    for place in 0..=told.len() {
        let mut engine = bought();
        engine.tell_all(&told[..place]);
        engine.pulled(DISPUTE, &now);
        engine.tell_all(&told[place..]);
        assert_eq!(engine.balance(ADA), 100, "{place}");
    }
}

#[test]
fn a_charge_that_was_fetched_has_the_newest_figure() {
    let mut engine = bought();
    engine.tell(&at(10, charge_refunded(595, json!({}))));
    assert_eq!(engine.balance(ADA), 50);
    // It failed, and nobody was told.
    let now = charge(json!({"amount_refunded": 0}));
    engine.tell(&thin("v1.charge.updated", "charge", "ch_1"));
    engine.pulled("pull:/v1/charges/ch_1", &now["data"]["object"]);
    assert_eq!(engine.balance(ADA), 100);
}
