//! Every door that a purchase can come through: sessions that are paid later or never, payment links, what was only
//! authorised, connected accounts. Each by itself, and all of one purchase in all orders: once.

use ledger::decision::Reason::{self, Credited, Joined, Pending, UnsignedOnly};
use rules::policy::Policy;
use rules::world::Status;
use serde_json::{Value, json};

use super::bodies::{
    ADA, BOB, PRICE, SAID_AT, at, charge, charge_refunded, event, intent, names, of_account,
    priced, refund, registered_as, session, session_of, typed, with,
};
use super::books::orders;
use super::engine::Engine;
use super::fetched::{ITEMS, with_items};
use super::invoices::decided_invoice;

pub(crate) const COMPLETED: &str = "checkout.session.completed";
pub(crate) const SUCCEEDED: &str = "checkout.session.async_payment_succeeded";
const FAILED: &str = "checkout.session.async_payment_failed";
const EXPIRED: &str = "checkout.session.expired";

/// The session as this type of event tells of it.
pub(crate) fn session_event(event_type: &str) -> Value {
    let payment_status = if event_type == SUCCEEDED { "paid" } else { "unpaid" };
    typed(event_type, session(json!({"payment_status": payment_status, "metadata": names(ADA)})))
}

/// In every order, and with the first one doubled, these end at so many credits, with the payment standing so.
#[track_caller]
pub(crate) fn check(told: &[Value], status: Status, credits: i64) {
    for order in orders(told) {
        let mut engine = Engine::with_users();
        for body in order.iter().chain(order.first()) {
            engine.tell(body);
        }
        let stands = (engine.balance(ADA), engine.unclaimed(), engine.payment().status);
        assert_eq!(stands, (credits, 0, status), "{}", json!(order));
        assert_eq!(engine.open_cases(), [], "{}", json!(order));
    }
}

/// What these, told one by one, are decided as, and the credits at the end.
#[track_caller]
pub(crate) fn decided(told: &[Value], reasons: &[Reason], credits: i64) -> Engine {
    let mut engine = Engine::with_users();
    let positions: Vec<i64> = told.iter().map(|body| engine.tell(body)).collect();
    assert_eq!(engine.reasons(&positions), reasons);
    assert_eq!(engine.balance(ADA), credits);
    engine
}

#[test]
fn a_canceled_payment_intent_ends_what_was_pending() {
    let canceled = typed("payment_intent.canceled", intent(json!({"status": "canceled"})));
    check(&[session_event(COMPLETED), canceled], Status::Failed, 0);
}

#[test]
fn an_order_is_the_purchase_of_its_charge() {
    let order = json!({
        "id": "or_1", "object": "order", "charge": "ch_1", "amount": 1000, "currency": "usd", "metadata": names(ADA),
    });
    let told = [event("order.payment_succeeded", &order), charge(json!({}))];
    check(&told, Status::Paid, 100);
    // Both tell of the same money.
    let told = [told.as_slice(), &[refund("re_1", 595, 10, "succeeded")]].concat();
    check(&told, Status::Paid, 50);
}

#[test]
fn a_payment_that_takes_days_is_pending_and_then_paid_or_not() {
    decided(&[session_event(COMPLETED), session_event(SUCCEEDED)], &[Pending, Credited], 100);
    let engine = decided(&[session_event(COMPLETED), session_event(FAILED)], &[Pending, Joined], 0);
    let payment = engine.payment();
    assert_eq!((payment.status, payment.claimant.as_deref()), (Status::Failed, None));
    assert!(payment.legs.values().all(|leg| leg.expected == 0), "nothing is to come of it");
    check(&[session_event(COMPLETED), session_event(SUCCEEDED)], Status::Paid, 100);
    check(&[session_event(COMPLETED), session_event(FAILED)], Status::Failed, 0);
}

#[test]
fn a_session_that_expires_closes_what_was_pending() {
    let opened = session(
        json!({"payment_status": "unpaid", "payment_intent": null, "metadata": names(ADA)}),
    );
    let expired = typed(EXPIRED, opened.clone());
    decided(&[opened.clone(), expired.clone()], &[Pending, Joined], 0);
    check(&[opened, expired], Status::Failed, 0);
}

#[test]
fn what_is_paid_is_paid_whatever_else_was_said() {
    check(&[session_event(FAILED), session_event(SUCCEEDED)], Status::Paid, 100);
    check(&[session_event(EXPIRED), intent(json!({}))], Status::Paid, 100);
    check(&[session_event(COMPLETED), session_event(FAILED), charge(json!({}))], Status::Paid, 100);
}

#[test]
fn a_session_that_asks_for_no_payment_is_paid() {
    let free = json!({
        "payment_status": "no_payment_required", "payment_intent": null, "amount_total": 0, "metadata": names(ADA),
    });
    decided(&[session(free)], &[Credited], 100);
}

#[test]
fn setup_sells_nothing_and_an_unknown_mode_waits_for_rules_that_know_it() {
    decided(&[session(json!({"mode": "setup", "metadata": names(ADA)}))], &[Reason::SetupMode], 0);
    let unknown = session(json!({"mode": "barter", "metadata": names(ADA)}));
    decided(&[unknown], &[Reason::NotUnderstoodYet], 0);
}

#[test]
fn what_was_only_authorised_is_paid_when_it_is_captured_and_failed_when_it_expires() {
    let held = charge(json!({"captured": false, "metadata": names(ADA)}));
    let captured = typed("charge.captured", charge(json!({"metadata": names(ADA)})));
    let expired = typed("charge.expired", held.clone());
    decided(&[held.clone(), captured.clone()], &[Pending, Credited], 100);
    decided(&[held.clone(), expired.clone()], &[Pending, Joined], 0);
    check(&[held.clone(), captured], Status::Paid, 100);
    check(&[held, expired], Status::Failed, 0);
}

#[test]
fn a_transfer_that_paid_a_part_is_pending_until_it_is_whole() {
    let part = json!({"status": "requires_action", "amount_received": 0, "latest_charge": null, "metadata": names(ADA)});
    let part = typed("payment_intent.partially_funded", intent(part));
    let whole = intent(json!({"metadata": names(ADA)}));
    decided(&[part.clone(), whole.clone()], &[Pending, Credited], 100);
    check(&[part, whole], Status::Paid, 100);
}

#[test]
fn in_a_payment_links_address_anyone_can_write_whose_it_is() {
    let bought = json!({"payment_link": "plink_1", "client_reference_id": ADA, "metadata": {"price": PRICE}});
    let engine = decided(&[session(bought.clone())], &[UnsignedOnly], 0);
    assert_eq!((engine.unclaimed(), engine.payment().claimant.as_deref()), (100, Some(ADA)));
    let mut engine =
        Engine::with_policy(Policy { accept_unsigned_reference: true, ..Policy::default() });
    engine.tell_all(&[registered_as(ADA, "ada@example.com"), priced(PRICE, 100)]);
    engine.tell(&session(bought));
    assert_eq!(engine.balance(ADA), 100);
}

#[test]
fn no_money_and_no_currency_changes_what_was_bought() {
    for (amount, currency) in [
        (1190, "eur"), // with 19% tax
        (500, "usd"),  // with a discount
        (0, "usd"),    // with a discount of everything
        (189_000, "jpy"),
        (1_000, "kwd"),
        (4_321, "EUR"),
        (i64::MAX, "usd"),
    ] {
        let money = json!({
            "amount_total": amount, "amount_subtotal": 1000, "currency": currency, "metadata": names(ADA),
            "currency_conversion": {"amount_total": 999, "source_currency": "chf"},
            "total_details": {"amount_tax": 190, "amount_shipping": 500, "amount_discount": 100},
            "presentment_details": {"presentment_amount": 77, "presentment_currency": "aud"},
        });
        decided(&[session(money)], &[Credited], 100);
        let money =
            json!({"amount_paid": amount, "total": amount, "tax": 190, "currency": currency});
        assert_eq!(decided_invoice(money).balance(ADA), 100);
    }
}

#[test]
fn currencies_without_cents_and_with_mills_go_back_by_their_own_units() {
    for (currency, paid, refunded, credits) in [
        ("jpy", 800, 200, 75),
        ("jpy", 1, 1, 0),
        ("kwd", 10_000, 1, 100),
        ("kwd", 10_000, 9_999, 1),
    ] {
        let money = json!({"amount": paid, "currency": currency, "metadata": names(ADA)});
        let told = [charge(money.clone()), charge_refunded(refunded, money)];
        let mut engine = Engine::with_users();
        engine.tell_all(&told);
        assert_eq!(engine.balance(ADA), credits, "{refunded} of {paid} {currency}");
    }
}

#[test]
fn each_connected_account_is_a_world_of_its_own() {
    let mut engine = Engine::with_users();
    let buy = |account: &str, user: &str| {
        let metadata = with(names(user), json!({}));
        of_account(account, session(json!({"customer": "cus_1", "metadata": metadata})))
    };
    let mut own = session(json!({"customer": "cus_1", "metadata": names(ADA)}));
    own["id"] = "evt_own".into();
    for body in [buy("acct_1", ADA), buy("acct_2", BOB), own, buy("acct_1", ADA)] {
        engine.tell(&body);
    }
    assert_eq!((engine.balance(ADA), engine.balance(BOB)), (200, 100));
    let links: Vec<_> =
        engine.world.links.iter().map(|(of, user)| (of.as_str(), user.as_str())).collect();
    assert_eq!(links, [("acct_1/cus_1", ADA), ("acct_2/cus_1", BOB), ("cus_1", ADA)]);
    engine.tell_all(&[
        of_account("acct_2", charge(json!({}))),
        of_account("acct_2", refund("re_1", 1190, 10, "succeeded")),
    ]);
    assert_eq!((engine.balance(ADA), engine.balance(BOB)), (200, 0));
    // What has to be fetched, has to be fetched from there.
    engine.tell(&of_account("acct_3", session_of(json!({"user_id": ADA}))));
    let (_, case) = engine.open_case();
    let key = format!("pull:acct_3/v1{}", ITEMS.trim_start_matches("pull:/v1"));
    assert_eq!(case.waits_for.first(), Some(&key));
    engine.pulled(&key, &with_items(&[(PRICE, 1)], json!({})));
    assert_eq!((engine.balance(ADA), engine.open_cases().len()), (300, 0));
}

#[test]
fn metadata_of_a_connected_account_that_is_not_trusted_name_nobody_and_nothing() {
    for (trusted, reason, credits) in [
        (None, Credited, 100),
        (Some(&["acct_1"][..]), Credited, 100),
        (Some(&["acct_2"][..]), UnsignedOnly, 0),
        (Some(&[][..]), UnsignedOnly, 0),
    ] {
        let trusted = trusted.map(|accounts| accounts.iter().map(|&id| id.to_owned()).collect());
        let mut engine = Engine::with_users();
        engine.world.policy.trusted_accounts = trusted.clone();
        let metadata = json!({"user_id": ADA, "price": PRICE, "credits": "100"});
        let body = session(json!({"customer": "cus_1", "metadata": metadata}));
        let pos = engine.tell(&of_account("acct_1", body.clone()));
        let standing = (engine.latest(pos).reason, engine.balance(ADA), engine.unclaimed());
        assert_eq!(standing, (reason, credits, 0), "{trusted:?}");
        // One's own are one's own.
        engine.tell(&body);
        assert_eq!(engine.balance(ADA), credits + 100, "{trusted:?}");
    }
}

#[test]
fn news_that_are_told_late_are_as_good() {
    let mut engine = Engine::with_users();
    engine.tell(&at(86_400, intent(json!({}))));
    engine.tell(&at(-86_400, session_of(names(ADA))));
    assert_eq!(engine.balance(ADA), 100);
    assert_eq!(engine.payment().facts.paid_at, Some(SAID_AT - 86_400));
}
