//! The catalogue on Postgres: entries for products and lookup keys heal, versions count from their moment, and credits end
//! when their entry says.

use jiff::Timestamp;
use serde_json::{Value, json};
use store::log::Origin;

use crate::harness::{Harness, charge, event, payment_intent, session, unique};

/// When invoices are paid, in seconds since 1970: 2026-01-31T12:00:00Z.
const PAID_AT: i64 = 1_769_860_800;

/// End of the period that they bill.
const PERIOD_END: i64 = PAID_AT + 86_400 * 28;

/// A paid invoice of a price that is `prod_1`'s, as it was before Basil: with the price in full.
fn invoice(n: &str, price: &str, lookup_key: Option<&str>) -> Value {
    let price =
        json!({"id": price, "object": "price", "product": "prod_1", "lookup_key": lookup_key});
    let line = json!({"id": "il_1", "object": "line_item", "price": price, "quantity": 2, "amount": 500,
                      "period": {"start": PAID_AT, "end": PERIOD_END}});
    let mut told = event(
        "invoice.paid",
        &json!({"id": format!("in_{n}"), "object": "invoice", "status": "paid", "amount_paid": 500, "currency": "eur",
                "metadata": {"user_id": "u_1"}, "lines": {"object": "list", "has_more": false, "data": [line]}}),
    );
    told["id"] = unique("evt").into();
    told["created"] = PAID_AT.into();
    told
}

async fn set(world: &Harness, key: &str, more: &Value) -> i64 {
    let mut body = json!({"object": "tally.event", "type": "tally.catalogue.set", "price": key, "actor": "test"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.fact(Origin::Catalogue, &unique(&format!("price:{key}")), &body).await
}

/// Credits, end and priority of each open grant.
async fn grants(world: &Harness) -> Vec<(i64, Option<Timestamp>, i16)> {
    let sql = "SELECT remaining, nullif(expires_at, 'infinity'), priority FROM credit_grant WHERE is_open ORDER BY 1";
    let rows = world.sql.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn an_unknown_price_is_healed_by_an_entry_for_its_product_or_lookup_key() {
    let world = Harness::new().await;
    world.register("u_1").await;
    let by_key = world.stripe(&invoice("1", "price_1", Some("gold"))).await;
    let by_product = world.stripe(&invoice("2", "price_2", None)).await;
    world.drain().await;
    let waits = "SELECT count(*) FROM case_wait WHERE key IN ('price:price_1', 'price:lookup_key:gold', 'price:prod_1',
                 'price:price_2')";
    assert_eq!(world.count(waits).await, 5);
    set(&world, "lookup_key:gold", &json!({"credits": 30, "expires": "P1M", "priority": 2})).await;
    world.drain().await;
    assert_eq!(world.reason_of(by_key).await, "credited");
    assert_eq!(world.reason_of(by_product).await, "unknown_price");
    set(&world, "prod_1", &json!({"credits": 40, "expires": "period_end"})).await;
    world.drain().await;
    assert_eq!(world.reason_of(by_product).await, "credited");
    let period_end = Some(Timestamp::from_second(PERIOD_END).unwrap());
    let expected = [(60, Some(moment("2026-02-28T12:00:00Z")), 2), (80, period_end, 0)];
    assert_eq!(grants(&world).await, expected);
    world.check_invariants().await;
}

#[tokio::test]
async fn versions_are_kept_with_the_moments_that_they_count_from() {
    let world = Harness::new().await;
    world.register("u_1").await;
    set(&world, "price_1", &json!({"credits": 10})).await;
    set(&world, "price_1", &json!({"credits": 20})).await;
    let from = "2026-01-31T11:00:00Z";
    set(&world, "price_2", &json!({"credits": 30, "valid_from": from})).await;
    set(&world, "price_2", &json!({"not_ours": true, "valid_from": "2026-01-31T13:00:00Z"})).await;
    let bought = [
        world.stripe(&invoice("1", "price_1", None)).await,
        world.stripe(&invoice("2", "price_2", None)).await,
    ];
    world.drain().await;
    for pos in bought {
        assert_eq!(world.reason_of(pos).await, "credited");
    }
    assert_eq!(world.balance("u_1").await, 20 + 60);
    let sql = "SELECT price || ' ' || coalesce(credits::text, '-') || ' ' || (valid_from AT TIME ZONE 'UTC')::text
               FROM catalogue_entry ORDER BY from_pos";
    let rows = world.sql.query(sql, &[]).await.unwrap();
    let versions: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let expected = [
        "price_1 10 -infinity",
        "price_1 20 2026-11-21 10:00:00",
        "price_2 30 2026-01-31 11:00:00",
        "price_2 - 2026-01-31 13:00:00",
    ];
    assert_eq!(versions, expected);
}

#[tokio::test]
async fn an_earlier_word_that_it_is_paid_moves_the_end_and_no_credits() {
    let world = Harness::new().await;
    world.register("u_1").await;
    set(&world, "price_1", &json!({"credits": 10, "expires": "P1M"})).await;
    let doors = [
        session("1", &json!({"user_id": "u_1", "price": "price_1"})),
        payment_intent("1", &json!({})),
        charge("1", &json!({})),
    ];
    for (seconds, mut door) in [5, -60, 0].into_iter().zip(doors) {
        door["created"] = (PAID_AT + seconds).into();
        world.stripe(&door).await;
        world.drain().await;
    }
    assert_eq!(grants(&world).await, [(10, Some(moment("2026-02-28T11:59:00Z")), 0)]);
    assert_eq!(world.count("SELECT count(*) FROM posting").await, 1);
    world.check_invariants().await;
}

#[tokio::test]
async fn an_entry_for_a_product_and_purchases_of_it_at_once() {
    let world = Harness::new().await;
    world.register("u_1").await;
    world.drain().await;
    let races = 64_i64;
    for n in 0..races {
        let mut purchase = invoice(&format!("{n}"), &format!("price_{n}"), None);
        let product = format!("prod_{n}");
        purchase["data"]["object"]["lines"]["data"][0]["price"]["product"] = json!(product);
        world.stripe(&purchase).await;
        set(&world, &product, &json!({"credits": 1})).await;
    }
    let (second, third) = (world.another_projector(), world.another_projector());
    let (first, second, third) = tokio::join!(
        projector::drain(&world.projector, &world.tenant),
        projector::drain(&second, &world.tenant),
        projector::drain(&third, &world.tenant),
    );
    first.and(second).and(third).unwrap();
    world.drain().await;
    assert_eq!(world.count("SELECT count(*) FROM review_case WHERE state = 1").await, 0);
    assert_eq!(world.balance("u_1").await, 2 * races);
    world.check_invariants().await;
}
