//! Payments that turn out to be one: the older root survives, and what both were worth is due once.

use ledger::decision::Reason::{
    Conflict, Credited, CreditsMismatch, Dismissed, Joined, NoEvidence, NotOurs, Waiting,
};
use rules::world::Resolution;
use serde_json::{Value, json};

use super::bodies::{
    ADA, BOB, PRICE, SAID_AT, charge, customer, intent, intent_of, invoice, invoice_payment, names,
    priced, registered_as, session,
};
use super::engine::Engine;

/// A session that does not say which payment intent it has.
fn untied(metadata: Value) -> Value {
    session(json!({"payment_intent": null, "metadata": metadata}))
}

/// The session again: now it says so.
fn tie() -> Value {
    session(json!({}))
}

#[test]
fn the_older_root_survives_with_all_aliases() {
    let mut engine = Engine::with_users();
    engine.tell(&untied(names(ADA)));
    engine.tell(&intent(json!({})));
    assert_eq!(engine.world.payments.len(), 2);
    engine.tell(&tie());
    assert_eq!(engine.payment().first_pos, 4);
    let aliases: Vec<_> =
        engine.world.aliases.iter().map(|(alias, root)| (alias.as_str(), root.as_str())).collect();
    assert_eq!(aliases, [("ch_1", "cs_1"), ("cs_1", "cs_1"), ("pi_1", "cs_1")]);
}

#[test]
fn a_waiting_intent_joins_the_session_that_was_credited() {
    let mut engine = Engine::with_users();
    let first = engine.tell(&untied(names(ADA)));
    let second = engine.tell(&intent(json!({})));
    assert_eq!(engine.reasons(&[first, second]), [Credited, Waiting]);
    let third = engine.tell(&tie());
    assert_eq!(engine.reasons(&[first, second, third]), [Credited, Joined, Joined]);
    assert_eq!((engine.balance(ADA), engine.open_cases().len()), (100, 0));
}

#[test]
fn of_two_that_were_credited_one_is_taken_back() {
    let mut engine = Engine::with_users();
    let first = engine.tell(&untied(names(ADA)));
    let second = engine.tell(&intent_of(names(ADA)));
    assert_eq!((engine.balance(ADA), engine.reasons(&[first, second])), (200, vec![Credited; 2]));
    let third = engine.tell(&tie());
    assert_eq!((engine.balance(ADA), engine.reasons(&[third])), (100, vec![Credited]));
    let again = engine.tell(&tie());
    assert_eq!((engine.balance(ADA), engine.reasons(&[again])), (100, vec![Joined]));
}

#[test]
fn two_that_were_credited_to_different_users_are_a_conflict() {
    for told in
        [[untied(names(ADA)), intent_of(names(BOB))], [intent_of(names(BOB)), untied(names(ADA))]]
    {
        let mut engine = Engine::with_users();
        engine.tell_all(&told);
        assert_eq!((engine.balance(ADA), engine.balance(BOB)), (100, 100));
        let third = engine.tell(&tie());
        assert_eq!(engine.reasons(&[third]), [Conflict]);
        assert_eq!((engine.balance(ADA), engine.balance(BOB), engine.unclaimed()), (0, 0, 100));
        let (_, case) = engine.open_case();
        let users: Vec<_> = case.detail.candidates.iter().map(|one| one.user.as_str()).collect();
        assert!(users.contains(&ADA) && users.contains(&BOB), "{users:?}");
        engine.act("assigned", json!({"user": BOB}));
        assert_eq!((engine.balance(ADA), engine.balance(BOB), engine.unclaimed()), (0, 100, 0));
    }
}

#[test]
fn two_that_were_credited_by_different_prices_are_a_mismatch() {
    let mut engine = Engine::with_users();
    engine.tell(&priced("price_50", 50));
    engine.tell(&untied(names(ADA)));
    engine.tell(&intent_of(json!({"user_id": ADA, "price": "price_50"})));
    assert_eq!(engine.balance(ADA), 150);
    let third = engine.tell(&tie());
    assert_eq!((engine.balance(ADA), engine.reasons(&[third])), (0, vec![CreditsMismatch]));
}

#[test]
fn what_a_person_decided_of_one_counts_for_both() {
    let mut engine = Engine::with_users();
    engine.tell(&untied(names(ADA)));
    engine.tell(&intent(json!({})));
    engine.act("assigned", json!({"user": BOB, "credits": 10}));
    assert_eq!((engine.balance(ADA), engine.balance(BOB)), (100, 10));
    engine.tell(&tie());
    assert_eq!((engine.balance(ADA), engine.balance(BOB), engine.unclaimed()), (0, 10, 0));
}

#[test]
fn what_was_not_ours_of_either_is_decided_anew() {
    let mut engine = Engine::with_users();
    let untied_charge = charge(json!({"payment_intent": null}));
    let positions =
        [engine.tell(&intent(json!({"latest_charge": null}))), engine.tell(&untied_charge)];
    engine.wait(15 * 60);
    assert_eq!(engine.reasons(&positions), [NotOurs; 2]);
    engine.tell(&charge(json!({})));
    assert_eq!(engine.reasons(&positions), [NotOurs; 2]);
    engine.tell(&session(json!({"metadata": names(ADA)})));
    assert_eq!((engine.reasons(&positions), engine.balance(ADA)), (vec![Joined; 2], 100));
}

#[test]
fn cases_of_both_become_one() {
    let mut engine = Engine::with_users();
    let first = engine.tell(&untied(json!({"price": PRICE})));
    let second = engine.tell(&intent(json!({})));
    assert_eq!(engine.open_reasons(), [NoEvidence, Waiting]);
    let before: Vec<_> = engine.open_cases().into_iter().map(|(id, _)| id).collect();
    let third = engine.tell(&tie());
    assert_eq!(engine.reasons(&[first, second, third]), [NoEvidence; 3]);
    let (id, case) = engine.open_case();
    assert_eq!((id, case.events.len()), (before[0], 3));
    assert_eq!(engine.world.cases[&before[1]].resolution, Some(Resolution::Superseded));
    engine.act("assigned", json!({"user": ADA}));
    assert_eq!(engine.reasons(&[first, second, third]), [Credited, Joined, Joined]);
    assert_eq!((engine.balance(ADA), engine.unclaimed()), (100, 0));
}

#[test]
fn two_unclaimed_ones_stand_once() {
    let mut engine = Engine::with_users();
    engine.tell(&untied(json!({"price": PRICE})));
    engine.tell(&intent_of(json!({"price": PRICE})));
    assert_eq!(engine.unclaimed(), 200);
    engine.tell(&tie());
    assert_eq!((engine.unclaimed(), engine.open_reasons()), (100, vec![NoEvidence]));
}

#[test]
fn three_roots_in_one_batch() {
    let mut engine = Engine::with_users();
    engine.tell_all(&[
        charge(json!({"payment_intent": null, "metadata": names(ADA)})),
        intent(json!({"latest_charge": null, "metadata": names(ADA)})),
        untied(names(ADA)),
        tie(),
        charge(json!({})),
    ]);
    assert_eq!((engine.balance(ADA), engine.world.payments.len()), (100, 1));
}

#[test]
fn a_dismissal_does_not_speak_for_what_the_payment_is_merged_with() {
    // Written off as a stray, it turns out to be the purchase of a known user.
    for names_user_first in [false, true] {
        let mut engine = Engine::with_users();
        let stray = untied(json!({"price": PRICE}));
        let known = intent_of(names(ADA));
        if names_user_first {
            engine.tell(&known);
        }
        let pos = engine.tell(&stray);
        engine.act("dismissed", json!({"write_off": true}));
        assert_eq!(engine.reasons(&[pos]), [Dismissed]);
        assert_eq!(engine.written_off["credits"], 100);
        if !names_user_first {
            engine.tell(&known);
        }
        assert_eq!(engine.balance(ADA), 100);
        engine.tell(&tie());
        assert_eq!((engine.balance(ADA), engine.unclaimed()), (100, 0));
        assert_eq!(engine.written_off["credits"], 0);
        assert_eq!(engine.open_cases(), []);
    }
}

#[test]
fn what_was_credited_is_not_weighed_anew_for_an_older_root() {
    let told: [(&str, Value); 3] = [
        ("another proves to own its e-mail", registered_as("u_late", "late@example.com")),
        ("its price changes", priced(PRICE, 7)),
        ("its customer names another", customer(SAID_AT, json!({"metadata": {"user_id": BOB}}))),
    ];
    // The older one waits, or stands unclaimed.
    for older in [json!({}), json!({"metadata": {"price": PRICE}})] {
        for (what, told) in &told {
            let mut engine = Engine::with_users();
            let first = engine.tell(&intent(older.clone()));
            let fields = json!({"customer": "cus_1", "customer_email": "late@example.com"});
            let second = engine.tell(&invoice(fields));
            assert_eq!(engine.balance(ADA), 100);
            engine.tell(told);
            engine.tell(&invoice_payment());
            assert_eq!(engine.payment().first_pos, first, "{what}");
            assert_eq!((engine.balance(ADA), engine.unclaimed()), (100, 0), "{what} {older}");
            assert_eq!((engine.latest(second).reason, engine.open_cases().len()), (Credited, 0));
            assert_eq!(engine.world.links["cus_1"], ADA);
        }
    }
}

#[test]
fn what_the_older_root_says_is_weighed_against_what_was_credited() {
    for older in
        [intent_of(json!({"user_id": BOB})), charge(json!({"receipt_email": "bob@example.com"}))]
    {
        let mut engine = Engine::with_users();
        engine.tell(&older);
        engine.tell(&invoice(json!({"customer": "cus_1"})));
        let pos = engine.tell(&invoice_payment());
        assert_eq!(engine.reasons(&[pos]), [Conflict], "{older}");
        assert_eq!((engine.balance(ADA), engine.balance(BOB), engine.unclaimed()), (0, 0, 100));
        assert!(engine.world.links.is_empty());
    }
}
