//! What Stripe lists as bought against what metadata claim: they agree, or one of them says nothing, or that is a case.

use ledger::decision::Outcome;
use ledger::decision::Reason::{self, Credited, CreditsMismatch, Joined, NotOurs, UnknownPrice};
use serde_json::{Value, json};

use super::bodies::{
    ADA, PRICE, at, charge, invoice, line, lines, not_ours, priced, proration, with,
};
use super::books::orders;
use super::engine::Engine;

/// A paid invoice of these lines, in whose subscription's metadata this stands beside the user: then this, so many credits,
/// and in its case these words.
#[track_caller]
fn check(listed: &[Value], claims: Value, (reason, credits): (Reason, i64), error: Option<&str>) {
    let mut engine = Engine::with_users();
    engine.tell_all(&[priced("price_7", 7), priced("price_most", MOST), not_ours("price_shirt")]);
    let metadata = with(json!({"user_id": ADA}), claims);
    let details = json!({"subscription": "sub_1", "metadata": metadata});
    let body =
        invoice(json!({"lines": lines(listed), "parent": {"subscription_details": details}}));
    let pos = engine.tell(&body);
    let found = (engine.latest(pos).reason, engine.balance(ADA));
    assert_eq!((found, engine.unclaimed()), ((reason, credits), 0), "{body}");
    let open = engine.open_cases();
    let said = open.first().and_then(|(_, case)| case.detail.error.as_deref());
    let is_open = reason.outcome() == Outcome::InReview;
    assert_eq!((open.len(), said), (usize::from(is_open), error), "{body}");
}

/// Largest number of credits of one line.
const MOST: i64 = rules::worth::MAX_CREDITS;

fn of(price: &str, quantity: i64) -> Value {
    line(price, quantity, json!({}))
}

#[test]
fn all_lines_together_are_what_was_bought() {
    check(&[of(PRICE, 1), of("price_7", 2)], json!({}), (Credited, 114), None);
    check(&[of(PRICE, 1), of(PRICE, 2)], json!({}), (Credited, 300), None);
    check(&[of("price_7", 0)], json!({}), (Joined, 0), None);
    check(&[], json!({}), (Joined, 0), None);
}

#[test]
fn credits_in_metadata_agree_with_the_lines_or_are_a_case() {
    let two = [of(PRICE, 1), of("price_7", 1)];
    check(&two, json!({"credits": "107"}), (Credited, 107), None);
    let differs = "metadata says 100 credits, the lines and the catalogue 107";
    check(&two, json!({"credits": "100"}), (CreditsMismatch, 0), Some(differs));
    let no_number = "credits in metadata is not a whole number from 1 to 1000000000000000: many";
    check(&two, json!({"credits": "many"}), (CreditsMismatch, 0), Some(no_number));
    // What else is claimed, the lines say better.
    check(&two, json!({"price": "price_else", "quantity": "9"}), (Credited, 107), None);
}

#[test]
fn objects_that_claim_different_credits_are_a_case() {
    let mut engine = Engine::with_users();
    engine.tell(&invoice(json!({"metadata": {"credits": "100"}})));
    assert_eq!(engine.balance(ADA), 100);
    engine.tell(&charge(json!({"invoice": "in_1", "metadata": {"credits": "99"}})));
    let (_, case) = engine.open_case();
    let error = "its objects name different credits: 100, 99";
    assert_eq!((engine.balance(ADA), case.detail.error.as_deref()), (0, Some(error)));
}

#[test]
fn a_price_in_metadata_says_nothing_of_lines_that_nobody_priced() {
    let mut engine = Engine::with_users();
    let metadata = json!({"credits": "50", "price": PRICE, "quantity": "9"});
    engine.tell(&invoice(json!({"lines": lines(&[of("price_new", 3)]), "metadata": metadata})));
    assert_eq!((engine.balance(ADA), engine.open_cases().len()), (50, 0));
}

#[test]
fn credits_in_metadata_stand_alone_where_the_catalogue_knows_no_price() {
    let unknown = [of("price_new", 3)];
    check(&unknown, json!({"credits": "50"}), (Credited, 50), None);
    check(&unknown, json!({}), (UnknownPrice, 0), None);
    let no_number = "credits in metadata is not a whole number from 1 to 1000000000000000: 0";
    check(&unknown, json!({"credits": "0"}), (CreditsMismatch, 0), Some(no_number));
}

#[test]
fn what_is_known_is_credited_while_something_else_is_not() {
    check(&[of(PRICE, 1), of("price_new", 1)], json!({}), (UnknownPrice, 100), None);
    let typed_in =
        json!({"object": "line_item", "amount": 500, "description": "Set-up", "quantity": 1});
    check(&[of(PRICE, 1), typed_in], json!({}), (UnknownPrice, 100), None);
    let half = line(PRICE, 1, json!({"quantity_decimal": "1.5"}));
    check(&[half, of("price_7", 1)], json!({}), (UnknownPrice, 7), None);
    // A line of no money and no price is a remark.
    let remark = json!({"object": "line_item", "amount": 0, "description": "Thank you!"});
    check(&[of(PRICE, 1), remark], json!({}), (Credited, 100), None);
}

#[test]
fn a_line_that_takes_money_off_and_is_no_proration_is_for_a_person() {
    let off = |price: &str| line(price, 1, json!({"amount": -1000}));
    let error = "a line of price_100 takes money off and does not adjust a period; assign what all of it is worth";
    check(&[of(PRICE, 2), off(PRICE)], json!({}), (CreditsMismatch, 0), Some(error));
    check(&[of("price_7", 1), off(PRICE)], json!({}), (CreditsMismatch, 0), Some(error));
    // A discount that the catalogue knows to be none of ours.
    check(&[of(PRICE, 2), off("price_shirt")], json!({}), (Credited, 200), None);
    let unused = proration("price_shirt", 1, -500, 100);
    check(&[of_no_period(), unused], json!({}), (Credited, 100), None);
}

/// A line of the usual price that says no period.
fn of_no_period() -> Value {
    line(PRICE, 1, json!({"period": null}))
}

#[test]
fn what_is_told_last_of_a_list_counts_whole() {
    let draft = [of(PRICE, 1), of("price_7", 1)];
    let told = [
        invoice(json!({"status": "draft", "lines": lines(&draft)})),
        at(10, invoice(json!({"lines": lines(&[of(PRICE, 2)])}))),
    ];
    for order in orders(&told) {
        let mut engine = Engine::with_users();
        engine.tell(&priced("price_7", 7));
        engine.tell_all(&order);
        assert_eq!((engine.balance(ADA), engine.open_cases().len()), (200, 0), "{}", json!(order));
    }
}

#[test]
fn what_is_not_ours_gives_nothing_and_asks_nothing() {
    check(&[of("price_shirt", 1)], json!({}), (NotOurs, 0), None);
    check(&[of("price_shirt", 1)], json!({"credits": "5"}), (NotOurs, 0), None);
    check(&[of("price_shirt", 1), of(PRICE, 2)], json!({}), (Credited, 200), None);
    check(&[of("price_shirt", 1), of("price_new", 2)], json!({}), (UnknownPrice, 0), None);
}

#[test]
fn more_credits_than_can_be_are_a_case() {
    check(&[of("price_most", 1)], json!({}), (Credited, MOST), None);
    let error = Some("its lines come to more credits than can be");
    check(&[of("price_most", 2)], json!({}), (CreditsMismatch, 0), error);
    check(&[of("price_most", i64::MAX)], json!({}), (CreditsMismatch, 0), error);
    check(&[of(PRICE, i64::MAX), of(PRICE, i64::MAX)], json!({}), (CreditsMismatch, 0), error);
}
