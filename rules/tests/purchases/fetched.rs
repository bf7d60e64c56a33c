//! What Stripe has to be asked for: the items of a session, lists that were cut off, what thin events name. Asked, it says
//! what its webhooks say.

use jiff::SignedDuration;
use ledger::decision::Reason::{Credited, Joined, UnknownPrice, UnsupportedShape, Waiting};
use rules::world::{Case, Status};
use serde_json::{Value, json};

use super::bodies::{
    ADA, PRICE, SAID_AT, at, charge, charge_refunded, dispute, intent, invoice, line, lines, names,
    priced, refund, session, session_of, thin, with,
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

/// What the case waits for that holds the event at this position.
#[track_caller]
fn wanted(engine: &Engine, pos: i64) -> String {
    let cases = engine.open_cases();
    let (_, case) = cases.iter().find(|(_, case)| case.pos == pos).unwrap();
    assert_eq!((case.reason, case.waits_for.len()), (Waiting, 1));
    case.waits_for.first().unwrap().clone()
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
    let twin = intent(json!({"metadata": names(ADA)}));
    let named = thin("v1.payment_intent.succeeded", "payment_intent", "pi_1");
    // The thin one alone: what it names is fetched.
    let mut engine = Engine::with_users();
    let pos = engine.tell(&named);
    assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Waiting], 0));
    let pulled = engine.pulled(&wanted(&engine, pos), &twin["data"]["object"]);
    assert_eq!(engine.reasons(&[pos, pulled]), [Joined, Credited]);
    assert_eq!((engine.balance(ADA), engine.open_cases().len()), (100, 0));
    let again = engine.tell(&named);
    assert_eq!(engine.reasons(&[again]), [Waiting], "what was fetched before may be older");
    // The twin comes before, between or after.
    for place in 0..3 {
        let mut engine = Engine::with_users();
        let mut named_at = 0;
        for step in 0..3 {
            if step == place {
                engine.tell(&twin);
            }
            match step {
                0 => named_at = engine.tell(&named),
                1 => _ = engine.pulled(&wanted(&engine, named_at), &twin["data"]["object"]),
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
    let pos = engine.tell(&thin("v1.checkout.session.expired", "checkout.session", "cs_1"));
    engine.pulled(&wanted(&engine, pos), &expired["data"]["object"]);
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
        assert_eq!(wanted(&engine, pos), format!("pull:/v1/disputes/dp_1@{pos}"));
        engine.pulled(&wanted(&engine, pos), &dispute_now(status, &movements));
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
        engine.pulled("pull:/v1/disputes/dp_1@0", &now);
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
    let pos = engine.tell(&thin("v1.charge.updated", "charge", "ch_1"));
    engine.pulled(&wanted(&engine, pos), &now["data"]["object"]);
    assert_eq!(engine.balance(ADA), 100);
}

/// Two thin events of one object.
struct Twice {
    /// Their types.
    types: [&'static str; 2],
    kind: &'static str,
    id: &'static str,
    /// The object after each of them, as one of Stripe's own events would carry it.
    object: [Value; 2],
    /// Credits that are hers after each of them.
    credits: [i64; 2],
    /// What was told before.
    before: Vec<Value>,
}

impl Twice {
    fn thin(&self, which: usize) -> Value {
        thin(self.types[which], self.kind, self.id)
    }
}

fn twice() -> [Twice; 4] {
    let of = |event: Value| event["data"]["object"].clone();
    let purchase = || vec![session_of(names(ADA)), charge(json!({}))];
    let (withdrawn, reinstated) = ((-1190, 10), (1190, 20));
    [
        Twice {
            types: ["v1.checkout.session.completed", "v1.checkout.session.async_payment_succeeded"],
            kind: "checkout.session",
            id: "cs_1",
            object: [of(session_event(COMPLETED)), of(session_event(SUCCEEDED))],
            credits: [0, 100],
            before: vec![],
        },
        Twice {
            types: ["v1.charge.dispute.created", "v1.charge.dispute.funds_reinstated"],
            kind: "dispute",
            id: "dp_1",
            object: [
                dispute_now("needs_response", &[withdrawn]),
                dispute_now("won", &[withdrawn, reinstated]),
            ],
            credits: [0, 100],
            before: purchase(),
        },
        Twice {
            types: ["v1.charge.succeeded", "v1.charge.refunded"],
            kind: "charge",
            id: "ch_1",
            object: [
                of(charge(json!({"amount_refunded": 0}))),
                of(charge_refunded(595, json!({}))),
            ],
            credits: [100, 50],
            before: vec![session_of(names(ADA))],
        },
        Twice {
            types: ["v1.refund.created", "v1.refund.failed"],
            kind: "refund",
            id: "re_1",
            object: ["succeeded", "failed"].map(|status| of(refund("re_1", 1190, 10, status))),
            credits: [0, 100],
            before: purchase(),
        },
    ]
}

#[test]
fn each_thin_event_has_its_object_fetched_anew() {
    for twice in twice() {
        let mut engine = Engine::with_users();
        engine.tell_all(&twice.before);
        for (which, object) in twice.object.iter().enumerate() {
            let pos = engine.tell(&twice.thin(which));
            engine.world.now += SignedDuration::from_secs(1);
            engine.pulled(&wanted(&engine, pos), object);
            let after = (engine.reasons(&[pos]), engine.balance(ADA), engine.open_cases().len());
            assert_eq!(after, (vec![Joined], twice.credits[which], 0), "{}", twice.types[which]);
        }
    }
}

#[test]
fn thin_events_and_what_was_fetched_for_them_come_in_any_order() {
    // 0 and 1 are the thin events, a and b what was fetched for them.
    for twice in twice() {
        for order in ["0a1b", "01ab", "01ba", "10ab", "10ba", "1b0a"] {
            let mut engine = Engine::with_users();
            engine.tell_all(&twice.before);
            let mut told_at = [0, 0];
            for step in order.chars() {
                engine.world.now += SignedDuration::from_secs(1);
                // The object is always the newest, whichever event it is fetched for.
                let object = &twice.object[usize::from(told_at[1] > 0)];
                match step {
                    '0' => told_at[0] = engine.tell(&twice.thin(0)),
                    '1' => told_at[1] = engine.tell(&twice.thin(1)),
                    'a' => _ = engine.pulled(&wanted(&engine, told_at[0]), object),
                    _ => _ = engine.pulled(&wanted(&engine, told_at[1]), object),
                }
            }
            let after = (engine.reasons(&told_at), engine.balance(ADA), engine.open_cases().len());
            let expected = (vec![Joined, Joined], twice.credits[1], 0);
            assert_eq!(after, expected, "{order} of {}", twice.kind);
        }
    }
}

#[test]
fn what_is_fetched_settles_its_event_whatever_it_says() {
    let setup = session(json!({"mode": "setup", "payment_intent": null}));
    let subscribed =
        session(json!({"mode": "subscription", "payment_intent": null, "subscription": "sub_1"}));
    let note = json!({"id": "cn_1", "object": "credit_note", "invoice": null});
    let customer = json!({"id": "cus_1", "object": "customer", "metadata": {}});
    let warning = json!({"id": "issfr_1", "object": "radar.early_fraud_warning", "charge": "ch_1"});
    for (event_type, object) in [
        ("v1.checkout.session.completed", &setup["data"]["object"]),
        ("v1.checkout.session.completed", &subscribed["data"]["object"]),
        ("v1.credit_note.created", &note),
        ("v1.customer.updated", &customer),
        ("v1.radar.early_fraud_warning.created", &warning),
    ] {
        let mut engine = bought();
        let [kind, id] = ["object", "id"].map(|member| object[member].as_str().unwrap());
        let pos = engine.tell(&thin(event_type, kind, id));
        engine.pulled(&wanted(&engine, pos), object);
        assert_eq!(
            (engine.reasons(&[pos]), engine.open_cases()),
            (vec![Joined], vec![]),
            "{object}"
        );
        assert_eq!(engine.balance(ADA), 100, "{object}");
    }
    // Also if nobody can read it: a case of its own tells that.
    let mut engine = bought();
    let pos = engine.tell(&thin("v1.charge.updated", "charge", "ch_1"));
    let pulled = engine.pulled(&wanted(&engine, pos), &json!({"object": "charge"}));
    assert_eq!(engine.reasons(&[pos, pulled]), [Joined, UnsupportedShape]);
}

#[test]
fn a_person_who_retries_does_not_settle_what_was_not_fetched() {
    let mut engine = bought();
    let pos = engine.tell(&thin("v1.charge.refunded", "charge", "ch_1"));
    let (case, Case { version, .. }) = engine.open_case();
    engine.tell(&json!({"object": "tally.event", "type": "tally.case.retried", "case": case.0, "version": version}));
    assert_eq!(engine.reasons(&[pos]), [Waiting]);
    let refunded = charge_refunded(595, json!({}));
    engine.pulled(&wanted(&engine, pos), &refunded["data"]["object"]);
    assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Joined], 50));
}

#[test]
fn a_payment_that_failed_is_told_by_the_thin_event_itself() {
    // The object stays `complete` and `unpaid`, as it was before.
    let pending = session_event(COMPLETED);
    let failed = thin("v1.checkout.session.async_payment_failed", "checkout.session", "cs_1");
    for told in [[&pending, &failed], [&failed, &pending]] {
        let mut engine = Engine::with_users();
        for event in told {
            engine.tell(event);
        }
        assert_eq!((engine.payment().status, engine.open_cases()), (Status::Failed, vec![]));
        engine.tell(&session_event(SUCCEEDED));
        assert_eq!((engine.payment().status, engine.balance(ADA)), (Status::Paid, 100));
    }
}
