//! What the catalogue says: for prices, lookup keys and products, since when, and until when the credits last.

use jiff::Timestamp;
use ledger::account::Terms;
use ledger::decision::Reason::{
    self, Credited, CreditsMismatch, Joined, NotOurs, UnknownPrice, UnknownUser,
};
use ledger::ids::Owner;
use serde_json::{Value, json};

use super::bodies::{
    ADA, PERIOD, SAID_AT, at, charge, intent, invoice, invoice_payment, line, lines, names,
    not_ours, priced, proration, registered, session_of, since, with,
};
use super::books::orders;
use super::engine::Engine;

/// The moment at which this many seconds had passed since [`SAID_AT`], which is 2023-11-14T22:13:20Z.
fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_second(SAID_AT + seconds).unwrap()
}

/// Terms of the open grants of a user.
fn terms(engine: &Engine, user: &str) -> Vec<(i64, Terms)> {
    let account = &engine.accounts[&(Owner::User(user.into()), "credits".into())];
    let open = account.grants.iter().filter(|grant| grant.is_open());
    open.map(|grant| (grant.remaining, grant.terms)).collect()
}

/// Credits that end then.
fn until(expires_at: Timestamp) -> Terms {
    Terms { expires_at: Some(expires_at), priority: 0 }
}

fn expiring(price: &str, credits: i64, expires: &str) -> Value {
    with(priced(price, credits), json!({"expires": expires}))
}

/// An invoice with this line of `price_1`, which is the product `prod_1`'s.
fn bought(quantity: i64, fields: Value) -> Value {
    invoice(json!({"lines": lines(&[line("price_1", quantity, fields)])}))
}

/// A line as it was before Basil, with a price that is told in full.
fn expanded(lookup_key: &str) -> Value {
    let price =
        json!({"id": "price_1", "object": "price", "product": "prod_1", "lookup_key": lookup_key});
    json!({"pricing": null, "price": price})
}

/// After these entries an invoice is paid: then this, and so many credits.
#[track_caller]
fn check(entries: &[Value], purchase: &Value, (reason, credits): (Reason, i64)) -> Engine {
    let mut engine = Engine::with_users();
    for entry in entries {
        engine.tell(entry);
    }
    let pos = engine.tell(purchase);
    assert_eq!((engine.latest(pos).reason, engine.balance(ADA)), (reason, credits), "{entries:?}");
    engine
}

#[test]
fn an_entry_for_the_price_before_the_lookup_key_before_the_product() {
    let (price, product) = (priced("price_1", 1), priced("prod_1", 2));
    let (gold, silver) = (priced("lookup_key:gold", 3), priced("lookup_key:silver", 4));
    let plain = bought(10, json!({}));
    let purchase = bought(10, expanded("gold"));
    check(std::slice::from_ref(&product), &plain, (Credited, 20));
    check(&[product.clone(), gold.clone()], &plain, (Credited, 20));
    check(&[product.clone(), gold.clone(), silver.clone()], &purchase, (Credited, 30));
    check(&[price.clone(), product.clone(), gold.clone()], &purchase, (Credited, 10));
    check(&[product.clone(), gold, price], &purchase, (Credited, 10));
    check(&[not_ours("prod_1")], &purchase, (NotOurs, 0));
    check(&[not_ours("prod_1"), priced("lookup_key:gold", 5)], &purchase, (Credited, 50));
    check(&[product, not_ours("price_1")], &purchase, (NotOurs, 0));
    check(&[silver], &purchase, (UnknownPrice, 0));
}

#[test]
fn an_unknown_price_waits_for_whatever_would_name_it() {
    let waiting = || check(&[], &bought(2, expanded("gold")), (UnknownPrice, 0));
    let (_, case) = waiting().open_case();
    let keys = ["price:lookup_key:gold", "price:price_1", "price:prod_1"];
    assert_eq!(Vec::from_iter(case.waits_for), keys);
    for key in ["price_1", "lookup_key:gold", "prod_1"] {
        let mut engine = waiting();
        let entry = engine.tell(&priced(key, 7));
        assert_eq!((engine.balance(ADA), engine.open_cases().len()), (14, 0), "{key}");
        assert_eq!(engine.latest(entry - 1).catalogue_pos, Some(entry));
    }
    let mut engine = check(&[], &bought(2, json!({})), (UnknownPrice, 0));
    engine.tell(&priced("lookup_key:gold", 7));
    assert_eq!(engine.open_reasons(), [UnknownPrice], "nobody said that it has this lookup key");
    engine.tell(&priced("prod_1", 7));
    assert_eq!((engine.balance(ADA), engine.open_cases().len()), (14, 0));
}

#[test]
fn a_name_that_is_told_later_counts_as_if_it_was_told_first() {
    let plain = bought(1, json!({}));
    let named = bought(1, expanded("gold"));
    for order in orders(&[plain, named, invoice_payment()]) {
        let entries = [priced("prod_1", 2), priced("lookup_key:gold", 3)];
        let mut engine =
            check(&entries, &order[0], (engine_reason(&order[0]), engine_credits(&order[0])));
        engine.tell(&order[1]);
        engine.tell(&order[2]);
        assert_eq!((engine.balance(ADA), engine.open_cases().len()), (3, 0), "{order:?}");
    }
}

/// What comes of the first event alone.
fn engine_reason(body: &Value) -> Reason {
    if body["type"] == "invoice.paid" { Credited } else { Reason::Pending }
}

fn engine_credits(body: &Value) -> i64 {
    match (body["type"].as_str(), body.to_string().contains("gold")) {
        (Some("invoice.paid"), true) => 3,
        (Some("invoice.paid"), false) => 2,
        _ => 0,
    }
}

#[test]
fn credits_last_as_the_entry_says() {
    let engine = check(&[expiring("price_1", 50, "P1M")], &bought(2, json!({})), (Credited, 100));
    let month: Timestamp = "2023-12-14T22:13:20Z".parse().unwrap();
    assert_eq!(terms(&engine, ADA), [(100, until(month))]);
    let engine = check(&[expiring("price_1", 50, "P1Y")], &bought(1, json!({})), (Credited, 50));
    assert_eq!(terms(&engine, ADA), [(50, until("2024-11-14T22:13:20Z".parse().unwrap()))]);
    // The last of a month, before a leap day.
    let (paid, end) = (1_706_701_500 - SAID_AT, "2024-02-29T11:45:00Z".parse().unwrap());
    let purchase = at(paid, bought(1, json!({})));
    let engine = check(&[expiring("price_1", 50, "P1M")], &purchase, (Credited, 50));
    assert_eq!(terms(&engine, ADA), [(50, until(end))]);
    let first = with(priced("price_1", 50), json!({"priority": -3}));
    let engine = check(&[first], &bought(1, json!({})), (Credited, 50));
    assert_eq!(terms(&engine, ADA), [(50, Terms { expires_at: None, priority: -3 })]);
}

#[test]
fn credits_last_until_the_period_ends() {
    let monthly = || [expiring("price_1", 50, "period_end")];
    let engine = check(&monthly(), &bought(1, json!({})), (Credited, 50));
    assert_eq!(terms(&engine, ADA), [(50, until(moment(PERIOD)))]);
    // Of several lines the period that ends last; what is given back bills none.
    let longer = json!({"period": {"start": SAID_AT, "end": SAID_AT + 3 * PERIOD}});
    let given_back = proration("price_1", 1, -500, PERIOD / 2);
    let list = lines(&[line("price_1", 1, json!({})), line("price_1", 1, longer), given_back]);
    let engine = check(&monthly(), &invoice(json!({"lines": list})), (Credited, 75));
    assert_eq!(terms(&engine, ADA), [(75, until(moment(3 * PERIOD)))]);
}

#[test]
fn what_has_no_period_does_not_end_with_it() {
    let entry = expiring("price_1", 50, "period_end");
    let at_once = json!({"period": {"start": SAID_AT, "end": SAID_AT}});
    for purchase in [
        session_of(json!({"user_id": ADA, "price": "price_1"})),
        bought(1, at_once),
        bought(1, json!({"period": null})),
    ] {
        let mut engine = check(std::slice::from_ref(&entry), &purchase, (CreditsMismatch, 0));
        let (_, case) = engine.open_case();
        let error = "the catalogue says of price_1 that its credits end with the billing period, but what was bought has \
                     none";
        assert_eq!(case.detail.error.as_deref(), Some(error));
        assert!(case.waits_for.contains("price:price_1"), "{case:?}");
        engine.tell(&since(0, expiring("price_1", 50, "P30D")));
        assert_eq!(terms(&engine, ADA), [(50, until(moment(30 * 86_400)))]);
    }
}

#[test]
fn a_later_version_counts_from_when_it_was_told() {
    // The engine's clock stands 100 seconds after what Stripe says.
    let versions = [priced("price_1", 10), priced("price_1", 20)];
    for (seconds, credits) in [(0, 10), (99, 10), (100, 20), (5_000, 20)] {
        check(&versions, &at(seconds, bought(1, json!({}))), (Credited, credits));
    }
}

#[test]
fn a_version_counts_from_the_moment_that_it_names() {
    let versions = [
        priced("price_1", 10),
        since(500, priced("price_1", 30)),
        since(200, priced("price_1", 20)),
        since(500, priced("price_1", 40)),
    ];
    for (seconds, credits) in [(199, 10), (200, 20), (499, 20), (500, 40)] {
        check(&versions, &at(seconds, bought(1, json!({}))), (Credited, credits));
    }
    let mut engine =
        check(&[since(500, priced("price_1", 30))], &bought(1, json!({})), (UnknownPrice, 0));
    engine.tell(&priced("price_1", 20));
    assert_eq!(engine.open_reasons(), [UnknownPrice], "it counts from when it was told");
    engine.tell(&since(-1, priced("price_1", 10)));
    assert_eq!((engine.balance(ADA), engine.open_cases().len()), (10, 0));
}

#[test]
fn what_was_credited_keeps_to_what_the_catalogue_said_then() {
    let purchase = at(5, session_of(json!({"user_id": ADA, "price": "price_1"})));
    let mut engine = check(&[expiring("price_1", 10, "P1M")], &purchase, (Credited, 10));
    engine.tell(&since(-1_000, expiring("price_1", 20, "P1Y")));
    assert_eq!(engine.balance(ADA), 10);
    // An older moment, more of it, and a refund: all by the entry of then.
    engine.tell(&at(2, charge(json!({}))));
    assert_eq!(terms(&engine, ADA), [(10, until("2023-12-14T22:13:22Z".parse().unwrap()))]);
    engine.tell(&at(2, intent(json!({"metadata": {"quantity": "3"}}))));
    assert_eq!(engine.balance(ADA), 30);
    engine.tell(&charge(json!({"amount_refunded": 595})));
    assert_eq!(engine.balance(ADA), 15);

    let by_metadata =
        at(5, session_of(json!({"user_id": ADA, "price": "price_1", "credits": "7"})));
    let mut engine = check(&[], &by_metadata, (Credited, 7));
    engine.tell(&priced("price_1", 20));
    engine.tell(&charge(json!({})));
    assert_eq!((engine.balance(ADA), engine.open_cases().len()), (7, 0));
}

#[test]
fn the_earliest_word_that_it_is_paid_counts_in_whatever_order() {
    let metadata = json!({"user_id": ADA, "price": "price_1"});
    let doors = [at(60, session_of(metadata)), at(-2, intent(json!({}))), at(3, charge(json!({})))];
    for order in orders(&doors) {
        let entries = [expiring("price_1", 10, "P1M"), since(0, expiring("price_1", 20, "P1M"))];
        let mut engine = Engine::with_users();
        engine.tell_all(&entries);
        engine.tell_all(&order);
        assert_eq!(
            terms(&engine, ADA),
            [(10, until("2023-12-14T22:13:18Z".parse().unwrap()))],
            "{order:?}"
        );
        let mut engine = Engine::with_users();
        for body in entries.iter().chain(&order) {
            engine.tell(body);
        }
        assert_eq!(
            terms(&engine, ADA),
            [(10, until("2023-12-14T22:13:18Z".parse().unwrap()))],
            "{order:?}"
        );
    }
}

#[test]
fn terms_go_along_when_credits_are_claimed() {
    let purchase = session_of(json!({"user_id": "u_new", "price": "price_1"}));
    let mut engine = Engine::with_users();
    engine.tell(&with(expiring("price_1", 10, "P1M"), json!({"priority": 4})));
    let pos = engine.tell(&purchase);
    assert_eq!((engine.latest(pos).reason, engine.unclaimed()), (UnknownUser, 10));
    engine.tell(&registered("u_new", json!({})));
    let expires_at = Some("2023-12-14T22:13:20Z".parse().unwrap());
    assert_eq!(terms(&engine, "u_new"), [(10, Terms { expires_at, priority: 4 })]);
}

#[test]
fn more_than_can_be_is_a_case() {
    let most = || [priced("price_1", rules::worth::MAX_CREDITS)];
    for quantity in [2, 1_000_000, i64::MAX] {
        check(&most(), &bought(quantity, json!({})), (CreditsMismatch, 0));
    }
    let whole = line("price_1", i64::MAX, json!({}));
    let part = proration("price_1", i64::MAX, 500, PERIOD);
    let list = lines(&[whole.clone(), whole, part]);
    check(&most(), &invoice(json!({"lines": list})), (CreditsMismatch, 0));
    let metadata = json!({"user_id": ADA, "price": "price_1", "quantity": "1000000"});
    check(&most(), &session_of(metadata), (CreditsMismatch, 0));
}

#[test]
fn an_entry_that_cannot_be_is_kept_for_a_person() {
    let mut engine = Engine::with_users();
    let pos = engine.tell(&expiring("price_1", 10, "1 month"));
    assert_eq!(engine.reasons(&[pos]), [Reason::Malformed]);
    let error = "a fact of our own: expires cannot be read: it is neither an ISO 8601 duration of whole units up to 100 \
                 years, such as P1M, P30D or P1Y, nor period_end";
    assert_eq!(engine.open_case().1.detail.error.as_deref(), Some(error));
    let again = engine.tell(&session_of(names(ADA)));
    assert_eq!((engine.reasons(&[again]), engine.balance(ADA)), (vec![Credited], 100));
    let joined = engine.tell(&charge(json!({})));
    assert_eq!(engine.reasons(&[joined]), [Joined]);
}
