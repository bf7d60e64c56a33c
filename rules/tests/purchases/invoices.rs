//! Invoices of every kind: each grants once, through whichever doors it is told; what was given up grants nothing, and
//! changes within a period count by their share of it.

use ledger::decision::Reason::{self, Credited, Joined, NoEvidence};
use rules::policy::Policy;
use rules::world::Status;
use serde_json::{Value, json};

use super::bodies::{
    ADA, PERIOD, PRICE, SAID_AT, charge, customer, event, intent, intent_of, invoice,
    invoice_payment, line, lines, names, priced, proration, refund, registered_as, session, typed,
    with,
};
use super::doors::{check, decided};
use super::engine::Engine;

/// The usual invoice, with these fields instead, told alone.
pub(crate) fn decided_invoice(fields: Value) -> Engine {
    let mut engine = Engine::with_users();
    engine.tell(&invoice(fields));
    engine
}

/// All that Stripe tells of one invoice that a card paid, before Basil or since.
fn paid_invoice(billing_reason: &str, is_basil: bool) -> Vec<Value> {
    let tied = if is_basil {
        json!({"billing_reason": billing_reason})
    } else {
        let bought = json!({
            "id": "il_0", "amount": 1000, "quantity": 1, "price": {"id": PRICE, "object": "price"}, "proration": false,
            "period": {"start": SAID_AT, "end": SAID_AT + PERIOD},
        });
        json!({
            "billing_reason": billing_reason, "parent": null, "subscription": "sub_1", "paid": true,
            "subscription_details": {"metadata": {"user_id": ADA}}, "payment_intent": "pi_1", "charge": "ch_1",
            "lines": {"has_more": false, "data": [bought]},
        })
    };
    let mut told = vec![
        invoice(tied.clone()),
        typed("invoice.payment_succeeded", invoice(tied)),
        intent(json!({"customer": "cus_1"})),
        charge(json!({"customer": "cus_1"})),
    ];
    if is_basil {
        told.push(invoice_payment());
    }
    told
}

#[test]
fn an_invoice_of_every_reason_grants_once_through_all_its_doors() {
    for billing_reason in [
        "subscription_create",
        "subscription_cycle",
        "subscription_update",
        "subscription_threshold",
        "subscription",
        "manual",
        "automatic_pending_invoice_item_invoice",
        "quote_accept",
        "upcoming",
    ] {
        for is_basil in [true, false] {
            let told = paid_invoice(billing_reason, is_basil);
            let mut engine = Engine::with_users();
            engine.tell_all(&told);
            assert_eq!(engine.balance(ADA), 100, "{billing_reason}");
        }
    }
    for is_basil in [true, false] {
        check(&paid_invoice("subscription_cycle", is_basil), Status::Paid, 100);
    }
}

#[test]
fn lines_that_go_by_one_id_are_still_lines_of_their_own() {
    // As in 2016: by the subscription that all of them bill.
    let plan =
        |plan: &str| json!({"id": "sub_1", "amount": 50, "plan": {"id": plan}, "quantity": 1});
    let list = json!({"total_count": 3, "data": [plan(PRICE), plan("price_7"), plan(PRICE)]});
    let old = json!({"status": null, "paid": true, "parent": null, "metadata": {"user_id": ADA}, "lines": list});
    let mut engine = Engine::with_users();
    engine.tell_all(&[priced("price_7", 7), invoice(old.clone()), invoice(old)]);
    assert_eq!((engine.balance(ADA), engine.open_cases().len()), (207, 0));
}

#[test]
fn each_cycle_is_a_purchase_of_its_own() {
    let mut engine = Engine::with_users();
    for cycle in 1..=3 {
        let of_cycle = |body: Value| -> Value {
            let text = body.to_string().replace("in_1", &format!("in_{cycle}"));
            text.replace("pi_1", &format!("pi_{cycle}"))
                .replace("ch_1", &format!("ch_{cycle}"))
                .parse()
                .unwrap()
        };
        for body in paid_invoice("subscription_cycle", true) {
            engine.tell(&of_cycle(body));
        }
        assert_eq!(engine.balance(ADA), 100 * cycle);
    }
    // A refund of one of them leaves the others.
    engine.tell(&refund("re_1", 1190, 10, "succeeded"));
    assert_eq!(engine.balance(ADA), 200);
}

#[test]
fn free_invoices_and_those_paid_outside_of_stripe_are_paid() {
    let free = json!({"amount_due": 0, "amount_paid": 0, "total": 0});
    assert_eq!(decided_invoice(free).balance(ADA), 100);
    let outside = json!({"paid_out_of_band": true, "amount_paid": 0});
    assert_eq!(decided_invoice(outside).balance(ADA), 100);
}

#[test]
fn a_subscriptions_session_says_whose_and_the_invoice_what() {
    let session = session(json!({
        "mode": "subscription", "payment_intent": null, "invoice": "in_1", "subscription": "sub_1", "customer": "cus_1",
        "metadata": {"user_id": ADA, "price": "price_that_nobody_knows"},
    }));
    let bare = json!({"customer": "cus_1", "parent": {"subscription_details": {"subscription": "sub_1", "metadata": {}}}});
    check(&[session.clone(), invoice(bare.clone())], Status::Paid, 100);
    // The next one names neither the session nor the user.
    let mut engine = Engine::with_users();
    engine.tell_all(&[session, invoice(bare.clone())]);
    engine.tell(&invoice(with(bare, json!({"id": "in_2"}))));
    assert_eq!(engine.balance(ADA), 200);
}

#[test]
fn a_subscription_or_customer_that_says_later_whose_it_is_heals() {
    let bare = json!({"customer": "cus_1", "parent": {"subscription_details": {"subscription": "sub_1", "metadata": {}}}});
    let subscription = event(
        "customer.subscription.updated",
        &json!({"id": "sub_1", "object": "subscription", "customer": "cus_1", "metadata": {"user_id": ADA}}),
    );
    for evidence in [subscription, customer(SAID_AT, json!({"metadata": {"user_id": ADA}}))] {
        let mut engine = Engine::with_users();
        let pos = engine.tell(&invoice(bare.clone()));
        assert_eq!((engine.reasons(&[pos]), engine.unclaimed()), (vec![NoEvidence], 100));
        engine.tell(&evidence);
        assert_eq!((engine.reasons(&[pos]), engine.balance(ADA)), (vec![Credited], 100));
    }
}

#[test]
fn an_invoice_that_was_given_up_grants_nothing_unless_it_is_paid_after_all() {
    for (event_type, status) in
        [("invoice.voided", "void"), ("invoice.marked_uncollectible", "uncollectible")]
    {
        let given_up = typed(event_type, invoice(json!({"status": status, "amount_paid": 0})));
        decided(std::slice::from_ref(&given_up), &[Joined], 0);
        check(std::slice::from_ref(&given_up), Status::Failed, 0);
        check(&[given_up, invoice(json!({}))], Status::Paid, 100);
    }
}

#[test]
fn a_part_that_was_paid_of_an_invoice_that_was_given_up_grants_nothing() {
    for event_type in ["invoice.voided", "invoice.marked_uncollectible"] {
        let status = if event_type == "invoice.voided" { "void" } else { "uncollectible" };
        let fields = json!({"status": status, "amount_paid": 400});
        let given_up = typed(event_type, invoice(fields));
        // By itself it looks like a purchase, for it names all that is needed.
        for metadata in [json!({}), names(ADA)] {
            let part = intent(json!({"amount": 400, "amount_received": 400, "metadata": metadata}));
            let told = [part, invoice_payment(), given_up.clone()];
            check(&told, Status::Failed, 0);
            let told = [told.as_slice(), &[invoice(json!({}))]].concat();
            check(&told, Status::Paid, 100);
        }
    }
}

#[test]
fn what_pays_an_invoice_that_is_open_is_pending_until_it_is_paid_whole() {
    let mut engine = Engine::with_users();
    engine.tell_all(&[intent_of(names(ADA)), invoice_payment()]);
    assert_eq!(engine.balance(ADA), 100);
    engine.tell(&invoice(json!({"status": "open", "amount_paid": 0})));
    assert_eq!((engine.balance(ADA), engine.payment().status), (0, Status::Pending));
    engine.tell(&invoice(json!({})));
    assert_eq!((engine.balance(ADA), engine.open_cases().len()), (100, 0));
}

#[test]
fn a_credit_note_moves_nothing_and_the_refund_that_it_makes_does() {
    let note = json!({
        "id": "cn_1", "object": "credit_note", "status": "issued", "invoice": "in_1", "amount": 595, "total": 595,
        "type": "post_payment", "refunds": [{"refund": "re_1", "amount_refunded": 595}],
    });
    let note = event("credit_note.created", &note);
    let paid = charge(json!({"invoice": "in_1"}));
    let told = [invoice(json!({})), note, paid];
    check(&told, Status::Paid, 100);
    let told = [told.as_slice(), &[refund("re_1", 595, 10, "succeeded")]].concat();
    check(&told, Status::Paid, 50);
}

/// After 10 of 30 days, from 1 to 3 of the usual price: the rest of the one is given back, the rest of the three billed.
fn plan_change() -> Value {
    let rest = PERIOD / 3 * 2;
    json!({"billing_reason": "subscription_update", "lines": lines(&[
        proration(PRICE, 1, -667, rest),
        proration(PRICE, 3, 2000, rest),
        line("price_cycle", 1, json!({})),
    ])})
}

#[test]
fn changes_within_a_period_count_by_their_share_of_it_or_not_at_all() {
    for (prorates, credits) in [(true, 5 + 200 - 66), (false, 5)] {
        let mut engine = Engine::with_policy(Policy { prorates, ..Policy::default() });
        engine.tell_all(&[
            registered_as(ADA, "ada@example.com"),
            priced(PRICE, 100),
            priced("price_cycle", 5),
        ]);
        engine.tell(&invoice(plan_change()));
        assert_eq!((engine.balance(ADA), engine.open_cases().len()), (credits, 0), "{prorates}");
    }
}

#[test]
fn a_change_to_less_gives_back_no_more_than_its_invoice_brings() {
    let less = json!({"lines": lines(&[proration(PRICE, 3, -2000, PERIOD / 2), line("price_7", 1, json!({}))])});
    let mut engine = Engine::with_users();
    engine.tell_all(&[
        priced("price_7", 7),
        invoice(with(less, json!({"amount_paid": 0, "total": 0}))),
    ]);
    assert_eq!((engine.balance(ADA), engine.open_cases().len()), (0, 0));
    assert_eq!(engine.payment().legs.len(), 0, "a line of no credits is none");
}

#[test]
fn of_a_change_alone_nobody_says_how_long_the_whole_is() {
    let change = json!({"lines": lines(&[proration(PRICE, 3, 2000, PERIOD / 2)])});
    let engine = decided_invoice(change.clone());
    assert_eq!((engine.open_reasons(), engine.balance(ADA)), (vec![Reason::CreditsMismatch], 0));
    let mut engine = Engine::with_policy(Policy { prorates: false, ..Policy::default() });
    engine.tell_all(&[registered_as(ADA, "ada@example.com"), priced(PRICE, 100), invoice(change)]);
    assert_eq!((engine.open_cases().len(), engine.balance(ADA)), (0, 0));
}

/// A line of the usual price for the time between these days.
fn between(days: [i64; 2], line: Value) -> Value {
    let [start, end] = days.map(|day| SAID_AT + day * 86_400);
    with(line, json!({"period": {"start": start, "end": end}}))
}

#[test]
fn a_part_of_a_period_is_measured_by_a_period_of_its_own_interval() {
    let (back, next) = (|days| between(days, proration(PRICE, 1, -667, 1)), [30, 60]);
    let whole = |days| between(days, line("price_next", 1, json!({})));
    let told = |back: Value, whole: &[Value]| {
        let mut engine = Engine::with_users();
        engine.tell(&priced("price_next", 12_000));
        engine.tell(&invoice(json!({"lines": lines(&[&[back], whole].concat())})));
        (engine.open_reasons(), engine.balance(ADA))
    };
    let unknown = (vec![Reason::CreditsMismatch], 0);
    // From monthly to yearly after 10 of 30 days: the year is not what the rest of the month is a part of.
    assert_eq!(told(back([10, 30]), &[whole([10, 375])]), unknown);
    assert_eq!(told(back([10, 365]), &[whole([10, 40])]), unknown);
    assert_eq!(told(back([100, 365]), &[whole([365, 395])]), unknown);
    assert_eq!(told(back([10, 30]), &[whole(next), whole([30, 395])]), unknown);
    // The period that it is the rest of, or the next one, may it be shorter.
    assert_eq!(told(back([10, 30]), &[whole([0, 30])]), (vec![], 12_000 - 66));
    assert_eq!(told(back([10, 30]), &[whole(next)]), (vec![], 12_000 - 66));
    assert_eq!(told(back([0, 30]), &[whole([30, 58])]), (vec![], 12_000 - 100));
}

#[test]
fn a_credit_note_of_no_invoice_is_about_nothing() {
    let mut engine = Engine::with_users();
    let pos =
        engine.tell(&event("credit_note.created", &json!({"id": "cn_1", "object": "credit_note"})));
    assert_eq!(engine.reasons(&[pos]), [Reason::UnhandledType]);
}
