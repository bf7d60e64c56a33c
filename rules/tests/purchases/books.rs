//! One purchase, told by several objects, several times, in any order: one grant.

use std::collections::BTreeSet;

use ledger::account::{Cause, SystemAccount};
use ledger::decision::Reason::{Conflict, Credited, Joined, Pending};
use rules::translate::Speaker;
use rules::world::{LegKind, Status};
use serde_json::{Value, json};

use super::bodies::{ADA, BOB, charge, intent, intent_of, names, session, session_of, typed};
use super::engine::Engine;

/// All orders of these.
pub(crate) fn orders<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for first in 0..items.len() {
        let mut rest = items.to_vec();
        let item = rest.remove(first);
        for mut order in orders(&rest) {
            order.insert(0, item.clone());
            all.push(order);
        }
    }
    all
}

#[test]
fn a_second_event_of_the_same_purchase_only_joins() {
    let mut engine = Engine::with_users();
    let first = engine.tell(&session_of(names(ADA)));
    let second = engine.tell(&session_of(names(ADA)));
    assert_eq!(engine.reasons(&[first, second]), [Credited, Joined]);
    assert_eq!(engine.balance(ADA), 100);
    let account = engine.world.payments["pi_1"].owner.as_ref().unwrap().account_id();
    assert_eq!(engine.latest(second).account, Some(account));
}

#[test]
fn session_intent_and_charge_in_all_orders_and_doubled_are_one_grant() {
    // The user stands on one object, the price on another, and the customer on a third.
    let told = [
        session_of(json!({"user_id": ADA})),
        intent_of(json!({"price": "price_100"})),
        charge(json!({"customer": "cus_1"})),
    ];
    let all: BTreeSet<Vec<usize>> = orders(&[0, 1, 2, 0, 1, 2]).into_iter().collect();
    assert_eq!(all.len(), 90);
    let mut ends = Vec::new();
    for one_batch in [false, true] {
        for order in &all {
            let order: Vec<Value> = order.iter().map(|index| told[*index].clone()).collect();
            let mut engine = Engine::with_users();
            if one_batch {
                engine.tell_all(&order);
            } else {
                for body in &order {
                    engine.tell(body);
                }
            }
            let granted = engine.accounts.values().flat_map(|account| &account.grants);
            assert_eq!(granted.filter(|grant| grant.is_open()).count(), 1, "{order:?}");
            assert_eq!((engine.balance(ADA), engine.unclaimed()), (100, 0), "{order:?}");
            assert_eq!(engine.open_cases(), [], "{order:?}");
            assert_eq!(engine.world.links["cus_1"], ADA);
            ends.push(engine.payment().clone());
        }
    }
    for end in &mut ends {
        (end.first_pos, end.version) = (0, 0); // these tell of the way
        assert_eq!(end.status, Status::Paid);
    }
    ends.dedup();
    assert_eq!(ends.len(), 1, "one final state");
}

#[test]
fn a_credit_leads_to_the_bytes_that_it_came_from() {
    let mut engine = Engine::with_users();
    let pos = engine.tell(&session_of(names(ADA)));
    let account = engine.accounts.values().next().unwrap();
    let grant = &account.grants[0];
    let source = grant.source.as_ref().unwrap();
    assert_eq!((source.root_key.as_str(), source.line.as_str()), ("pi_1", "price:price_100"));
    let (speaker, body) = &engine.log[usize::try_from(pos - 1).unwrap()];
    assert_eq!(*speaker, Speaker::Stripe);
    assert!(String::from_utf8_lossy(body).contains("cs_1"));
}

#[test]
fn pending_then_paid() {
    let mut engine = Engine::with_users();
    let unpaid = json!({"payment_status": "unpaid", "metadata": names(ADA)});
    let first = engine.tell(&session(unpaid));
    assert_eq!((engine.reasons(&[first]), engine.balance(ADA)), (vec![Pending], 0));
    let payment = engine.payment();
    assert_eq!((payment.status, payment.claimant.as_deref()), (Status::Pending, Some(ADA)));
    assert_eq!(payment.legs[&("price:price_100".to_owned(), LegKind::Purchase)].expected, 100);
    // The charge names nothing; that it is paid is enough.
    let second = engine.tell(&charge(json!({})));
    assert_eq!((engine.reasons(&[second]), engine.balance(ADA)), (vec![Credited], 100));
    assert_eq!(engine.payment().claimant, None);
}

#[test]
fn what_was_asked_for_does_not_count_where_less_was_paid() {
    // The charge says what was captured; its payment intent, told of before, what had come in until then.
    let mut engine = Engine::with_users();
    let asked = intent(json!({"status": "requires_action", "amount_received": 100}));
    engine.tell(&typed("payment_intent.partially_funded", asked));
    engine.tell(&charge(json!({"amount_captured": 595, "metadata": names(ADA)})));
    assert_eq!(engine.payment().facts.money(), (Some(595), Some("eur")));
}

#[test]
fn what_is_not_captured_is_not_paid() {
    let mut engine = Engine::with_users();
    let held = charge(json!({"captured": false, "metadata": names(ADA)}));
    let first = engine.tell(&held);
    let second = engine.tell(&intent(json!({"status": "requires_capture"})));
    assert_eq!(engine.reasons(&[first, second]), [Pending, Pending]);
    assert_eq!((engine.balance(ADA), engine.unclaimed()), (0, 0));
}

#[test]
fn priced_but_unresolved_money_stands_unclaimed_and_moves_on_healing() {
    let mut engine = Engine::with_users();
    let pos = engine
        .tell(&session_of(json!({"user_id": ADA, "user_id_backup": BOB, "price": "price_100"})));
    assert_eq!(engine.reasons(&[pos]), [Conflict]);
    assert_eq!((engine.unclaimed(), engine.balance(ADA), engine.balance(BOB)), (100, 0, 0));
    engine.act("assigned", json!({"user": BOB}));
    assert_eq!((engine.unclaimed(), engine.balance(ADA), engine.balance(BOB)), (0, 0, 100));
    assert_eq!(engine.reasons(&[pos]), [Credited]);
    // It is the decision on the session that moved it, now at its second revision.
    let account = &engine.accounts[&(ledger::ids::Owner::User(BOB.into()), "credits".into())];
    assert_eq!((account.version, engine.latest(pos).rev), (1, 1));
}

#[test]
fn credits_take_effect_when_they_were_paid() {
    let mut engine = Engine::with_users();
    let mut early = charge(json!({}));
    early["created"] = 1_600_000_000.into();
    engine.tell(&early);
    let mut batch = engine.world.clone();
    let news = rules::translate::translate(
        &rules::translate::Logged {
            pos: 99,
            speaker: Speaker::Stripe,
            occurred_at: batch.now,
            body: Some(session_of(names(ADA)).to_string().as_bytes()),
            answers: None,
        },
        &batch.policy,
        &Engine::key(),
    );
    let telling = rules::cases::Telling { pos: 99, rev: 0, slot: 0, cause_pos: None };
    rules::decide::decide_event(&mut batch, telling, news);
    let movement = &batch.effects.movements[0];
    assert_eq!(movement.effective_at.as_second(), 1_600_000_000);
    assert_eq!(movement.contra, SystemAccount::Sale);
    assert_eq!(movement.cause, Cause::Decision { pos: 99, rev: 0, effect_no: 0 });
}
