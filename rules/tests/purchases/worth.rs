//! How many credits: by the catalogue, by metadata, by both, or that is a case.

use ledger::decision::Reason::{self, Credited, CreditsMismatch, NotOurs, UnknownPrice};
use rules::world::{LegKind, Status};
use serde_json::{Value, json};

use super::bodies::{
    ADA, PRICE, charge, intent_of, names, not_ours, priced, session, session_of, since,
};
use super::engine::Engine;

/// Largest number of credits of one line.
const MOST: i64 = rules::worth::MAX_CREDITS;

/// A session with this metadata of a known user: then this, and so many credits.
#[track_caller]
fn check(metadata: Value, reason: Reason, credits: i64) {
    let mut engine = Engine::with_users();
    engine.tell(&priced("price_most", MOST));
    engine.tell(&not_ours("price_shirt"));
    let mut metadata = metadata;
    metadata["user_id"] = ADA.into();
    let pos = engine.tell(&session_of(metadata.clone()));
    let outcome = (engine.latest(pos).reason, engine.balance(ADA), engine.unclaimed());
    assert_eq!(outcome, (reason, credits, 0), "{metadata}");
}

#[test]
fn by_the_catalogue() {
    check(json!({"price": PRICE}), Credited, 100);
    check(json!({"price_id": PRICE}), Credited, 100);
    check(json!({"price": PRICE, "price_id": PRICE}), Credited, 100);
    check(json!({"price": PRICE, "quantity": "3"}), Credited, 300);
    check(json!({"price": PRICE, "quantity": 3}), Credited, 300);
    check(json!({"price": PRICE, "quantity": "1000000"}), Credited, 100_000_000);
    check(json!({"price": "price_most"}), Credited, MOST);
}

#[test]
fn by_metadata_where_the_catalogue_says_nothing() {
    check(json!({"credits": "50"}), Credited, 50);
    check(json!({"credits": " 50 "}), Credited, 50);
    check(json!({"credits": MOST.to_string()}), Credited, MOST);
    // The credits of the whole purchase, not of one.
    check(json!({"credits": "50", "price": "price_new", "quantity": "2"}), Credited, 50);
}

#[test]
fn by_both_only_if_they_agree() {
    check(json!({"price": PRICE, "credits": "100"}), Credited, 100);
    check(json!({"price": PRICE, "credits": "200", "quantity": "2"}), Credited, 200);
    check(json!({"price": PRICE, "credits": "100", "unit": "credits"}), Credited, 100);
    check(json!({"price": PRICE, "credits": "99"}), CreditsMismatch, 0);
    check(json!({"price": PRICE, "credits": "100", "quantity": "2"}), CreditsMismatch, 0);
    check(json!({"price": PRICE, "unit": "gpu_seconds"}), CreditsMismatch, 0);
    check(json!({"price": PRICE, "price_id": "price_other"}), CreditsMismatch, 0);
}

#[test]
fn what_is_no_number_is_a_case() {
    for quantity in ["0", "-1", "+1", "1.0", "1e3", "1000001", "x", "99999999999999999999", "١"] {
        check(json!({"price": PRICE, "quantity": quantity}), CreditsMismatch, 0);
        check(json!({"credits": "5", "quantity": quantity}), CreditsMismatch, 0);
    }
    for credits in ["0", "-5", "ten", "1000000000000001", "99999999999999999999"] {
        check(json!({"credits": credits}), CreditsMismatch, 0);
        check(json!({"price": PRICE, "credits": credits}), CreditsMismatch, 0);
    }
    check(json!({"price": "price_most", "quantity": "2"}), CreditsMismatch, 0);
    check(json!({"price": "price_most", "quantity": "1000000"}), CreditsMismatch, 0);
    check(json!({"credits": "5", "unit": "x".repeat(41)}), CreditsMismatch, 0);
    check(json!({"credits": "5", "unit": "a\u{7}b"}), CreditsMismatch, 0);
    check(json!({"credits": "5", "unit": "gpu seconds"}), CreditsMismatch, 0);
}

#[test]
fn unknown_is_unpriced_and_never_zero() {
    check(json!({}), UnknownPrice, 0);
    check(json!({"price": "price_new"}), UnknownPrice, 0);
    check(json!({"price": "  ", "credits": ""}), UnknownPrice, 0);
    check(json!({"quantity": "2"}), UnknownPrice, 0);

    let mut engine = Engine::with_users();
    engine.tell(&session_of(json!({"user_id": ADA, "price": "price_new"})));
    let (_, case) = engine.open_case();
    assert_eq!(Vec::from_iter(case.waits_for), ["price:price_new"]);
    assert_eq!((case.detail.credits, case.detail.paid), (None, Some(1190)));
}

#[test]
fn what_the_catalogue_calls_not_ours_is_ignored_whatever_else_is_said() {
    check(json!({"price": "price_shirt"}), NotOurs, 0);
    check(json!({"price": "price_shirt", "credits": "5"}), NotOurs, 0);
    check(json!({"price": "price_shirt", "quantity": "many"}), NotOurs, 0);
    check(json!({"price": "price_shirt", "price_id": PRICE}), CreditsMismatch, 0);
    check(json!({"price": "price_shirt", "price_id": "price_zebra"}), CreditsMismatch, 0);

    let mut engine = Engine::with_users();
    engine.tell(&not_ours("price_shirt"));
    engine
        .tell(&session(json!({"payment_status": "unpaid", "metadata": {"price": "price_shirt"}})));
    assert_eq!(engine.open_cases(), []);
    assert_eq!(engine.payment().status, Status::NotOurs);
    assert_eq!(engine.payment().legs.values().map(|leg| leg.expected).sum::<i64>(), 0);
}

#[test]
fn units_are_kept_apart() {
    let mut engine = Engine::with_users();
    let metadata = json!({"user_id": ADA, "credits": "7", "unit": "gpu_seconds"});
    engine.tell(&session_of(metadata));
    assert_eq!(engine.balance(ADA), 0);
    let accounts: Vec<_> = engine
        .accounts
        .iter()
        .map(|((_, unit), account)| (unit.as_str(), account.posted))
        .collect();
    assert_eq!(accounts, [("gpu_seconds", 7)]);
}

#[test]
fn a_unit_that_is_told_later_changes_the_unit() {
    let mut engine = Engine::with_users();
    engine.tell(&session_of(json!({"user_id": ADA, "credits": "7"})));
    assert_eq!(engine.balance(ADA), 7);
    engine.tell(&intent_of(json!({"unit": "gpu_seconds"})));
    assert_eq!(engine.balance(ADA), 0);
    assert_eq!(
        engine.payment().legs[&("credits".to_owned(), LegKind::Purchase)].unit,
        "gpu_seconds"
    );
}

#[test]
fn objects_that_name_different_prices_take_back_what_the_first_one_said() {
    let mut engine = Engine::with_users();
    engine.tell(&priced("price_50", 50));
    engine.tell(&session_of(names(ADA)));
    assert_eq!(engine.balance(ADA), 100);
    let pos = engine.tell(&intent_of(json!({"price": "price_50"})));
    assert_eq!((engine.latest(pos).reason, engine.balance(ADA)), (CreditsMismatch, 0));
    let (_, case) = engine.open_case();
    let error = "its objects name different price: price_100, price_50";
    assert_eq!(case.detail.error.as_deref(), Some(error));
    assert_eq!(engine.payment().claimant.as_deref(), Some(ADA));
}

#[test]
fn what_its_own_objects_add_to_the_claims_changes_the_credits() {
    let mut engine = Engine::with_users();
    engine.tell(&session_of(names(ADA)));
    engine.tell(&intent_of(json!({"quantity": "3"})));
    assert_eq!(engine.balance(ADA), 300);
    let pos = engine.tell(&charge(json!({"metadata": {"credits": "300"}})));
    assert_eq!((engine.latest(pos).reason, engine.balance(ADA)), (Reason::Joined, 300));
}

#[test]
fn the_entry_in_force_is_recorded() {
    let mut engine = Engine::with_users();
    let entry = engine.tell(&since(-1, priced(PRICE, 120)));
    let pos = engine.tell(&session_of(names(ADA)));
    assert_eq!(engine.latest(pos).catalogue_pos, Some(entry));
    assert_eq!(engine.balance(ADA), 120);
    engine.tell(&since(-1, priced(PRICE, 10)));
    engine.tell(&intent_of(json!({})));
    assert_eq!(engine.balance(ADA), 120, "a new entry does not change what was sold");
}
