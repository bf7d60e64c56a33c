//! Evidence that payments share: links, and what is said of customers and subscriptions.

use ledger::decision::Reason::{Conflict, Credited, Evidence, NoEvidence};
use serde_json::{Value, json};

use super::bodies::{
    ADA, BOB, PRICE, SAID_AT, at, charge, customer, event, intent, invoice, names, refund, session,
    typed, with,
};
use super::engine::Engine;

/// Another session of the usual customer, with this metadata.
fn next(metadata: Value) -> Value {
    let fields =
        json!({"id": "cs_2", "payment_intent": "pi_2", "customer": "cus_1", "metadata": metadata});
    session(fields)
}

/// One that names nobody.
fn nameless() -> Value {
    next(json!({"price": PRICE}))
}

#[test]
fn a_link_ends_with_the_verdict_that_made_it() {
    for is_assigned_before in [false, true] {
        let mut engine = Engine::with_users();
        engine.tell(&intent(json!({"customer": "cus_1", "metadata": names(BOB)})));
        assert_eq!(engine.world.links["cus_1"], BOB);
        engine.tell(&session(json!({"customer": "cus_1", "metadata": names(ADA)})));
        assert_eq!((engine.open_reasons(), engine.unclaimed()), (vec![Conflict], 100));
        let (case, _) = engine.open_case();
        if is_assigned_before {
            engine.act_now(case, "assigned", json!({"user": ADA}));
        }
        let next = engine.tell(&nameless());
        if !is_assigned_before {
            assert_eq!(engine.latest(next).reason, NoEvidence);
            engine.act_now(case, "assigned", json!({"user": ADA}));
        }
        assert_eq!((engine.latest(next).reason, engine.latest(next).rank), (Credited, Some(2)));
        assert_eq!((engine.balance(ADA), engine.balance(BOB), engine.unclaimed()), (200, 0, 0));
        assert_eq!(engine.world.links["cus_1"], ADA);
    }
}

#[test]
fn who_contradicted_a_link_is_judged_anew_when_it_ends() {
    let mut engine = Engine::with_users();
    engine.tell(&intent(json!({"customer": "cus_1", "metadata": names(BOB)})));
    let other = engine.tell(&next(names(ADA)));
    assert_eq!(engine.latest(other).reason, Conflict);
    engine.tell(&session(json!({"customer": "cus_1", "metadata": names(ADA)})));
    assert_eq!((engine.latest(other).reason, engine.balance(ADA)), (Credited, 100));
    assert_eq!((engine.open_reasons(), engine.unclaimed()), (vec![Conflict], 100));
}

#[test]
fn what_contradicted_an_applied_payment_waits_for_a_person() {
    let mut engine = Engine::with_users();
    engine.tell(&customer(SAID_AT, json!({"metadata": {"user_id": BOB}})));
    engine.tell(&intent(json!({"customer": "cus_1", "metadata": {"price": PRICE}})));
    assert_eq!(engine.balance(BOB), 100);
    // Nothing names Bob any more but that it was taken for his.
    engine.tell(&customer(SAID_AT + 10, json!({})));
    engine.tell(&session(json!({"customer": "cus_1", "metadata": names(ADA)})));
    engine.act("retried", json!({}));
    assert_eq!((engine.open_reasons(), engine.unclaimed()), (vec![Conflict], 100));
    let (_, case) = engine.open_case();
    assert!(case.detail.candidates.iter().any(|one| one.user == BOB), "{case:?}");
    engine.act("assigned", json!({"user": ADA}));
    assert_eq!((engine.balance(ADA), engine.world.links["cus_1"].as_str()), (100, ADA));
}

#[test]
fn a_link_stays_the_same_while_its_verdict_does() {
    let mut engine = Engine::with_users();
    engine.tell(&session(json!({"customer": "cus_1", "metadata": names(ADA)})));
    engine.tell(&charge(json!({"customer": "cus_1"})));
    engine.tell(&refund("re_1", 595, 10, "succeeded"));
    assert_eq!(engine.links.len(), 1, "{:?}", engine.links);
}

#[test]
fn a_link_ends_when_its_payment_is_dismissed() {
    let mut engine = Engine::with_users();
    engine.tell(&intent(json!({"customer": "cus_1", "metadata": names(BOB)})));
    engine.tell(&session(json!({"customer": "cus_1", "metadata": names(ADA)})));
    engine.act("dismissed", json!({"write_off": true}));
    assert!(engine.world.links.is_empty(), "{:?}", engine.world.links);
    let next = engine.tell(&nameless());
    assert_eq!(engine.latest(next).reason, NoEvidence);
}

/// A paid session of a subscription that names Bob, with these fields instead.
fn subscribed(fields: Value) -> Value {
    let usual = json!({
        "mode": "subscription", "payment_intent": null, "subscription": "sub_1", "customer": "cus_1", "invoice": null,
        "metadata": {"user_id": BOB},
    });
    at(100, session(with(usual, fields)))
}

/// The invoice of that subscription, which names nobody.
fn bare_invoice() -> Value {
    let details = json!({"subscription": "sub_1", "metadata": {}});
    invoice(json!({
        "customer": "cus_1", "parent": {"type": "subscription_details", "subscription_details": details},
    }))
}

#[test]
fn what_a_session_says_of_a_customer_stands_beside_what_stripe_says_of_him() {
    let object = json!({"id": "sub_1", "object": "subscription", "metadata": {"user_id": ADA}});
    let subscription = event("customer.subscription.created", &object);
    let named = |seconds| customer(SAID_AT + seconds, json!({"metadata": {"user_id": ADA}}));
    for invoice in [json!("in_1"), json!(null)] {
        let subscribed = || subscribed(json!({"invoice": invoice}));
        for told in [
            [named(10), subscribed()],
            [subscribed(), named(10)],
            [subscribed(), named(200)],
            [subscription.clone(), subscribed()],
            [subscribed(), subscription.clone()],
        ] {
            let mut engine = Engine::with_users();
            engine.tell_all(&told);
            let pos = engine.tell(&bare_invoice());
            assert_eq!(engine.latest(pos).reason, Conflict, "{told:?}");
            assert_eq!((engine.unclaimed(), engine.world.links.len()), (100, 0));
        }
    }
}

#[test]
fn news_of_a_customer_that_name_nobody_take_nothing_back_that_a_session_said() {
    let mut engine = Engine::with_users();
    engine.tell_all(&[subscribed(json!({})), customer(SAID_AT + 200, json!({}))]);
    engine.tell(&nameless());
    assert_eq!(engine.balance(BOB), 100);
    // What Stripe says of him himself, it does.
    let mut engine = Engine::with_users();
    engine.tell(&customer(SAID_AT, json!({"metadata": {"user_id": BOB}})));
    engine.tell_all(&[subscribed(json!({"metadata": {}})), customer(SAID_AT + 200, json!({}))]);
    engine.tell(&bare_invoice());
    assert_eq!((engine.unclaimed(), engine.open_reasons()), (100, vec![NoEvidence]));
}

#[test]
fn a_session_that_came_to_nothing_says_nothing_of_its_customer() {
    let failed = |kind: &str, fields| typed(kind, subscribed(fields));
    for session in [
        failed(
            "checkout.session.expired",
            json!({"status": "expired", "payment_status": "unpaid"}),
        ),
        failed("checkout.session.expired", json!({"payment_status": "no_payment_required"})),
        failed("checkout.session.async_payment_failed", json!({"payment_status": "unpaid"})),
        failed("checkout.session.completed", json!({"payment_status": "unpaid"})),
    ] {
        let mut engine = Engine::with_users();
        let pos = engine.tell(&session);
        engine.tell(&nameless());
        assert_eq!((engine.latest(pos).reason, engine.unclaimed()), (Evidence, 100), "{session}");
        assert_eq!(engine.open_reasons(), [NoEvidence]);
    }
    let mut engine = Engine::with_users();
    let paid = json!({"payment_status": "unpaid"});
    engine.tell(&failed("checkout.session.async_payment_succeeded", paid));
    engine.tell(&nameless());
    assert_eq!(engine.balance(BOB), 100);
}
