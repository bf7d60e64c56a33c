//! What other programs got wrong with Stripe's events, by their issue trackers (STRIPE, last section): each mistake has the
//! test that finds it here. Those of spends, holds and expiry stand where these are tested.

use ledger::decision::Outcome;
use ledger::decision::Reason::{Conflict, Credited, Joined, UnknownUser};
use serde_json::{Value, json};

use super::bodies::{
    ADA, BOB, PERIOD, PRICE, at, charge, charge_refunded, dispute, dispute_as, event, intent,
    invoice, invoice_payment, line, lines, names, priced, proration, refund, registered_as,
    session, session_of, typed, with,
};
use super::books::orders;
use super::engine::Engine;

/// A purchase of 100 credits for 1,190 cents.
fn bought() -> Engine {
    let mut engine = Engine::with_users();
    engine.tell_all(&[session_of(names(ADA)), charge(json!({}))]);
    assert_eq!(engine.balance(ADA), 100);
    engine
}

/// opencode#28402, pollinations#10621, open-saas#688. A redelivery may differ in bytes and come much later.
#[test]
fn double_credit_on_redelivery() {
    let mut engine = Engine::with_users();
    for pending_webhooks in (0..4).rev() {
        let mut redelivered = session_of(names(ADA));
        redelivered["pending_webhooks"] = pending_webhooks.into();
        engine.tell(&redelivered);
        engine.wait(3 * 86_400);
        assert_eq!(engine.balance(ADA), 100);
    }
}

/// roomGPT#61, pay#371, lago-api#3223.
#[test]
fn two_event_types_for_one_payment() {
    let once = [
        session_of(names(ADA)),
        intent(json!({"metadata": names(ADA)})),
        charge(json!({"metadata": names(ADA)})),
    ];
    let cycle = [
        invoice(json!({})),
        typed("invoice.payment_succeeded", invoice(json!({}))),
        invoice_payment(),
        intent(json!({})),
    ];
    for told in [once.as_slice(), &cycle] {
        for order in orders(told) {
            let mut engine = Engine::with_users();
            engine.tell_all(&order);
            assert_eq!(engine.balance(ADA), 100, "{}", json!(order));
        }
    }
}

/// dj-stripe#832: seen must not mean done.
#[test]
fn a_dedupe_that_blocks_the_retry() {
    let mut engine = Engine::with_users();
    let pos = engine.park(&session_of(names(ADA)));
    assert_eq!(engine.balance(ADA), 0, "deciding it failed");
    engine.act("retried", json!({}));
    assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Credited], 100));
}

/// adcp#3211, 2anki.net#3561.
#[test]
fn paid_acknowledged_user_unknown_dropped() {
    let mut engine = Engine::with_users();
    let pos = engine.tell(&session_of(names("u_late")));
    assert_eq!((engine.reasons(&[pos]), engine.unclaimed()), (vec![UnknownUser], 100));
    assert!(engine.open_case().1.waits_for.contains("user:u_late"));
    engine.tell(&registered_as("u_late", "late@example.com"));
    assert_eq!((engine.balance("u_late"), engine.unclaimed()), (100, 0));
    assert_eq!(engine.open_cases(), []);
}

/// engram#443, better-auth#10568.
#[test]
fn the_wrong_user_by_email() {
    // An e-mail names nobody, not even where it is one user's alone.
    let email = json!({"email": "bob@example.com"});
    let mut engine = Engine::with_users();
    let pos =
        engine.tell(&session(json!({"customer_details": email, "metadata": {"price": PRICE}})));
    assert_eq!(engine.latest(pos).reason.outcome(), Outcome::InReview);
    assert_eq!((engine.balance(BOB), engine.unclaimed()), (0, 100));
    // And where it is another's than the one whom the server named, a person looks at it.
    let mut engine = Engine::with_users();
    let pos = engine.tell(&session(json!({"customer_details": email, "metadata": names(ADA)})));
    assert_eq!((engine.reasons(&[pos]), engine.unclaimed()), (vec![Conflict], 100));
    assert_eq!((engine.balance(ADA), engine.balance(BOB)), (0, 0));
}

/// eliza#10920, Helicone#4728.
#[test]
fn refunds_that_leave_spendable_credits() {
    for full in [refund("re_1", 1190, 10, "succeeded"), at(10, charge_refunded(1190, json!({})))] {
        let mut engine = bought();
        engine.tell(&full);
        assert_eq!(engine.balance(ADA), 0, "{full}");
        assert!(
            engine
                .accounts
                .values()
                .all(|account| account.grants.iter().all(|grant| grant.remaining == 0))
        );
    }
}

/// replyinmyvoice#301: each figure is the sum of all refunds so far, and not one more refund.
#[test]
fn partial_refunds_that_compound() {
    let mut engine = bought();
    for (number, left) in (1..=10).zip((0..=90).rev().step_by(10)) {
        engine.tell(&at(number, charge_refunded(119 * number, json!({}))));
        engine.tell(&refund(&format!("re_{number}"), 119, number, "succeeded"));
        assert_eq!(engine.balance(ADA), left);
    }
}

/// eliza#10997.
#[test]
fn disputes_clawed_at_opening() {
    let mut engine = bought();
    for (number, status) in
        (1..).zip(["warning_needs_response", "needs_response", "under_review", "prevented"])
    {
        let pos = engine.tell(&dispute_as("created", &format!("dp_{number}"), (1190, status), 10));
        assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Joined], 100), "{status}");
    }
}

/// eliza#11155.
#[test]
fn disputes_never_reinstated() {
    let mut engine = bought();
    engine.tell(&dispute("funds_withdrawn", "dp_1", 1190, 10));
    assert_eq!(engine.balance(ADA), 0);
    // That it is won moves nothing yet; the money's coming back does.
    engine.tell(&dispute_as("closed", "dp_1", (1190, "won"), 20));
    engine.tell(&dispute("funds_reinstated", "dp_1", 1190, 21));
    assert_eq!(engine.balance(ADA), 100);
}

/// gumroad#6852.
#[test]
fn disputes_not_netted_with_refunds() {
    let told = [
        refund("re_1", 595, 10, "succeeded"),
        dispute("funds_withdrawn", "dp_1", 1190, 20),
        dispute("funds_reinstated", "dp_1", 1190, 30),
    ];
    for order in orders(&told) {
        let mut engine = bought();
        for body in &order {
            engine.tell(body);
            assert!((0..=100).contains(&engine.balance(ADA)), "{body}");
        }
        assert_eq!(engine.balance(ADA), 50, "{}", json!(order));
    }
}

/// cashier-stripe#1201, #1678.
#[test]
fn out_of_order() {
    let told = [
        session(json!({"payment_status": "unpaid", "metadata": names(ADA)})),
        typed("checkout.session.async_payment_succeeded", session_of(names(ADA))),
        charge(json!({})),
        refund("re_1", 595, 10, "succeeded"),
    ];
    for order in orders(&told) {
        let mut engine = Engine::with_users();
        for body in &order {
            engine.tell(body);
        }
        assert_eq!((engine.balance(ADA), engine.open_cases().len()), (50, 0), "{}", json!(order));
    }
}

/// lago-api#3618: two events of one payment in one batch, or in two that begin from the same state.
#[test]
fn settled_twice_in_the_same_millisecond() {
    let mut engine = Engine::with_users();
    let told = vec![session_of(names(ADA)); 8];
    let positions = engine.tell_all(&told);
    let credited = engine.reasons(&positions).iter().filter(|reason| **reason == Credited).count();
    assert_eq!((credited, engine.balance(ADA)), (1, 100));
}

/// polar#11427: what was bought before stays, whatever becomes of the plan.
#[test]
fn a_plan_change_that_wipes_a_balance() {
    let mut engine = Engine::with_users();
    engine.tell(&priced("price_small", 10));
    engine.tell(&invoice(json!({})));
    let rest = PERIOD / 2;
    let change = json!({
        "id": "in_2", "billing_reason": "subscription_update", "amount_paid": 0, "total": 0,
        "lines": lines(&[proration(PRICE, 1, -500, rest), proration("price_small", 1, 50, rest), line("price_small", 1, json!({}))]),
    });
    let subscription = |event_type: &str, status: &str| -> Value {
        let object = json!({"id": "sub_1", "object": "subscription", "status": status, "metadata": {"user_id": ADA}});
        event(event_type, &object)
    };
    for body in [
        subscription("customer.subscription.updated", "active"),
        invoice(change),
        subscription("customer.subscription.deleted", "canceled"),
        typed("invoice.voided", invoice(json!({"id": "in_3", "status": "void"}))),
    ] {
        engine.tell(&body);
        assert_eq!((engine.balance(ADA), engine.open_cases().len()), (100, 0), "{body}");
    }
}

/// openscience#475, vm0#15687: what is there decides, whatever version the label names.
#[test]
fn a_new_api_version_and_paid_invoices_refused() {
    let bought =
        json!({"has_more": false, "data": [{"id": "il_1", "quantity": 1, "price": {"id": PRICE}}]});
    let by_plan =
        json!({"has_more": false, "data": [{"id": "il_1", "quantity": 1, "plan": {"id": PRICE}}]});
    let before_basil = json!({
        "parent": null, "subscription": "sub_1", "paid": true, "charge": "ch_1", "payment_intent": "pi_1",
        "subscription_details": {"metadata": {"user_id": ADA}}, "lines": bought,
    });
    let by_flag = json!({"status": null, "parent": null, "paid": true, "metadata": {"user_id": ADA}, "lines": by_plan});
    let unheard_of =
        json!({"parent": null, "metadata": {"user_id": ADA}, "invented": {"deeply": ["new"]}});
    for shape in [json!({}), before_basil, by_flag, unheard_of] {
        for label in
            [json!("2014-01-31"), json!("2025-03-31.basil"), json!("2031-01-01.yucca"), json!(null)]
        {
            let mut engine = Engine::with_users();
            let mut body = invoice(shape.clone());
            body["api_version"] = label;
            let pos = engine.tell(&body);
            assert_eq!(
                (engine.reasons(&[pos]), engine.balance(ADA)),
                (vec![Credited], 100),
                "{body}"
            );
        }
    }
}

/// control-layer#1115.
#[test]
fn tax_credited() {
    for (tax, total) in [(0, 1000), (190, 1190), (1_000_000, 1_001_000)] {
        let money = json!({
            "amount_subtotal": 1000, "amount_total": total, "total_details": {"amount_tax": tax}, "metadata": names(ADA),
        });
        let mut engine = Engine::with_users();
        engine.tell(&session(money.clone()));
        engine.tell(&invoice(with(
            json!({"id": "in_2", "tax": tax}),
            json!({"total": total, "amount_paid": total}),
        )));
        assert_eq!(engine.balance(ADA), 200, "{money}");
        // Nor does it make a refund worth more or less: half of the money is half of the credits.
        engine.tell(&charge(json!({"amount": total})));
        engine.tell(&refund("re_1", total / 2, 10, "succeeded"));
        assert_eq!(engine.balance(ADA), 150);
    }
}
