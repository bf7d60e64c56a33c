//! Refunds: what they take back, what they give back when they fail, and that the same money goes back once.
//!
//! The usual purchase is 100 credits for 1,190 cents, so that 119 cents are 10 credits.

use ledger::decision::Reason::{Conflict, Credited, Joined, Pending, UnsupportedShape, Waiting};
use rules::world::LegKind::{self, Purchase, Refund};
use serde_json::{Value, json};

use super::bodies::{
    ADA, BOB, PRICE, SAID_AT, at, charge, charge_refunded, dispute, event, intent, invoice,
    invoice_payment, line, lines, names, refund, session, session_of, thin, typed,
};
use super::books::orders;
use super::engine::Engine;

/// The usual purchase: session and charge.
pub(crate) fn bought() -> Engine {
    let mut engine = Engine::with_users();
    engine.tell_all(&[session_of(names(ADA)), charge(json!({}))]);
    assert_eq!(engine.balance(ADA), 100);
    engine
}

/// Of more orders than these, some are tried.
const ORDERS: usize = 120;

/// After each of these events, told one by one and once more, the user has so many credits; and at the end of their other
/// orders, the purchase being told anywhere among them, as many as at the end of this one.
#[track_caller]
pub(crate) fn check(told: &[(Value, i64)]) {
    let mut engine = bought();
    for (number, (body, credits)) in told.iter().enumerate() {
        engine.tell(body);
        assert_eq!(engine.balance(ADA), *credits, "after event {number}: {body}");
        engine.tell(body);
        assert_eq!(engine.balance(ADA), *credits, "told again: {body}");
    }
    let bodies: Vec<Value> = told.iter().map(|(body, _)| body.clone()).collect();
    let bodies = [bodies, vec![session_of(names(ADA)), charge(json!({}))]].concat();
    let all = orders(&bodies);
    let step = all.len().div_ceil(ORDERS);
    for order in all.into_iter().step_by(step) {
        let mut engine = Engine::with_users();
        engine.tell_all(&order);
        assert_eq!(engine.balance(ADA), told.last().unwrap().1, "{}", json!(order));
        assert_eq!(engine.open_cases(), []);
    }
}

/// What is posted of each leg of the one line.
pub(crate) fn legs(engine: &Engine) -> Vec<(LegKind, i64)> {
    engine.payment().legs.iter().map(|((_, kind), leg)| (*kind, leg.posted)).collect()
}

#[test]
fn a_refund_takes_its_share_whichever_name_it_comes_under() {
    check(&[
        (refund("re_1", 595, 10, "succeeded"), 50),
        (typed("refund.created", refund("re_1", 595, 10, "succeeded")), 50),
        (typed("charge.refund.updated", refund("re_1", 595, 10, "succeeded")), 50),
        (at(10, charge_refunded(595, json!({}))), 50),
    ]);
    let mut engine = bought();
    let pos = engine.tell(&refund("re_1", 595, 10, "succeeded"));
    assert_eq!(engine.reasons(&[pos]), [Credited]);
    assert_eq!(legs(&engine), [(Purchase, 100), (Refund, -50)]);
    let again = engine.tell(&at(11, charge_refunded(595, json!({}))));
    assert_eq!(engine.reasons(&[again]), [Joined]);
}

#[test]
fn several_refunds_are_one_division_of_their_sum() {
    check(&[
        (refund("re_1", 119, 10, "succeeded"), 90),
        (refund("re_2", 119, 20, "succeeded"), 80),
        (refund("re_3", 119, 30, "succeeded"), 70),
        (at(31, charge_refunded(357, json!({}))), 70),
    ]);
    // 3 of 1,190 cents are less than one credit; only together with others are they one.
    check(&[
        (refund("re_1", 3, 10, "succeeded"), 100),
        (refund("re_2", 3, 20, "succeeded"), 100),
        (refund("re_3", 6, 30, "succeeded"), 99),
    ]);
}

#[test]
fn a_full_refund_takes_everything_and_more_than_everything_no_more() {
    check(&[
        (refund("re_1", 1190, 10, "succeeded"), 0),
        (at(11, charge_refunded(1190, json!({}))), 0),
    ]);
    check(&[
        (refund("re_1", 1190, 10, "succeeded"), 0),
        (refund("re_2", 1190, 20, "succeeded"), 0),
    ]);
    let mut engine = bought();
    engine.tell(&refund("re_1", 1190, 10, "succeeded"));
    assert_eq!(legs(&engine), [(Purchase, 100), (Refund, -100)]);
    assert!(engine.payment().owner.is_some(), "what fails would be hers again");
}

#[test]
fn the_charges_figure_is_cumulative_and_the_newest_counts() {
    check(&[
        (at(10, charge_refunded(119, json!({}))), 90),
        (at(30, charge_refunded(357, json!({}))), 70),
        (at(20, charge_refunded(238, json!({}))), 70),
    ]);
    // An older figure knows nothing of a younger refund.
    check(&[
        (at(10, charge_refunded(119, json!({}))), 90),
        (refund("re_2", 238, 20, "succeeded"), 70),
        (at(21, charge_refunded(357, json!({}))), 70),
    ]);
    // Refunds that stand in the charge are the same ones (before 2022-11-15).
    let inline =
        json!({"data": [{"id": "re_1", "amount": 119, "status": "succeeded"}], "has_more": false});
    check(&[
        (at(10, charge_refunded(119, json!({"refunds": inline}))), 90),
        (refund("re_1", 119, 10, "succeeded"), 90),
    ]);
}

#[test]
fn a_refund_counts_while_it_is_under_way_and_gives_back_when_it_fails() {
    for under_way in ["pending", "requires_action", "succeeded"] {
        for failed in ["failed", "canceled"] {
            let gone = refund("re_1", 595, 10, under_way);
            let back = at(20, refund("re_1", 595, 10, failed));
            check(&[(gone, 50), (typed("refund.failed", at(20, back)), 100)]);
        }
    }
}

#[test]
fn a_figure_is_corrected_by_failures_that_it_cannot_know_of_and_by_no_others() {
    let failed = |id, made, said| at(said, refund(id, 595, made, "failed"));
    // It was said before the failure; after it; in the same second; before the refund was even made.
    check(&[
        (at(15, charge_refunded(714, json!({}))), 40),
        (refund("re_1", 595, 10, "succeeded"), 40),
        (failed("re_1", 10, 20), 90),
    ]);
    for said in [20, 30] {
        let figure = at(said, charge_refunded(119, json!({})));
        check(&[(failed("re_1", 10, 20), 100), (figure, 90)]);
    }
    check(&[(at(15, charge_refunded(119, json!({}))), 90), (failed("re_1", 20, 30), 90)]);
}

#[test]
fn a_refund_that_failed_can_be_made_again() {
    let failed = |id, made, said| at(said, refund(id, 1190, made, "failed"));
    check(&[
        (refund("re_1", 1190, 10, "succeeded"), 0),
        (failed("re_1", 10, 20), 100),
        (refund("re_2", 1190, 30, "succeeded"), 0),
    ]);
    check(&[
        (at(10, charge_refunded(1190, json!({}))), 0),
        (failed("re_1", 10, 20), 100),
        (refund("re_2", 1190, 30, "succeeded"), 0),
        (at(30, charge_refunded(1190, json!({}))), 0),
    ]);
    check(&[
        (refund("re_1", 1190, 10, "succeeded"), 0),
        (failed("re_1", 10, 20), 100),
        (refund("re_2", 1190, 30, "succeeded"), 0),
        (failed("re_2", 30, 40), 100),
    ]);
}

#[test]
fn a_refund_before_its_purchase_waits_for_it() {
    let told = [
        refund("re_1", 595, 10, "succeeded"),
        dispute("funds_withdrawn", "dp_1", 238, 20),
        session_of(names(ADA)),
        charge(json!({})),
        intent(json!({})),
    ];
    for order in orders(&told) {
        let mut engine = Engine::with_users();
        for body in &order {
            engine.tell(body);
        }
        assert_eq!((engine.balance(ADA), engine.unclaimed()), (30, 0), "{}", json!(order));
        assert_eq!((engine.open_cases().len(), engine.payment().legs.len()), (0, 3));
    }
    let mut engine = Engine::with_users();
    let pos = engine.tell(&told[0]);
    assert_eq!(engine.reasons(&[pos]), [Pending]);
    assert!(!engine.world.is_posted("pi_1"), "nothing to take from yet");
}

#[test]
fn a_charge_that_is_known_by_its_refund_alone_waits_and_is_worth_what_is_left() {
    let mut engine = Engine::with_users();
    let pos = engine.tell(&charge_refunded(595, json!({})));
    assert_eq!(engine.reasons(&[pos]), [Waiting]);
    engine.tell(&session_of(names(ADA)));
    assert_eq!(engine.balance(ADA), 50);
}

#[test]
fn an_authorisation_that_is_released_was_never_paid() {
    let mut engine = Engine::with_users();
    let held = json!({"captured": false, "amount_captured": 0, "metadata": names(ADA)});
    engine.tell(&charge(held.clone()));
    let pos = engine.tell(&charge_refunded(1190, held));
    assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Pending], 0));
}

/// At the end of these, in any order, the user has so many credits of a purchase that is told by its charge alone.
#[track_caller]
fn check_charge(told: &[Value], credits: i64) {
    for order in orders(told) {
        let mut engine = Engine::with_users();
        engine.tell_all(&order);
        assert_eq!(engine.balance(ADA), credits, "{}", json!(order));
    }
}

#[test]
fn of_a_part_that_was_captured_a_refund_takes_its_share() {
    let figure = |amount: i64| json!({"amount": 2380, "amount_captured": 1190, "amount_refunded": amount, "metadata": names(ADA)});
    // What was authorised and not taken is released, and Stripe's figure counts it.
    let held = charge(
        json!({"amount": 2380, "amount_captured": 0, "amount_refunded": 0, "captured": false}),
    );
    let captured = at(5, typed("charge.captured", charge(figure(1190))));
    check_charge(std::slice::from_ref(&captured), 100);
    check_charge(&[held.clone(), captured.clone()], 100);
    let half = refund("re_1", 595, 10, "succeeded");
    let refunded = at(10, typed("charge.refunded", charge(figure(1785))));
    check_charge(&[held.clone(), captured.clone(), half.clone()], 50);
    check_charge(&[held.clone(), captured.clone(), half.clone(), refunded.clone()], 50);
    check_charge(&[captured.clone(), refunded.clone()], 50);
    // The release may be a refund of its own.
    let release = refund("re_0", 1190, 5, "succeeded");
    check_charge(&[held.clone(), captured.clone(), release.clone()], 100);
    check_charge(&[captured.clone(), release.clone(), half.clone()], 50);
    check_charge(&[captured.clone(), release, half, refunded], 50);
    // All that was captured is all.
    let whole = refund("re_1", 1190, 10, "succeeded");
    check_charge(&[held, captured, whole], 0);
    // More may still be captured: nothing is released yet, and what the figure says went back.
    let early = at(5, typed("charge.refunded", charge(figure(595))));
    check_charge(&[early], 50);
}

#[test]
fn every_line_gives_its_share_in_its_own_unit() {
    let mut engine = Engine::with_users();
    let seconds = json!({
        "object": "tally.event", "type": "tally.catalogue.set", "price": "price_gpu", "credits": 7, "unit": "gpu_seconds",
    });
    engine.tell(&seconds);
    let list = lines(&[line(PRICE, 3, json!({})), line("price_gpu", 1, json!({}))]);
    engine.tell(&invoice(json!({"lines": list})));
    let paid = json!({"payment_intent": "pi_1", "invoice": "in_1"});
    engine.tell_all(&[charge(paid), refund("re_1", 595, 10, "succeeded")]);
    let mut stands: Vec<_> = engine
        .accounts
        .iter()
        .map(|((_, unit), account)| (unit.as_str(), account.posted))
        .collect();
    stands.sort_unstable();
    assert_eq!(stands, [("credits", 150), ("gpu_seconds", 4)], "half of 7 is 3, rounded down");
    engine.tell(&dispute("funds_withdrawn", "dp_1", 1190, 20));
    assert!(engine.accounts.values().all(|account| account.posted == 0));
}

#[test]
fn of_an_invoice_that_two_payments_paid_a_refund_takes_its_share_of_both() {
    let part = |number: i64| {
        let part = json!({"id": format!("pi_{number}"), "latest_charge": format!("ch_{number}"), "amount_received": 595});
        let mut tie = invoice_payment();
        tie["data"]["object"]["payment"]["payment_intent"] = format!("pi_{number}").into();
        [intent(part), tie]
    };
    let told = [vec![invoice(json!({}))], part(1).into(), part(2).into()].concat();
    for order in orders(&told) {
        let mut engine = Engine::with_users();
        engine.tell_all(&order);
        engine.tell(&refund("re_1", 595, 10, "succeeded"));
        assert_eq!(engine.balance(ADA), 50, "{}", json!(order));
    }
}

#[test]
fn each_charges_figure_is_corrected_by_its_own_refunds() {
    let of = |number: i64, mut body: Value| -> Value {
        body["data"]["object"]["id"] = format!("ch_{number}").into();
        body["data"]["object"]["payment_intent"] = format!("pi_{number}").into();
        body
    };
    let part = |said: i64, refunded: i64| {
        at(said, charge(json!({"amount": 595, "amount_refunded": refunded, "invoice": "in_1"})))
    };
    let failed = typed("refund.failed", at(80, refund("re_1", 595, 50, "failed")));
    let told = [
        invoice(json!({})),
        of(1, part(0, 0)),
        of(2, part(100, 0)),
        of(1, typed("charge.refunded", part(50, 595))),
        refund("re_1", 595, 50, "succeeded"),
    ];
    check_charge(&told, 50);
    check_charge(&[told.as_slice(), &[failed]].concat(), 100);
    // Of one charge the figure is known, of the other a refund.
    let mut other = refund("re_2", 357, 50, "succeeded");
    other["data"]["object"]["charge"] = "ch_2".into();
    other["data"]["object"]["payment_intent"] = "pi_2".into();
    let figure = of(1, typed("charge.refunded", part(50, 119)));
    let both = [invoice(json!({})), figure, of(2, part(0, 0)), other.clone()];
    check_charge(&both, 60);
    // It was told of before its charge was known.
    let mut early = other;
    early["data"]["object"]["charge"] = Value::Null;
    check_charge(&[both.as_slice(), &[early]].concat(), 60);
}

#[test]
fn what_goes_back_goes_back_when_stripe_says() {
    let mut engine = bought();
    engine.tell(&refund("re_1", 595, 1_000, "succeeded"));
    engine.tell(&dispute("funds_withdrawn", "dp_1", 238, 2_000));
    engine.tell(&at(3_000, refund("re_1", 595, 1_000, "failed")));
    assert_eq!(engine.effective, [0, 1_000, 2_000, 3_000].map(|seconds| SAID_AT + seconds));
}

#[test]
fn a_figure_goes_back_when_it_was_told_and_a_figure_of_nothing_says_no_time() {
    let mut engine = bought();
    engine.tell(&at(500, charge_refunded(595, json!({}))));
    assert_eq!(engine.effective, [SAID_AT, SAID_AT + 500]);
    let mut engine = Engine::with_users();
    let untouched = charge(json!({"amount_refunded": 0}));
    engine.tell_all(&[session_of(names(ADA)), at(900, untouched)]);
    engine.tell(&refund("re_1", 595, 300, "succeeded"));
    assert_eq!(engine.effective, [SAID_AT, SAID_AT + 300]);
}

#[test]
fn what_nobody_was_found_for_goes_back_as_well() {
    let mut engine = Engine::with_users();
    let both = json!({"user_id": ADA, "user_id_backup": BOB, "price": PRICE});
    let pos = engine.tell(&session_of(both));
    engine.tell_all(&[charge(json!({})), refund("re_1", 595, 10, "succeeded")]);
    assert_eq!((engine.reasons(&[pos]), engine.unclaimed()), (vec![Conflict], 50));
    engine.act("assigned", json!({"user": BOB}));
    assert_eq!((engine.balance(BOB), engine.unclaimed()), (50, 0));
    engine.tell(&at(30, refund("re_1", 595, 10, "failed")));
    assert_eq!(engine.balance(BOB), 100);
}

#[test]
fn a_free_purchase_has_nothing_to_give_back() {
    let mut engine = Engine::with_users();
    let free =
        json!({"payment_status": "no_payment_required", "amount_total": 0, "metadata": names(ADA)});
    engine.tell(&session(free));
    engine.tell(&refund("re_1", 595, 10, "succeeded"));
    assert_eq!(engine.balance(ADA), 100);
}

#[test]
fn money_that_goes_back_without_saying_how_much_is_for_a_person() {
    let mut how_much = refund("re_1", 1, 10, "succeeded");
    how_much["data"]["object"]["amount"] = json!(null);
    let dispute = json!({"id": "dp_1", "object": "dispute", "charge": "ch_1", "status": "lost"});
    let nameless = thin("v1.charge.refunded", "account", "acct_1");
    for body in [how_much, event("charge.dispute.funds_withdrawn", &dispute), nameless] {
        let mut engine = Engine::with_users();
        let pos = engine.tell(&body);
        assert_eq!(engine.reasons(&[pos]), [UnsupportedShape], "{body}");
    }
}
