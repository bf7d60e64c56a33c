//! Users who are added on the fly, where the policy is to do so.

use ledger::decision::Reason::{
    Conflict, Credited, NoEvidence, Pending, UnknownPrice, UnknownUser,
};
use rules::evidence::Kind;
use rules::policy::Policy;
use rules::reference::METADATA_KEY;
use serde_json::{Value, json};

use super::bodies::{ADA, PRICE, intent, names, registered_as, session, session_of};
use super::engine::Engine;
use super::references::{keys, signed};

const NEW: &str = "u_new";

fn engine() -> Engine {
    let mut engine = Engine::with_users();
    engine.world.policy = Policy {
        create_users: true,
        accept_unsigned_reference: true,
        signing_keys: Some(keys()),
        ..Policy::default()
    };
    engine
}

/// Users who were added, by the positions of the payments because of which.
fn added(engine: &Engine) -> Vec<(i64, &str)> {
    let latest = engine.decisions.iter().filter_map(|(pos, all)| Some((*pos, all.last()?)));
    let added = latest.flat_map(|(pos, decision)| {
        let created = decision.evidence.iter().filter(|piece| piece.kind == Kind::Created);
        created.map(move |piece| (pos, piece.value.as_str()))
    });
    added.collect()
}

#[test]
fn the_word_of_the_server_adds_a_user() {
    for metadata in [names(NEW), json!({METADATA_KEY: signed(NEW)})] {
        let mut engine = engine();
        let pos = engine.tell(&session_of(metadata.clone()));
        assert_eq!(engine.latest(pos).reason, Credited, "{metadata}");
        assert_eq!((engine.balance(NEW), engine.open_cases().len()), (100, 0));
        assert_eq!(added(&engine), [(pos, NEW)]);
        assert!(engine.world.users.contains_key(NEW));
        // From then on he is like any other, and is not added again.
        let again = json!({"id": "cs_2", "payment_intent": "pi_2", "metadata": names(NEW)});
        let again = engine.tell(&session(again));
        assert_eq!(engine.latest(again).evidence.len(), 1);
        assert_eq!((engine.balance(NEW), added(&engine)), (200, vec![(pos, NEW)]));
    }
}

#[test]
fn by_default_nobody_is_added() {
    let mut engine = engine();
    engine.world.policy.create_users = false;
    let pos = engine.tell(&session_of(names(NEW)));
    assert_eq!((engine.latest(pos).reason, added(&engine).len()), (UnknownUser, 0));
}

#[test]
fn what_a_buyer_can_edit_adds_nobody_and_no_candidate_does() {
    const UUID: &str = "7d6f1c6e-2d0a-4f6b-9f36-1d2f7f0a9b11";
    let unsigned = json!({"client_reference_id": NEW, "metadata": {"price": PRICE}});
    let candidate = json!({
        "success_url": UUID, "customer_details": {"email": "new@example.com", "name": "New"},
        "metadata": {"price": PRICE, "order": UUID},
    });
    for (fields, reason) in [(unsigned, UnknownUser), (candidate, NoEvidence)] {
        let mut engine = engine();
        let pos = engine.tell(&session(fields));
        assert_eq!((engine.latest(pos).reason, added(&engine).len()), (reason, 0));
        assert_eq!(engine.world.users.len(), 2);
    }
}

#[test]
fn a_contradiction_adds_nobody() {
    let two = json!({"user_id": NEW, "user_id_backup": ADA, "price": PRICE});
    let email = json!({"user_id": NEW, "user_email": "bob@example.com", "price": PRICE});
    for metadata in [two, email] {
        let mut engine = engine();
        let pos = engine.tell(&session_of(metadata));
        assert_eq!((engine.latest(pos).reason, engine.world.users.len()), (Conflict, 2));
    }
}

#[test]
fn only_what_is_paid_adds_a_user() {
    let unpaid = json!({"payment_status": "unpaid", "metadata": names(NEW)});
    let mut engine = engine();
    let pos = engine.tell(&session(unpaid));
    assert_eq!((engine.latest(pos).reason, engine.world.users.len()), (Pending, 2));
    let paid = engine.tell(&intent(Value::Object(serde_json::Map::new())));
    assert_eq!((engine.latest(paid).reason, added(&engine)), (Credited, vec![(paid, NEW)]));
}

#[test]
fn a_user_is_added_although_it_is_open_what_was_bought() {
    let mut engine = engine();
    let pos = engine.tell(&session_of(json!({"user_id": NEW, "price": "price_new"})));
    assert_eq!((engine.latest(pos).reason, added(&engine)), (UnknownPrice, vec![(pos, NEW)]));
}

#[test]
fn who_is_added_releases_what_waited_for_him() {
    let mut engine = engine();
    let unsigned = json!({"client_reference_id": NEW, "metadata": {"price": PRICE}});
    let waits = engine.tell(&session(unsigned));
    assert_eq!(engine.latest(waits).reason, UnknownUser);
    let vouched = json!({"id": "cs_2", "payment_intent": "pi_2", "metadata": names(NEW)});
    engine.tell(&session(vouched));
    assert_eq!((engine.latest(waits).reason, engine.balance(NEW)), (Credited, 200));
}

#[test]
fn a_registration_in_the_same_batch_is_one_and_no_addition() {
    let told = [registered_as(NEW, "new@example.com"), session_of(names(NEW))];
    let mut engine = engine();
    engine.tell_all(&told);
    assert_eq!((engine.balance(NEW), added(&engine).len()), (100, 0));
}
