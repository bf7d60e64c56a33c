//! Payments that another system credited before: nothing is given twice, and what goes back later is taken.

use std::collections::BTreeSet;

use ledger::account::ClawbackPolicy;
use ledger::decision::Reason::{Credited, Joined, Malformed, Stale, UnknownUser};
use rules::policy::Policy;
use rules::world::LegKind::{self, Carried, Dispute, Purchase, Refund};
use rules::world::{Resolution, Status};
use serde_json::{Value, json};

use super::bodies::{
    ADA, BOB, PRICE, charge, charge_refunded, dispute, intent, invoice, names, priced, refund,
    registered_as, session, session_of, with,
};
use super::books::orders;
use super::engine::Engine;
use super::reassign::reassign;

/// Ada comes with what she had in the old system, these 100 credits among it.
const OPENED: i64 = 130;

/// The old system gave Ada 100 credits for `pi_1`, with these fields instead.
fn imported(fields: Value) -> Value {
    let usual = json!({
        "object": "tally.event", "type": "tally.payment.imported", "payment": "pi_1", "user": ADA, "credits": 100,
        "actor": "key_1",
    });
    with(usual, fields)
}

/// Ada and Bob, the price, and Ada's opening balance.
fn opened() -> Engine {
    opened_with(Policy::default())
}

fn opened_with(policy: Policy) -> Engine {
    let mut engine = Engine::with_policy(policy);
    for body in [
        registered_as(ADA, "ada@example.com"),
        registered_as(BOB, "bob@example.com"),
        priced(PRICE, 100),
    ] {
        engine.tell(&body);
    }
    engine.open(ADA, OPENED);
    engine
}

/// Legs of the one payment that come to something.
fn legs(engine: &Engine) -> Vec<(LegKind, i64)> {
    let legs = engine.payment().legs.iter().filter(|(_, leg)| leg.posted != 0);
    legs.map(|((_, kind), leg)| (*kind, leg.posted)).collect()
}

#[test]
fn in_any_order_and_doubled_the_purchase_gives_nothing_more_and_the_refund_takes_its_part() {
    let all: BTreeSet<Vec<usize>> = orders(&[0, 1, 2, 3, 0, 1, 2, 3]).into_iter().collect();
    assert_eq!(all.len(), 2520);
    let kinds = [(0, OPENED - 50), (20, OPENED - 30), (50, OPENED), (80, OPENED)];
    let base = opened();
    let kinds = kinds.into_iter().cycle().zip([1, 3, 8].into_iter().cycle());
    for (order, ((reversed, left), batch)) in all.iter().zip(kinds) {
        let told = [
            session_of(names(ADA)),
            charge(json!({})),
            refund("re_1", 595, 10, "succeeded"),
            imported(json!({"reversed": reversed})),
        ];
        let order: Vec<Value> = order.iter().map(|one| told[*one].clone()).collect();
        let mut engine = base.clone();
        for batch in order.chunks(batch) {
            engine.tell_all(batch);
        }
        let gone = [(Refund, -reversed.max(50)), (Carried, reversed - 100)];
        let expected = [&[(Purchase, 100)][..], &gone].concat();
        assert_eq!(legs(&engine), expected, "{}", json!(order));
        assert_eq!((engine.balance(ADA), engine.unclaimed()), (left, 0));
        assert_eq!((engine.payment().status, engine.open_cases()), (Status::Paid, vec![]));
    }
}

#[test]
fn alone_it_moves_nothing_and_says_whose_it_is() {
    let mut engine = opened();
    let paid = json!({"paid": 1190, "currency": "eur", "paid_at": "2023-11-01T00:00:00Z"});
    let pos = engine.tell(&imported(paid.clone()));
    assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Credited], OPENED));
    let payment = engine.payment();
    assert_eq!(payment.facts.money(), (Some(1190), Some("eur")));
    assert_eq!(payment.owner.as_ref().map(ledger::ids::Owner::key), Some(ADA));
    assert_eq!(engine.effective, [1_698_796_800; 2], "as of any day it comes to nothing");
    let again = engine.tell(&imported(paid));
    assert_eq!(engine.reasons(&[again]), [Joined]);
    // What is refunded before Stripe tells of the charge is a part of what was imported as paid.
    engine.tell(&refund("re_1", 119, 10, "succeeded"));
    assert_eq!(engine.balance(ADA), OPENED - 10);
    engine.tell(&refund("re_1", 119, 20, "failed"));
    assert_eq!(engine.balance(ADA), OPENED);
}

#[test]
fn whatever_object_it_is_known_by_the_payment_is_one() {
    for object in ["cs_1", "pi_1", "ch_1"] {
        for is_first in [true, false] {
            let mut engine = opened();
            let import = imported(json!({"payment": object}));
            let purchase = [session_of(names(ADA)), intent(json!({"customer": "cus_1"}))];
            if is_first {
                engine.tell(&import);
            }
            engine.tell_all(&purchase);
            if !is_first {
                engine.tell(&import);
            }
            engine.tell(&charge(json!({})));
            assert_eq!(engine.balance(ADA), OPENED, "{object}");
            assert_eq!(engine.payment().facts.imports.len(), 1);
            assert_eq!(engine.world.links["cus_1"], ADA, "whose the customer is, the import says");
        }
    }
    let mut engine = opened();
    engine.tell(&imported(json!({"payment": "in_1"})));
    engine.tell(&invoice(json!({})));
    assert_eq!((engine.balance(ADA), engine.open_cases().len()), (OPENED, 0));
}

#[test]
fn under_two_of_its_ids_it_is_carried_over_once() {
    for order in orders(&[0, 1, 2]) {
        let told = [
            imported(json!({"payment": "cs_1"})),
            imported(json!({"payment": "pi_1"})),
            session_of(names(ADA)),
        ];
        let mut engine = opened();
        for one in &order {
            engine.tell(&told[*one]);
        }
        assert_eq!((engine.balance(ADA), legs(&engine).len()), (OPENED, 2), "{order:?}");
        engine.tell(&refund("re_1", 1190, 10, "succeeded"));
        assert_eq!(engine.balance(ADA), OPENED - 100, "{order:?}");
    }
}

#[test]
fn what_the_old_system_took_back_for_a_dispute_is_not_taken_again() {
    let mut engine = opened();
    engine.tell_all(&[imported(json!({"reversed": 50})), charge(json!({}))]);
    engine.tell(&dispute("funds_withdrawn", "dp_1", 595, 10));
    assert_eq!(engine.balance(ADA), OPENED);
    engine.tell(&charge_refunded(595, json!({})));
    assert_eq!(engine.balance(ADA), OPENED - 50);
    let legs = legs(&engine);
    assert_eq!(legs, [(Purchase, 100), (Refund, -50), (Dispute, -50), (Carried, -50)]);
}

#[test]
fn what_is_missing_is_owed_whatever_the_policy() {
    for clawback in [ClawbackPolicy::Debt, ClawbackPolicy::WriteOff, ClawbackPolicy::Freeze] {
        let mut engine = opened_with(Policy { clawback, ..Policy::default() });
        engine.tell_all(&[session_of(names(ADA)), imported(json!({}))]);
        engine.tell_all(&[charge(json!({})), refund("re_1", 595, 10, "succeeded")]);
        assert_eq!(engine.balance(ADA), OPENED - 50, "{clawback:?}");
        assert!(engine.accounts.values().all(|account| !account.frozen), "{clawback:?}");
        assert!(engine.payment().legs.values().all(|leg| leg.forgiven == 0), "{clawback:?}");
    }
    // What is gone of the opening balance as well is debt.
    let mut engine = Engine::with_users();
    engine.tell_all(&[imported(json!({})), charge(json!({}))]);
    engine.tell(&refund("re_1", 595, 10, "succeeded"));
    assert_eq!(engine.balance(ADA), -50);
}

#[test]
fn it_settles_what_was_open_or_dismissed_or_credited_to_another() {
    let mut engine = opened();
    let pos = engine.tell(&session_of(json!({"user_id": "u_nobody", "price": PRICE})));
    assert_eq!((engine.reasons(&[pos]), engine.unclaimed()), (vec![UnknownUser], 100));
    let (case, _) = engine.open_case();
    engine.tell(&imported(json!({})));
    assert_eq!((engine.balance(ADA), engine.unclaimed()), (OPENED, 0));
    assert_eq!(engine.world.cases[&case].resolution, Some(Resolution::Assigned));

    let mut engine = opened();
    engine.tell(&session_of(json!({"user_id": "u_nobody", "price": PRICE})));
    engine.act("dismissed", json!({"write_off": true}));
    engine.tell(&imported(json!({})));
    assert_eq!((engine.balance(ADA), engine.unclaimed()), (OPENED, 0));
    engine.tell_all(&[charge(json!({})), refund("re_1", 1190, 10, "succeeded")]);
    assert_eq!(engine.balance(ADA), OPENED - 100);

    let mut engine = opened();
    engine.tell(&session(json!({"customer": "cus_1", "metadata": names(BOB)})));
    engine.tell(&imported(json!({})));
    assert_eq!((engine.balance(ADA), engine.balance(BOB)), (OPENED, 0));
    assert_eq!(engine.world.links["cus_1"], ADA);
    assert_eq!(engine.open_cases(), []);
}

#[test]
fn what_it_took_moves_along_with_it() {
    let mut engine = opened();
    engine.tell_all(&[imported(json!({})), charge(json!({}))]);
    engine.tell(&refund("re_1", 595, 10, "succeeded"));
    assert_eq!((engine.balance(ADA), engine.balance(BOB)), (OPENED - 50, 0));
    reassign(&mut engine, "pi_1", BOB);
    assert_eq!((engine.balance(ADA), engine.balance(BOB)), (OPENED, -50));
    engine.tell(&refund("re_1", 595, 20, "failed"));
    assert_eq!((engine.balance(ADA), engine.balance(BOB)), (OPENED, 0));
}

#[test]
fn a_unit_of_its_own_and_the_catalogue_do_not_matter() {
    let mut engine = opened();
    engine.tell(&session_of(names(ADA)));
    engine.tell(&imported(json!({"credits": 7, "unit": "images"})));
    engine.tell(&priced(PRICE, 500));
    engine.tell(&charge(json!({})));
    assert_eq!(engine.balance(ADA), OPENED);
    assert_eq!(legs(&engine), [(Purchase, 7), (Carried, -7)]);
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut engine = opened();
    let pos = engine.tell(&imported(json!({"user": "u_nobody"})));
    assert_eq!(engine.reasons(&[pos]), [Stale]);
    for fields in [
        json!({"payment": "sub_1"}),
        json!({"payment": "pi_"}),
        json!({"payment": "pi 1"}),
        json!({"payment": "usr_1/pi_1"}),
        json!({"credits": 0}),
        json!({"credits": -1}),
        json!({"reversed": -1}),
        json!({"reversed": 101}),
        json!({"paid": -1}),
        json!({"unit": ""}),
        json!({"paid_at": "yesterday"}),
    ] {
        let pos = engine.tell(&imported(fields.clone()));
        assert_eq!(engine.reasons(&[pos]), [Malformed], "{fields}");
    }
    assert_eq!((engine.balance(ADA), engine.world.payments.len()), (OPENED, 0));
    let connected = engine.tell(&imported(json!({"payment": "acct_1/pi_1"})));
    assert_eq!(engine.reasons(&[connected]), [Credited]);
}
