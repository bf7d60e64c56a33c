//! What a price is worth.

use ledger::decision::Reason;
use serde_json::json;
use testkit::wait_for;

use crate::support::{NOW, World};

#[tokio::test]
async fn an_entry_is_a_fact_that_is_decided() {
    let world = World::new().await;
    world.get("/v1/catalogue/price_1").await.refused(404, "price_not_found", Some("price"));
    let deciding = async {
        let pos = wait_for("the entry", async || {
            let row =
                world.sql.query_opt("SELECT pos FROM event WHERE origin = 4", &[]).await.unwrap();
            row.map(|row| row.get::<_, i64>(0))
        })
        .await;
        world
            .run(&format!(
                "INSERT INTO catalogue_entry VALUES ($1, 'price_1', {pos}, false, 500, 'credits')"
            ))
            .await;
        world.decide(pos, Reason::Catalogued, None).await;
    };
    let (answer, ()) =
        tokio::join!(world.put("/v1/catalogue/price_1", json!({"credits": 500})), deciding);
    let expected = json!({
        "object": "catalogue_entry", "price": "price_1", "not_ours": false, "credits": 500, "unit": "credits",
        "created": NOW, "position": 1,
    });
    assert_eq!(answer.ok(), expected);
    assert_eq!(world.get("/v1/catalogue/price_1").await.ok(), expected);
    let row =
        world.sql.query_one("SELECT convert_from(body, 'UTF8') FROM event", &[]).await.unwrap();
    let said: serde_json::Value = serde_json::from_str(row.get(0)).unwrap();
    assert_eq!((&said["type"], &said["credits"]), (&json!("tally.catalogue.set"), &json!(500)));
    assert!(said["actor"].as_str().unwrap().starts_with("key_"));
    // The projector does not come again: it is stored, and told back.
    let answer = world.put("/v1/catalogue/price_2", json!({"not_ours": true})).await.ok();
    assert_eq!((&answer["not_ours"], &answer["position"]), (&json!(true), &json!(2)));
}

#[tokio::test]
async fn an_entry_that_cannot_be_is_refused_by_name() {
    let world = World::new().await;
    for (body, code, param) in [
        (json!({}), "parameter_missing", "credits"),
        (json!({"credits": 0}), "parameter_invalid", "credits"),
        (json!({"credits": -1}), "parameter_invalid", "credits"),
        (json!({"credits": 1_000_000_000_000_001_i64}), "parameter_invalid", "credits"),
        (json!({"credits": 1, "unit": "a b"}), "parameter_invalid", "unit"),
        (json!({"credits": 1, "not_ours": true}), "parameter_invalid", "not_ours"),
        (json!({"credits": 1, "expires": 1}), "parameter_unknown", "expires"),
    ] {
        world.put("/v1/catalogue/price_1", body).await.refused(400, code, Some(param));
    }
    world.put("/v1/catalogue/a%20b", json!({"credits": 1})).await.refused(
        400,
        "parameter_invalid",
        Some("price"),
    );
}
