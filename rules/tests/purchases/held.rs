//! Events that cannot be decided by themselves: kept before a person, never lost.

use ledger::decision::Reason::{
    Catalogued, Credited, Dismissed, Error, Joined, Malformed, Operated, Stale, UnknownUser,
    UnsupportedShape,
};
use rules::translate::Speaker;
use rules::world::{Resolution, User};
use serde_json::json;

use super::bodies::{ADA, PRICE, charge, event, names, priced, session, session_of, since};
use super::engine::Engine;

#[test]
fn bytes_that_are_no_event_are_a_case() {
    let mut engine = Engine::with_users();
    let pos = engine.tell_raw(vec![(Speaker::Stripe, b"{\"id\":".to_vec())])[0];
    assert_eq!(engine.reasons(&[pos]), [Malformed]);
    let (_, case) = engine.open_case();
    assert_eq!((case.pos, case.root_key.clone()), (pos, None));
    let error = case.detail.error.unwrap();
    assert!(error.contains("malformed_json"), "{error}");
}

#[test]
fn an_object_that_cannot_be_read_is_a_case() {
    let mut engine = Engine::with_users();
    let pos = engine.tell(&session(json!({"amount_total": "1190", "metadata": names(ADA)})));
    assert_eq!((engine.reasons(&[pos]), engine.world.payments.len()), (vec![UnsupportedShape], 0));
    assert_eq!(
        engine.open_case().1.detail.error.unwrap(),
        "`amount_total` is not a whole number of 64 bits"
    );
}

#[test]
fn each_event_has_its_own_case() {
    let mut engine = Engine::with_users();
    let body = event("charge.succeeded", &json!({}));
    let positions = engine.tell_all(&[body.clone(), body]);
    assert_eq!(engine.reasons(&positions), [UnsupportedShape; 2]);
    assert_eq!(engine.open_cases().len(), 2);
}

#[test]
fn a_retry_that_reads_it_heals_the_case() {
    let mut engine = Engine::with_users();
    let pos = engine.park(&session_of(names(ADA)));
    assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Error], 0));
    let (id, _) = engine.open_case();
    let retry = engine.act("retried", json!({}));
    assert_eq!(
        (engine.reasons(&[retry, pos]), engine.balance(ADA)),
        (vec![Operated, Credited], 100)
    );
    let decision = engine.latest(pos);
    assert_eq!((decision.rev, decision.cause_pos), (1, Some(retry)));
    let case = &engine.world.cases[&id];
    assert_eq!((case.resolution, case.closed_pos), (Some(Resolution::Healed), Some(retry)));
}

#[test]
fn a_retry_that_does_not_keeps_the_case() {
    let mut engine = Engine::with_users();
    let pos = engine.tell(&event("charge.succeeded", &json!({})));
    let (id, case) = engine.open_case();
    engine.act("retried", json!({}));
    assert_eq!((engine.latest(pos).reason, engine.latest(pos).rev), (UnsupportedShape, 1));
    let (same, after) = engine.open_case();
    assert_eq!((same, after.due_pos, after.due), (id, None, None));
    assert!(after.version > case.version);
}

#[test]
fn a_retry_that_fails_otherwise_is_another_case() {
    let mut engine = Engine::with_users();
    let pos = engine.park(&event("charge.succeeded", &json!({})));
    assert_eq!(engine.open_reasons(), [Error]);
    let (id, _) = engine.open_case();
    engine.act("retried", json!({}));
    assert_eq!(engine.reasons(&[pos]), [UnsupportedShape]);
    assert_eq!(engine.open_reasons(), [UnsupportedShape]);
    assert_eq!(engine.world.cases[&id].resolution, Some(Resolution::Superseded));
}

#[test]
fn a_retry_that_cannot_be_decided_is_another_case() {
    let mut engine = Engine::with_users();
    let pos = engine.tell(&event("charge.succeeded", &json!({})));
    let (id, _) = engine.open_case();
    engine.park_again(pos, Some(pos));
    assert_eq!((engine.reasons(&[pos]), engine.open_reasons()), (vec![Error], vec![Error]));
    assert_eq!(engine.world.cases[&id].resolution, Some(Resolution::Superseded));
}

#[test]
fn an_entry_that_was_parked_does_not_undo_a_newer_one() {
    let mut engine = Engine::with_users();
    let old = engine.park(&since(0, priced(PRICE, 5)));
    engine.tell(&since(0, priced(PRICE, 120)));
    engine.act("retried", json!({}));
    assert_eq!(engine.reasons(&[old]), [Catalogued]);
    engine.tell(&session_of(names(ADA)));
    assert_eq!(engine.balance(ADA), 120);
}

#[test]
fn an_event_in_review_can_be_decided_once_more() {
    let mut engine = Engine::with_users();
    let first = engine.tell(&session_of(names("u_new")));
    let second = engine.tell(&charge(json!({})));
    engine.replay(first, second);
    assert_eq!(
        (engine.latest(first).rev, engine.reasons(&[first, second])),
        (1, vec![UnknownUser; 2])
    );
    // Now in the very batch in which its case heals.
    engine.world.users.insert("u_new".into(), User::default());
    engine.replay(first, second);
    assert_eq!(
        (engine.latest(first).rev, engine.reasons(&[first, second])),
        (2, vec![Credited, Joined])
    );
    assert_eq!((engine.balance("u_new"), engine.unclaimed()), (100, 0));
}

#[test]
fn it_can_be_dismissed_but_not_assigned() {
    let mut engine = Engine::with_users();
    let pos = engine.tell(&event("charge.succeeded", &json!({})));
    let assigned = engine.act("assigned", json!({"user": ADA, "credits": 5}));
    let due = engine.act("due", json!({}));
    assert_eq!(engine.reasons(&[assigned, due]), [Stale, Stale]);
    assert_eq!(engine.open_reasons(), [UnsupportedShape]);
    let dismissed = engine.act("dismissed", json!({}));
    assert_eq!(engine.reasons(&[pos, dismissed]), [Dismissed, Operated]);
    assert_eq!(engine.latest(pos).cause_pos, Some(dismissed));
    assert_eq!(engine.open_cases(), []);
}
