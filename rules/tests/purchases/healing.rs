//! Cases that a fact settles.

use ledger::decision::Reason::{
    Conflict, Credited, CreditsMismatch, Joined, NoEvidence, NotOurs, UnknownPrice, UnknownUser,
    UnsignedOnly,
};
use rules::world::Resolution;
use serde_json::json;

use super::bodies::{
    ADA, BOB, PRICE, SAID_AT, charge, customer, intent, names, not_ours, priced, registered,
    session, session_of, since,
};
use super::engine::Engine;

#[test]
fn an_unknown_user_by_his_registration() {
    let mut engine = Engine::with_users();
    let first = engine.tell(&session_of(names("u_new")));
    let second = engine.tell(&charge(json!({})));
    assert_eq!(engine.reasons(&[first, second]), [UnknownUser; 2]);
    assert_eq!(engine.unclaimed(), 100);
    let (id, _) = engine.open_case();
    let registration = engine.tell(&registered("u_new", json!({})));
    assert_eq!(engine.reasons(&[first, second]), [Credited, Joined]);
    assert_eq!((engine.balance("u_new"), engine.unclaimed()), (100, 0));
    let case = &engine.world.cases[&id];
    assert_eq!((case.resolution, case.closed_pos), (Some(Resolution::Healed), Some(registration)));
    assert_eq!(engine.latest(first).cause_pos, Some(registration));
}

#[test]
fn facts_and_what_waits_for_them_in_one_batch() {
    let facts = [registered("u_new", json!({})), priced("price_new", 7)];
    let purchase = session_of(json!({"user_id": "u_new", "price": "price_new"}));
    for order in super::books::orders(&[facts[0].clone(), facts[1].clone(), purchase]) {
        let mut engine = Engine::with_users();
        engine.tell_all(&order);
        assert_eq!((engine.balance("u_new"), engine.open_cases().len()), (7, 0), "{order:?}");
    }
}

#[test]
fn an_unknown_price_by_its_entry() {
    let mut engine = Engine::with_users();
    let metadata = json!({"user_id": ADA, "price": "price_new", "quantity": "2"});
    let pos = engine.tell(&session_of(metadata));
    assert_eq!((engine.reasons(&[pos]), engine.unclaimed()), (vec![UnknownPrice], 0));
    let entry = engine.tell(&priced("price_new", 30));
    assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Credited], 60));
    assert_eq!(engine.latest(pos).catalogue_pos, Some(entry));
}

#[test]
fn an_unknown_price_by_what_another_object_says() {
    let mut engine = Engine::with_users();
    let first = engine.tell(&session_of(json!({"user_id": ADA})));
    let second = engine.tell(&intent(json!({"metadata": {"credits": "40"}})));
    assert_eq!(engine.reasons(&[first, second]), [Joined, Credited]);
    assert_eq!(engine.balance(ADA), 40);
}

#[test]
fn an_unknown_price_that_turns_out_not_to_be_ours() {
    let mut engine = Engine::with_users();
    let pos = engine.tell(&session_of(json!({"user_id": ADA, "price": "price_new"})));
    engine.tell(&not_ours("price_new"));
    assert_eq!(engine.reasons(&[pos]), [NotOurs]);
    assert_eq!(engine.open_cases(), []);
}

#[test]
fn any_case_of_a_price_that_the_catalogue_does_not_have_waits_for_its_entry() {
    let mut engine = Engine::with_users();
    let metadata = json!({"user_id": "u_new", "price": "price_new", "credits": "5"});
    let pos = engine.tell(&session_of(metadata));
    assert_eq!((engine.reasons(&[pos]), engine.unclaimed()), (vec![UnknownUser], 5));
    engine.tell(&not_ours("price_new"));
    assert_eq!((engine.reasons(&[pos]), engine.unclaimed()), (vec![NotOurs], 0));
}

#[test]
fn a_mismatch_by_the_corrected_catalogue() {
    let mut engine = Engine::with_users();
    let metadata = json!({"user_id": ADA, "price": PRICE, "credits": "110"});
    let pos = engine.tell(&session_of(metadata));
    assert_eq!(engine.reasons(&[pos]), [CreditsMismatch]);
    engine.tell(&since(0, priced(PRICE, 110)));
    assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Credited], 110));
}

#[test]
fn a_case_that_comes_back_counts_on() {
    let mut engine = Engine::with_users();
    engine.tell(&session_of(json!({"user_id": ADA, "price": PRICE, "credits": "110"})));
    let (id, first) = engine.open_case();
    engine.tell(&since(0, priced(PRICE, 110)));
    assert_eq!(engine.balance(ADA), 110);
    engine.tell(&charge(json!({"metadata": {"credits": "7"}})));
    let (again, second) = engine.open_case();
    assert_eq!((again, second.reason, engine.balance(ADA)), (id, CreditsMismatch, 0));
    assert_eq!((first.version, second.version), (1, 3), "opened, closed, opened");
}

#[test]
fn no_evidence_by_a_link_and_two_cases_by_one() {
    let mut engine = Engine::with_users();
    let unnamed = |id: &str| {
        session(json!({
            "id": id, "payment_intent": null, "customer": "cus_1", "metadata": {"price": PRICE},
        }))
    };
    let first = engine.tell(&unnamed("cs_1"));
    let second = engine.tell(&unnamed("cs_2"));
    assert_eq!((engine.reasons(&[first, second]), engine.unclaimed()), (vec![NoEvidence; 2], 200));
    let third = engine.tell(&session(json!({
        "id": "cs_3", "payment_intent": null, "customer": "cus_1", "metadata": names(ADA),
    })));
    assert_eq!(engine.reasons(&[first, second, third]), [Credited; 3]);
    assert_eq!((engine.balance(ADA), engine.unclaimed()), (300, 0));
    assert_eq!(engine.latest(first).rank, Some(2));
}

#[test]
fn one_healed_case_heals_the_next() {
    // What is assigned links the customer, and that is evidence for the other payment.
    let mut engine = Engine::with_users();
    let unnamed = |id: &str| {
        session(json!({
            "id": id, "payment_intent": null, "customer": "cus_1", "metadata": {"price": PRICE},
        }))
    };
    engine.tell(&unnamed("cs_1"));
    engine.tell(&unnamed("cs_2"));
    let (id, case) = engine.open_cases().remove(0);
    engine.act_on(id, case.version, "assigned", json!({"user": BOB}));
    assert_eq!((engine.balance(BOB), engine.open_cases().len()), (200, 0));
}

#[test]
fn no_evidence_by_the_customers_metadata() {
    let mut engine = Engine::with_users();
    let fields = json!({"customer": "cus_1", "metadata": {"price": PRICE}});
    let pos = engine.tell(&session(fields));
    assert_eq!(engine.reasons(&[pos]), [NoEvidence]);
    let told = engine.tell(&customer(SAID_AT, json!({"metadata": {"user_id": ADA}})));
    assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Credited], 100));
    assert_eq!(engine.latest(pos).cause_pos, Some(told));
}

#[test]
fn an_unknown_user_and_a_conflict_by_the_customers_corrected_metadata() {
    for (session_names, wrong, reason) in
        [(None, "u_typo", UnknownUser), (Some(ADA), BOB, Conflict)]
    {
        let mut engine = Engine::with_users();
        engine.tell(&customer(SAID_AT, json!({"metadata": {"user_id": wrong}})));
        let metadata = json!({"price": PRICE, "user_id": session_names});
        let pos = engine.tell(&session(json!({"customer": "cus_1", "metadata": metadata})));
        assert_eq!(engine.reasons(&[pos]), [reason]);
        engine.tell(&customer(SAID_AT + 1, json!({"metadata": {"user_id": ADA}})));
        assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Credited], 100));
    }
}

#[test]
fn the_newest_word_on_a_customer_counts_whenever_it_comes() {
    let mut engine = Engine::with_users();
    engine.tell(&customer(SAID_AT + 1, json!({"metadata": {"user_id": ADA}})));
    engine.tell(&customer(SAID_AT, json!({"metadata": {"user_id": BOB}})));
    engine.tell(&session(json!({"customer": "cus_1", "metadata": {"price": PRICE}})));
    assert_eq!((engine.balance(ADA), engine.balance(BOB)), (100, 0));
}

#[test]
fn an_unsigned_reference_by_a_link() {
    let mut engine = Engine::with_users();
    let fields = json!({
        "client_reference_id": ADA, "customer": "cus_1", "metadata": {"price": PRICE},
    });
    let pos = engine.tell(&session(fields));
    assert_eq!(engine.reasons(&[pos]), [UnsignedOnly]);
    assert_eq!(engine.payment().claimant.as_deref(), Some(ADA));
    engine.tell(&customer(SAID_AT, json!({"metadata": {"user_id": ADA}})));
    assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Credited], 100));
}

#[test]
fn a_case_that_is_decided_anew_and_stays_keeps_its_credits_in_order() {
    // What it is worth becomes known, twice, before whose it is: each movement needs a decision of its own.
    let mut engine = Engine::with_users();
    let pos = engine.tell(&session_of(json!({"price": "price_new"})));
    engine.tell(&priced("price_new", 30));
    assert_eq!((engine.open_reasons(), engine.unclaimed()), (vec![NoEvidence], 30));
    assert_eq!(engine.latest(pos).rev, 1);
    engine.act("retried", json!({}));
    assert_eq!(engine.latest(pos).rev, 1, "nothing moved, nothing to say");
    engine.tell(&since(0, priced("price_new", 40)));
    engine.act("retried", json!({}));
    assert_eq!((engine.unclaimed(), engine.latest(pos).rev), (40, 2));
    engine.act("assigned", json!({"user": ADA}));
    assert_eq!((engine.unclaimed(), engine.balance(ADA), engine.latest(pos).rev), (0, 40, 3));
}

#[test]
fn a_fact_that_settles_nothing_changes_nothing() {
    let mut engine = Engine::with_users();
    let metadata = json!({"user_id": "u_new", "price": "price_new"});
    let pos = engine.tell(&session(json!({"customer": "cus_1", "metadata": metadata})));
    let (id, case) = engine.open_case();
    engine.tell(&customer(SAID_AT, json!({"email": "x@example.com"})));
    assert_eq!((engine.open_case().0, engine.latest(pos).rev), (id, 0));
    engine.tell(&registered("u_new", json!({})));
    assert_eq!(engine.reasons(&[pos]), [UnknownPrice], "the next question comes up");
    assert_eq!(engine.world.cases[&id].resolution, Some(Resolution::Superseded));
    assert!(engine.world.cases[&id].version > case.version);
    engine.tell(&priced("price_new", 9));
    assert_eq!(engine.balance("u_new"), 9);
}
