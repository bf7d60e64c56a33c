//! Kinds of credits.

use serde_json::{Value, json};
use store::units::{Unit, unit_sync};
use store::{Role, Store};

use crate::support::{World, new_key};

fn unit(name: &str, scale: u8, is_default: bool) -> Unit {
    Unit { name: name.to_owned(), scale, is_default }
}

fn keeper(world: &World) -> Store {
    Store::connect(&world.url(), Role::Keeper, 1).unwrap()
}

async fn listed(world: &World, units: &[Unit]) {
    let keeper = keeper(world);
    assert!(unit_sync(&keeper, world.tenant.tenant_id, units).await.unwrap(), "it is news");
    assert!(!unit_sync(&keeper, world.tenant.tenant_id, units).await.unwrap(), "it is none");
}

fn shown(name: &str, scale: u8, default: bool) -> Value {
    json!({"object": "unit", "name": name, "scale": scale, "default": default})
}

#[tokio::test]
async fn where_none_is_listed_any_name_is_a_unit() {
    let world = World::new().await;
    let list = world.get("/v1/units").await.ok();
    assert_eq!(list["data"], json!([shown("credits", 0, true)]));
    world.register("u_1").await;
    let balance = world.get("/v1/users/u_1/balance?unit=anything").await.ok();
    assert_eq!((&balance["unit"], &balance["scale"]), (&json!("anything"), &json!(0)));
}

#[tokio::test]
async fn where_some_are_listed_no_other_is_one() {
    let world = World::new().await;
    listed(&world, &[unit("gpu_seconds", 3, false), unit("eur", 2, true)]).await;
    world.register("u_1").await;
    let list = world.get("/v1/units").await.ok();
    assert_eq!(list["data"], json!([shown("eur", 2, true), shown("gpu_seconds", 3, false)]));
    let balance = world.get("/v1/users/u_1/balance").await.ok();
    assert_eq!((&balance["unit"], &balance["scale"]), (&json!("eur"), &json!(2)));
    for path in [
        "/v1/users/u_1/balance?unit=credits",
        "/v1/users/u_1/balance/stream?unit=credits",
        "/v1/users/u_1/postings?unit=credits",
        "/v1/users/u_1/grants?unit=credits",
    ] {
        world.get(path).await.refused(400, "parameter_invalid", Some("unit"));
    }
    let refused = async |path: &str, body: Value| {
        let answer = world.command(&new_key(), path, body).await;
        answer.refused(400, "parameter_invalid", Some("unit"));
    };
    refused("/v1/users/u_1/grants", json!({"amount": 1, "unit": "credits", "reason": "asked"}))
        .await;
    refused("/v1/users/u_1/spends", json!({"amount": 1, "unit": "credits"})).await;
    let entry = world.put("/v1/catalogue/price_1", json!({"credits": 5, "unit": "credits"})).await;
    entry.refused(400, "parameter_invalid", Some("unit"));
    let entry = world.put("/v1/catalogue/price_1", json!({"credits": 5})).await.ok();
    assert_eq!(entry["unit"], "eur");
}

/// One kind of credits is never taken for another.
#[tokio::test]
async fn units_do_not_mix() {
    let world = World::new().await;
    listed(&world, &[unit("eur", 2, true), unit("gpu_seconds", 3, false)]).await;
    world.register("u_1").await;
    world.give("u_1", 500).await;
    let spend = json!({"amount": 1, "unit": "gpu_seconds"});
    let answer = world.command(&new_key(), "/v1/users/u_1/spends", spend).await;
    answer.refused(402, "insufficient_credits", Some("amount"));
    let balances = world.get("/v1/users/u_1/balances").await.ok();
    let has: Vec<_> = balances["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["unit"], &one["available"]))
        .collect();
    assert_eq!(has, [(&json!("eur"), &json!(500)), (&json!("gpu_seconds"), &json!(0))]);
}

#[tokio::test]
async fn what_people_own_is_not_counted_otherwise() {
    let world = World::new().await;
    world.register("u_1").await;
    world.give("u_1", 500).await;
    let keeper = keeper(&world);
    let refused = async |units: &[Unit], told: &str| {
        let refused = unit_sync(&keeper, world.tenant.tenant_id, units).await.unwrap_err();
        assert!(refused.to_string().contains(told), "{refused}");
    };
    refused(&[unit("credits", 2, true)], "credits: list it with the scale 0").await;
    refused(&[unit("eur", 2, true)], "credits: list it with the scale 0").await;
    listed(&world, &[unit("credits", 0, true), unit("eur", 2, false)]).await;
    // What nobody has yet can still change.
    listed(&world, &[unit("credits", 0, true), unit("eur", 4, false)]).await;
    let body = json!({"amount": 1, "unit": "eur", "reason": "asked"});
    let answer = world.command(&new_key(), "/v1/users/u_1/grants", body).await;
    assert!(answer.status.is_success(), "{answer:?}");
    refused(&[unit("credits", 0, true), unit("eur", 2, false)], "eur: list it with the scale 4")
        .await;
    refused(&[unit("credits", 0, true)], "eur: list it with the scale 4").await;
    refused(&[], "eur: list it with the scale 4").await;
    listed(&world, &[unit("credits", 0, false), unit("eur", 4, true)]).await;
}
