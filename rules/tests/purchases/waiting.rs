//! Bare payment intents and charges: they wait for the session that makes them ours.

use ledger::decision::Reason::{
    Credited, Joined, NoEvidence, NotOurs, Pending, Stale, UnhandledType, Waiting,
};
use rules::world::{Resolution, Status};
use serde_json::json;

use super::bodies::{
    ADA, PRICE, charge, event, intent, intent_of, names, not_ours, priced, session_of, since, typed,
};
use super::engine::Engine;

/// Seconds of the wait.
const WAIT: i64 = rules::policy::WAIT_FOR_SESSION_SECONDS;

#[test]
fn a_bare_payment_waits_and_its_session_heals_it() {
    let mut engine = Engine::with_users();
    let intent = engine.tell(&intent(json!({})));
    let charge = engine.tell(&charge(json!({})));
    assert_eq!(engine.reasons(&[intent, charge]), [Waiting, Waiting]);
    let (id, case) = engine.open_case();
    assert_eq!(case.due.unwrap().duration_since(engine.world.now).as_secs(), WAIT);
    assert_eq!((case.detail.paid, case.detail.currency.as_deref()), (Some(1190), Some("eur")));
    engine.wait(WAIT - 1);
    let session = engine.tell(&session_of(names(ADA)));
    assert_eq!(engine.reasons(&[intent, charge, session]), [Joined, Joined, Credited]);
    assert_eq!(engine.latest(intent).cause_pos, Some(session));
    assert_eq!(engine.balance(ADA), 100);
    let case = &engine.world.cases[&id];
    assert_eq!((case.resolution, case.closed_pos), (Some(Resolution::Healed), Some(session)));
}

#[test]
fn a_wait_that_is_over_is_not_ours_and_a_session_still_credits() {
    let mut engine = Engine::with_users();
    let intent = engine.tell(&intent(json!({})));
    let (id, _) = engine.open_case();
    engine.wait(WAIT);
    assert_eq!(engine.reasons(&[intent]), [NotOurs]);
    let clock = i64::try_from(engine.log.len()).unwrap();
    assert_eq!(engine.latest(intent).cause_pos, Some(clock));
    let case = &engine.world.cases[&id];
    assert_eq!((case.resolution, case.closed_pos), (Some(Resolution::Expired), Some(clock)));
    assert_eq!(engine.payment().status, Status::NotOurs);
    let charge = engine.tell(&charge(json!({})));
    assert_eq!(engine.reasons(&[charge]), [NotOurs], "nobody waits twice");
    assert_eq!((engine.latest(intent).rev, engine.payment().facts.set_aside.len()), (1, 2));

    let session = engine.tell(&session_of(names(ADA)));
    assert_eq!(engine.reasons(&[intent, charge, session]), [Joined, Joined, Credited]);
    assert_eq!((engine.balance(ADA), engine.payment().status), (100, Status::Paid));
    assert_eq!(engine.payment().facts.set_aside.len(), 0);
}

#[test]
fn what_was_not_ours_goes_into_the_case_that_its_session_needs() {
    let mut engine = Engine::with_users();
    let intent = engine.tell(&intent(json!({})));
    engine.wait(WAIT);
    let session = engine.tell(&session_of(json!({"price": PRICE})));
    assert_eq!(engine.reasons(&[intent, session]), [NoEvidence, NoEvidence]);
    engine.act("assigned", json!({"user": ADA}));
    assert_eq!(engine.reasons(&[intent, session]), [Credited, Joined]);
    assert_eq!(engine.balance(ADA), 100);
}

#[test]
fn what_the_catalogue_called_not_ours_is_decided_anew_when_more_is_told() {
    let mut engine = Engine::with_users();
    engine.tell(&not_ours("price_shirt"));
    let first = engine.tell(&session_of(json!({"user_id": ADA, "price": "price_shirt"})));
    assert_eq!(engine.reasons(&[first]), [NotOurs]);
    engine.tell(&since(0, priced("price_shirt", 5)));
    let second = engine.tell(&intent_of(json!({})));
    assert_eq!(engine.reasons(&[first, second]), [Joined, Credited]);
    assert_eq!(engine.balance(ADA), 5);
}

#[test]
fn a_bare_payment_that_names_something_of_ours_does_not_wait() {
    for metadata in [json!({"user_id": ADA}), json!({"price": PRICE}), json!({"credits": "5"})] {
        let mut engine = Engine::with_users();
        let pos = engine.tell(&intent_of(metadata.clone()));
        assert_ne!(engine.latest(pos).reason, Waiting, "{metadata}");
    }
    let mut engine = Engine::with_users();
    let pos = engine.tell(&intent_of(names(ADA)));
    assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Credited], 100));
}

#[test]
fn a_bare_payment_that_is_not_paid_does_not_wait() {
    let mut engine = Engine::with_users();
    let first = engine.tell(&charge(json!({"captured": false})));
    assert_eq!(engine.reasons(&[first]), [Pending]);
    let second = engine.tell(&intent(json!({})));
    assert_eq!(engine.reasons(&[first, second]), [Pending, Waiting]);
}

#[test]
fn the_clock_comes_too_late_for_a_case_that_changed() {
    let mut engine = Engine::with_users();
    engine.tell(&intent(json!({})));
    let (id, case) = engine.open_case();
    engine.tell(&charge(json!({"billing_details": {"email": "x@example.com"}})));
    let stale = engine.act_on(id, case.version, "due", json!({}));
    assert_eq!(engine.reasons(&[stale]), [Stale]);
    assert_eq!(engine.open_reasons(), [Waiting]);
    engine.wait(WAIT);
    assert_eq!(engine.open_cases(), [], "the clock tries again with the version that there is");
}

#[test]
fn a_retry_begins_the_wait_anew() {
    let mut engine = Engine::with_users();
    engine.tell(&intent(json!({})));
    engine.wait(WAIT - 1);
    engine.act("retried", json!({}));
    engine.wait(WAIT - 1);
    assert_eq!(engine.open_reasons(), [Waiting]);
    engine.wait(1);
    assert_eq!(engine.open_cases(), []);
}

#[test]
fn other_types_leave_the_payment_alone() {
    let mut engine = Engine::with_users();
    let pos = engine
        .tell(&event("payment_intent.created", &json!({"id": "pi_1", "metadata": names(ADA)})));
    assert_eq!(engine.reasons(&[pos]), [UnhandledType]);
    assert_eq!(engine.world.payments.len(), 0);
}

#[test]
fn a_bare_charge_that_expires_waits_for_nothing() {
    let mut engine = Engine::with_users();
    let pos = engine.tell(&typed("charge.expired", charge(json!({"captured": false}))));
    assert_eq!((engine.reasons(&[pos]), engine.open_cases().len()), (vec![Joined], 0));
}
