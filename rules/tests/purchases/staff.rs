//! What people decide: it outranks all evidence, takes effect once, and only on the case as it was seen.

use ledger::decision::Reason::{
    Conflict, Credited, CreditsMismatch, Dismissed, Joined, Malformed, NoEvidence, Operated, Stale,
    UnknownPrice, Waiting,
};
use rules::world::Resolution;
use serde_json::json;

use super::bodies::{
    ADA, BOB, PRICE, at, charge, charge_refunded, dispute, intent, intent_of, invoice, line, lines,
    names, priced, refund, session, session_of,
};
use super::engine::Engine;

fn conflict() -> serde_json::Value {
    session_of(json!({"user_id": ADA, "user_id_backup": BOB, "price": PRICE}))
}

#[test]
fn a_conflict_is_assigned() {
    let mut engine = Engine::with_users();
    let pos = engine.tell(&conflict());
    let (id, _) = engine.open_case();
    let act = engine.act("assigned", json!({"user": ADA}));
    assert_eq!(engine.reasons(&[pos, act]), [Credited, Operated]);
    let decision = engine.latest(pos);
    assert_eq!((decision.rank, decision.rev, decision.cause_pos), (Some(0), 1, Some(act)));
    assert_eq!(decision.evidence[0].value, ADA);
    let case = &engine.world.cases[&id];
    assert_eq!((case.resolution, case.closed_pos), (Some(Resolution::Assigned), Some(act)));
    assert_eq!(engine.balance(ADA), 100);
}

#[test]
fn staff_outrank_whatever_comes_later() {
    let mut engine = Engine::with_users();
    engine.tell(&conflict());
    engine.act("assigned", json!({"user": ADA}));
    let later = [
        engine.tell(&intent_of(json!({"user_id": "u_new"}))),
        engine.tell(&charge(json!({"receipt_email": "bob@example.com"}))),
    ];
    assert_eq!(engine.reasons(&later), [Joined, Joined]);
    assert_eq!((engine.balance(ADA), engine.open_cases().len()), (100, 0));
}

#[test]
fn an_assignment_can_say_what_it_is_worth() {
    let worths = [
        (json!({"user_id": ADA}), UnknownPrice),
        (json!({"user_id": ADA, "price": PRICE, "credits": "1"}), CreditsMismatch),
        (json!({"price": PRICE}), NoEvidence),
    ];
    for (metadata, reason) in worths {
        let mut engine = Engine::with_users();
        let pos = engine.tell(&session_of(metadata));
        assert_eq!(engine.reasons(&[pos]), [reason]);
        engine.act("assigned", json!({"user": BOB, "credits": 25}));
        assert_eq!(engine.reasons(&[pos]), [Credited]);
        assert_eq!((engine.balance(BOB), engine.unclaimed()), (25, 0), "{reason:?}");
        // Neither the catalogue nor other objects change it.
        engine.tell(&priced(PRICE, 7));
        engine.tell(&intent_of(json!({"credits": "9"})));
        assert_eq!(engine.balance(BOB), 25);
    }
}

#[test]
fn an_assignment_without_credits_leaves_the_price_open() {
    let mut engine = Engine::with_users();
    let first = engine.tell(&session_of(json!({"price": "price_new"})));
    let second = engine.tell(&intent(json!({})));
    engine.act("assigned", json!({"user": ADA}));
    assert_eq!(engine.reasons(&[first, second]), [UnknownPrice; 2]);
    let act = engine.act("assigned", json!({"user": ADA}));
    assert_eq!(engine.reasons(&[act]), [Operated]);
    engine.tell(&priced("price_new", 8));
    assert_eq!(
        (engine.balance(ADA), engine.reasons(&[first, second])),
        (8, vec![Credited, Joined])
    );
}

#[test]
fn a_waiting_payment_can_be_assigned() {
    let mut engine = Engine::with_users();
    let pos = engine.tell(&intent(json!({})));
    assert_eq!(engine.open_reasons(), [Waiting]);
    engine.act("assigned", json!({"user": ADA, "credits": 10}));
    assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Credited], 10));
}

#[test]
fn acts_that_cannot_be_take_no_effect() {
    let mut engine = Engine::with_users();
    engine.tell(&conflict());
    let (id, case) = engine.open_case();
    let stale = [
        engine.act("assigned", json!({"user": "u_nobody"})),
        engine.act("dismissed", json!({})),
        engine.act_on(id, case.version + 1, "assigned", json!({"user": ADA})),
        engine.act_on(id, case.version - 1, "retried", json!({})),
        engine.act_on(ledger::ids::CaseId::derive(1, "pi_9", "conflict"), 1, "retried", json!({})),
    ];
    assert_eq!(engine.reasons(&stale), [Stale; 5]);
    assert_eq!((engine.open_reasons(), engine.unclaimed()), (vec![Conflict], 100));
    engine.act("assigned", json!({"user": ADA}));
    assert_eq!(engine.balance(ADA), 100, "a person can act again after what took no effect");
}

#[test]
fn amounts_that_cannot_be_are_malformed() {
    let mut engine = Engine::with_users();
    engine.tell(&conflict());
    let (id, case) = engine.open_case();
    for fields in [
        json!({"user": ADA, "credits": 0}),
        json!({"user": ADA, "credits": -5}),
        json!({"user": ADA, "credits": 1_000_000_000_000_001_i64}),
        json!({"user": ADA, "credits": 5, "unit": " "}),
    ] {
        let pos = engine.act_on(id, case.version, "assigned", fields);
        assert_eq!(engine.reasons(&[pos]), [Malformed]);
    }
    assert_eq!((engine.balance(ADA), engine.unclaimed()), (0, 100));
}

#[test]
fn of_two_at_once_one_wins() {
    let mut engine = Engine::with_users();
    engine.tell(&conflict());
    let (id, case) = engine.open_case();
    let first = engine.act_on(id, case.version, "assigned", json!({"user": ADA}));
    let second = engine.act_on(id, case.version, "assigned", json!({"user": BOB}));
    assert_eq!(engine.reasons(&[first, second]), [Operated, Stale]);
    assert_eq!((engine.balance(ADA), engine.balance(BOB)), (100, 0));
}

#[test]
fn a_retry_makes_the_version_that_was_seen_stale() {
    let mut engine = Engine::with_users();
    let pos = engine.tell(&conflict());
    let (id, case) = engine.open_case();
    let retry = engine.act("retried", json!({}));
    assert_eq!(
        (engine.reasons(&[retry, pos]), engine.open_reasons()),
        (vec![Operated, Conflict], vec![Conflict])
    );
    let late = engine.act_on(id, case.version, "assigned", json!({"user": BOB}));
    assert_eq!(engine.reasons(&[late]), [Stale]);
}

#[test]
fn a_retry_heals_what_nothing_woke() {
    let mut engine = Engine::with_users();
    let metadata = json!({"user_id": ADA, "user_email": "bob@example.com", "price": PRICE});
    engine.tell(&session_of(metadata));
    assert_eq!(engine.open_reasons(), [Conflict]);
    engine.tell(&super::bodies::registered_as(BOB, "bob@elsewhere.example"));
    let retry = engine.act("retried", json!({}));
    assert_eq!((engine.balance(ADA), engine.reasons(&[retry])), (100, vec![Operated]));
}

#[test]
fn what_is_worth_nothing_is_dismissed_as_it_is() {
    let mut engine = Engine::with_users();
    let first = engine.tell(&session_of(json!({})));
    let (id, _) = engine.open_case();
    let act = engine.act("dismissed", json!({}));
    assert_eq!(engine.reasons(&[first, act]), [Dismissed, Operated]);
    assert_eq!(engine.world.cases[&id].resolution, Some(Resolution::Dismissed));
    assert_eq!(engine.latest(first).cause_pos, Some(act));
    let later = engine.tell(&intent_of(names(ADA)));
    assert_eq!((engine.reasons(&[later]), engine.balance(ADA)), (vec![Dismissed], 0));
    assert_eq!(engine.open_cases(), []);
}

#[test]
fn what_stands_unclaimed_is_dismissed_only_if_it_is_written_off() {
    let mut engine = Engine::with_users();
    let pos = engine.tell(&conflict());
    let refused = engine.act("dismissed", json!({"write_off": false}));
    assert_eq!((engine.reasons(&[refused]), engine.unclaimed()), (vec![Stale], 100));
    let act = engine.act("dismissed", json!({"write_off": true}));
    assert_eq!(engine.reasons(&[pos, act]), [Dismissed, Operated]);
    assert_eq!((engine.unclaimed(), engine.written_off["credits"]), (0, 100));
    engine.tell(&charge(json!({})));
    assert_eq!((engine.unclaimed(), engine.written_off["credits"]), (0, 100));
}

#[test]
fn what_is_assigned_links_the_customer() {
    let mut engine = Engine::with_users();
    let fields = json!({"customer": "cus_1", "metadata": {"price": PRICE}});
    engine.tell(&session(fields.clone()));
    engine.act("assigned", json!({"user": ADA}));
    let mut other = fields;
    other["id"] = "cs_2".into();
    other["payment_intent"] = "pi_2".into();
    let pos = engine.tell(&session(other));
    assert_eq!((engine.latest(pos).rank, engine.balance(ADA)), (Some(2), 200));
}

#[test]
fn a_link_is_never_edited() {
    let mut engine = Engine::with_users();
    engine.tell(&session(json!({"customer": "cus_1", "metadata": names(ADA)})));
    let other = json!({
        "id": "cs_2", "payment_intent": "pi_2", "customer": "cus_1", "metadata": names(BOB),
    });
    let pos = engine.tell(&session(other));
    assert_eq!(engine.reasons(&[pos]), [Conflict]);
    engine.act("assigned", json!({"user": BOB}));
    assert_eq!((engine.balance(BOB), engine.world.links["cus_1"].as_str()), (100, ADA));
}

#[test]
fn what_was_credited_of_a_dismissed_payment_goes_on() {
    let dismissed = || {
        let mut engine = Engine::with_users();
        let bought = lines(&[line(PRICE, 1, json!({})), line("price_x", 1, json!({}))]);
        let fields = json!({"customer": "cus_1", "payment_intent": "pi_1", "charge": "ch_1", "lines": bought});
        let pos = engine.tell(&invoice(fields));
        assert_eq!((engine.balance(ADA), engine.open_reasons()), (100, vec![UnknownPrice]));
        let act = engine.act("dismissed", json!({}));
        assert_eq!(engine.reasons(&[pos, act]), [Joined, Operated]);
        engine
    };
    // What of it was not known is dismissed, whatever is told of it later.
    let mut engine = dismissed();
    engine.tell(&priced("price_x", 70));
    let later = engine.tell(&intent_of(json!({"user_id": BOB, "price": "price_y"})));
    assert_eq!((engine.reasons(&[later]), engine.balance(ADA)), (vec![Joined], 100));
    assert_eq!((engine.balance(BOB), engine.open_cases().len()), (0, 0));
    for (told, credits) in [
        (refund("re_1", 595, 10, "succeeded"), 50),
        (at(10, charge_refunded(1190, json!({}))), 0),
        (dispute("funds_withdrawn", "dp_1", 1190, 10), 0),
    ] {
        let mut engine = dismissed();
        let pos = engine.tell(&told);
        assert_eq!((engine.balance(ADA), engine.reasons(&[pos])), (credits, vec![Credited]));
        assert_eq!((engine.unclaimed(), engine.open_cases().len()), (0, 0));
    }
    let mut engine = dismissed();
    super::reassign::reassign(&mut engine, "in_1", BOB);
    assert_eq!((engine.balance(ADA), engine.balance(BOB)), (0, 100));
}

#[test]
fn what_was_written_off_can_be_given_to_its_user_after_all() {
    let mut engine = Engine::with_users();
    engine.tell(&conflict());
    engine.act("dismissed", json!({"write_off": true}));
    // Nothing that was told since changes what it is worth, and what went back since stays so.
    engine.tell_all(&[priced(PRICE, 7), charge(json!({})), refund("re_1", 595, 10, "succeeded")]);
    let act = super::reassign::reassign(&mut engine, "pi_1", ADA);
    assert_eq!((engine.reasons(&[act]), engine.latest(act).rank), (vec![Operated], Some(0)));
    assert_eq!((engine.balance(ADA), engine.unclaimed()), (50, 0));
    assert_eq!((engine.written_off["credits"], engine.open_cases().len()), (0, 0));
    super::reassign::reassign(&mut engine, "pi_1", BOB);
    assert_eq!((engine.balance(ADA), engine.balance(BOB)), (0, 50));

    // Of what was worth nothing, nothing can be given.
    let mut engine = Engine::with_users();
    engine.tell(&session_of(json!({})));
    engine.act("dismissed", json!({}));
    let act = super::reassign::reassign(&mut engine, "pi_1", ADA);
    assert_eq!((engine.reasons(&[act]), engine.balance(ADA)), (vec![Stale], 0));
}
