//! Importing a payment: what is refused before anything is stored.

use http::Method;
use serde_json::{Value, json};
use store::keys::KeyRole;

use crate::support::World;

async fn import(world: &World, id: &str, body: Value) -> crate::support::Answer {
    let path = format!("/v1/payments/{id}/import");
    world.ask(KeyRole::Admin, Method::POST, &path, Some(body)).await
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_its_name() {
    let world = World::new().await;
    world.register("u_1").await;
    for (id, fields, param) in [
        ("sub_1", json!({}), "id"),
        ("pi_", json!({}), "id"),
        ("x%2Fpi_1", json!({}), "id"),
        ("pi_1", json!({"credits": 0}), "credits"),
        ("pi_1", json!({"credits": 1_000_000_000_000_001_i64}), "credits"),
        ("pi_1", json!({"unit": "a b"}), "unit"),
        ("pi_1", json!({"reversed": -1}), "reversed"),
        ("pi_1", json!({"reversed": 101}), "reversed"),
        ("pi_1", json!({"paid": -1}), "paid"),
        ("pi_1", json!({"currency": "EUR"}), "currency"),
    ] {
        let mut body = json!({"user": "u_1", "credits": 100});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        import(&world, id, body).await.refused(400, "parameter_invalid", Some(param));
    }
    let stranger = json!({"user": "u_9", "credits": 100});
    import(&world, "pi_1", stranger).await.refused(404, "user_not_found", Some("user"));
    let sql = "SELECT count(*) FROM event WHERE origin = 2";
    assert_eq!(world.sql.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 0);
}
