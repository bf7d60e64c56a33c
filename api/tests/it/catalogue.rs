//! What a price, a lookup key or a product is worth, since when, and until when its credits last.

use ledger::decision::Reason;
use serde_json::{Value, json};
use store::log::Origin;
use testkit::wait_for;

use crate::support::{NOW, World};

/// A version of an entry, told and decided: these are the columns that say what it is worth.
async fn version(world: &World, key: &str, columns: &str) -> i64 {
    let body =
        json!({"type": "tally.catalogue.set", "actor": "key_1", "reason": "because"}).to_string();
    let count: i64 = world.sql.query_one("SELECT count(*) FROM event", &[]).await.unwrap().get(0);
    let id = format!("price:{key}:{count}");
    let pos = world.tell(Origin::Catalogue, &id, "tally.catalogue.set", body.as_bytes()).await;
    let names =
        "tenant_id, price, from_pos, valid_from, not_ours, credits, unit, expires, priority";
    world
        .run(&format!(
            "INSERT INTO catalogue_entry ({names}) VALUES ($1, '{key}', {pos}, {columns})"
        ))
        .await;
    pos
}

#[tokio::test]
async fn an_entry_is_a_fact_that_is_decided() {
    let world = World::new().await;
    world.get("/v1/catalogue/price_1").await.refused(404, "price_not_found", Some("key"));
    let deciding = async {
        let pos = wait_for("the entry", async || {
            let row =
                world.sql.query_opt("SELECT pos FROM event WHERE origin = 4", &[]).await.unwrap();
            row.map(|row| row.get::<_, i64>(0))
        })
        .await;
        let columns =
            format!("$1, 'lookup_key:gold', {pos}, '-infinity', false, 500, 'gpu_s', 'P1M', 7");
        world.run(&format!("INSERT INTO catalogue_entry (tenant_id, price, from_pos, valid_from, not_ours, credits, unit, \
                            expires, priority) VALUES ({columns})")).await;
        world.decide(pos, Reason::Catalogued, None).await;
    };
    let said = json!({"credits": 500, "unit": "gpu_s", "expires": "P1M", "priority": 7, "reason": "the autumn list"});
    let (answer, ()) =
        tokio::join!(world.put("/v1/catalogue/lookup_key:gold", said.clone()), deciding);
    let version = json!({
        "not_ours": false, "credits": 500, "unit": "gpu_s", "expires": "P1M", "priority": 7, "valid_from": null,
        "reason": "the autumn list", "created": NOW, "position": 1,
    });
    let mut answer = answer.ok();
    let actor = answer.as_object_mut().unwrap().remove("actor").unwrap();
    assert!(actor.as_str().unwrap().starts_with("key_"));
    let mut expected = version.clone();
    expected["object"] = "catalogue_entry".into();
    expected["key"] = "lookup_key:gold".into();
    assert_eq!(answer, expected);
    let shown = world.get("/v1/catalogue/lookup_key:gold").await.ok();
    assert_eq!((&shown["key"], &shown["credits"]), (&json!("lookup_key:gold"), &json!(500)));
    assert_eq!(shown["versions"].as_array().unwrap().len(), 1);
    let row =
        world.sql.query_one("SELECT convert_from(body, 'UTF8') FROM event", &[]).await.unwrap();
    let mut told: Value = serde_json::from_str(row.get(0)).unwrap();
    let told = told.as_object_mut().unwrap();
    assert_eq!(told.remove("actor"), Some(actor));
    let mut expected = said.clone();
    expected["object"] = "tally.event".into();
    expected["type"] = "tally.catalogue.set".into();
    expected["price"] = "lookup_key:gold".into();
    assert_eq!(Value::from(told.clone()), expected);
    // Said once more it changes nothing, and nothing has to be decided.
    let again = world.put("/v1/catalogue/lookup_key:gold", said).await.ok();
    assert_eq!(again["position"], 1);
    // The projector does not come again: it is stored, and told back.
    let answer = world.put("/v1/catalogue/prod_2", json!({"not_ours": true})).await.ok();
    assert_eq!((&answer["not_ours"], &answer["position"]), (&json!(true), &json!(2)));
    let count: i64 = world.sql.query_one("SELECT count(*) FROM event", &[]).await.unwrap().get(0);
    assert_eq!(count, 2);
}

#[tokio::test]
async fn an_entry_shows_what_counts_now_and_all_that_did_and_will() {
    let world = World::new().await;
    let first = version(&world, "price_1", "'-infinity', false, 10, 'credits', NULL, 0").await;
    let second = version(&world, "price_1", "'2026-11-01', false, 20, 'credits', 'P1Y', 1").await;
    let third = version(&world, "price_1", "'2026-12-01', true, NULL, NULL, NULL, 0").await;
    let shown = world.get("/v1/catalogue/price_1").await.ok();
    assert_eq!((&shown["credits"], &shown["position"]), (&json!(20), &json!(second)));
    let versions = shown["versions"].as_array().unwrap();
    let told: Vec<_> = versions
        .iter()
        .map(|version| (&version["position"], &version["valid_from"], &version["expires"]))
        .collect();
    let (december, november) = (json!("2026-12-01T00:00:00Z"), json!("2026-11-01T00:00:00Z"));
    let (third, second, first) = (json!(third), json!(second), json!(first));
    let expected = [
        (&third, &december, &Value::Null),
        (&second, &november, &json!("P1Y")),
        (&first, &Value::Null, &Value::Null),
    ];
    assert_eq!(told, expected);
    assert_eq!((&versions[0]["not_ours"], &versions[0]["priority"]), (&json!(true), &Value::Null));
    assert_eq!(
        (&versions[2]["actor"], &versions[2]["reason"]),
        (&json!("key_1"), &json!("because"))
    );

    // What is to count from then on is there already, finer than it is kept or not; to say it of now is something else.
    let december = json!({"not_ours": true, "valid_from": "2026-12-01T00:00:00.0000001Z"});
    assert_eq!(world.put("/v1/catalogue/price_1", december).await.ok()["position"], third);
    let december = json!({"not_ours": true, "valid_from": "2026-12-01T00:00:00Z"});
    assert_eq!(world.put("/v1/catalogue/price_1", december).await.ok()["position"], third);
    let now = world.put("/v1/catalogue/price_1", json!({"not_ours": true})).await.ok();
    assert_eq!(now["position"], 4);
}

#[tokio::test]
async fn what_is_not_decided_yet_is_not_forgotten() {
    let world = World::new().await;
    let first = version(&world, "price_1", "'-infinity', false, 500, 'credits', NULL, 0").await;
    world.decide(first, Reason::Catalogued, None).await;
    // No projector decides what is told now.
    let put = async |credits: i64| {
        world.put("/v1/catalogue/price_1", json!({"credits": credits})).await.ok()["position"]
            .clone()
    };
    let positions = [put(600).await, put(500).await, put(500).await, put(600).await];
    assert_eq!(
        positions,
        [2, 3, 3, 4],
        "what was said last is said once, what was said before it again"
    );
}

#[tokio::test]
async fn entries_are_listed_by_their_keys() {
    let world = World::new().await;
    for key in ["prod_1", "price_B", "price_a", "lookup_key:gold", "price_A"] {
        version(&world, key, "'-infinity', false, 10, 'credits', NULL, 0").await;
    }
    version(&world, "price_A", "'2027-01-01', false, 30, 'credits', NULL, 0").await;
    version(&world, "price_A", "'-infinity', false, 20, 'credits', NULL, 0").await;
    version(&world, "price_B", "'2026-11-01', false, 20, 'credits', NULL, 0").await;
    version(&world, "to_come", "'2027-02-01', false, 50, 'credits', NULL, 0").await;
    version(&world, "to_come", "'2027-01-01', false, 40, 'credits', NULL, 0").await;
    let list = async |query: &str| {
        let list = world.get(&format!("/v1/catalogue{query}")).await.ok();
        let entry =
            |entry: &Value| format!("{} {}", entry["key"].as_str().unwrap(), entry["credits"]);
        let entries: Vec<String> = list["data"].as_array().unwrap().iter().map(entry).collect();
        (entries.join(", "), list["has_more"].as_bool().unwrap())
    };
    let all = "lookup_key:gold 10, price_A 20, price_B 20, price_a 10, prod_1 10, to_come 40";
    assert_eq!(list("").await, (all.into(), false));
    assert_eq!(list("?limit=2").await, ("lookup_key:gold 10, price_A 20".into(), true));
    assert_eq!(
        list("?limit=2&starting_after=price_A").await,
        ("price_B 20, price_a 10".into(), true)
    );
    assert_eq!(list("?starting_after=price_a").await, ("prod_1 10, to_come 40".into(), false));
    assert_eq!(
        list("?limit=2&ending_before=price_a").await,
        ("price_A 20, price_B 20".into(), true)
    );
    let param = Some("starting_after");
    world.get("/v1/catalogue?starting_after=price_x").await.refused(
        400,
        "parameter_invalid",
        param,
    );
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
        (json!({"not_ours": true, "expires": "P1M"}), "parameter_invalid", "not_ours"),
        (json!({"credits": 1, "expires": 1}), "parameter_invalid", "expires"),
        (json!({"credits": 1, "expires": "1 month"}), "parameter_invalid", "expires"),
        (json!({"credits": 1, "expires": "P0D"}), "parameter_invalid", "expires"),
        (json!({"credits": 1, "priority": 32_768}), "parameter_invalid", "priority"),
        (json!({"credits": 1, "valid_from": "tomorrow"}), "parameter_invalid", "valid_from"),
        (
            json!({"credits": 1, "valid_from": "1969-12-31T00:00:00Z"}),
            "parameter_invalid",
            "valid_from",
        ),
        (json!({"credits": 1, "reason": " "}), "parameter_invalid", "reason"),
        (json!({"credits": 1, "expires_in": "P1M"}), "parameter_unknown", "expires_in"),
    ] {
        world.put("/v1/catalogue/price_1", body).await.refused(400, code, Some(param));
    }
    for key in ["a%20b", "lookup_key:", "lookup_key:%20x", &"x".repeat(256)] {
        let answer = world.put(&format!("/v1/catalogue/{key}"), json!({"credits": 1})).await;
        answer.refused(400, "parameter_invalid", Some("key"));
    }
    let count: i64 = world.sql.query_one("SELECT count(*) FROM event", &[]).await.unwrap().get(0);
    assert_eq!(count, 0);
}

#[tokio::test]
async fn an_entry_has_only_so_many_versions() {
    let world = World::new().await;
    let pos = version(&world, "price_1", "'-infinity', false, 10, 'credits', NULL, 0").await;
    let more = format!(
        "INSERT INTO event SELECT tenant_id, {pos} + n, origin, source, account, source_id || n, type, root_key, slot, livemode,
         api_version, endpoint, user_agent, peer, occurred_at, received_at, body_sha256, body, signature, traceparent
         FROM event, generate_series(1, 999) n WHERE pos = {pos};
         INSERT INTO catalogue_entry (tenant_id, price, from_pos, credits, unit)
         SELECT $1, 'price_1', {pos} + n, n, 'credits' FROM generate_series(1, 999) n"
    );
    world.run(&more).await;
    let answer = world.put("/v1/catalogue/price_1", json!({"credits": 5})).await;
    answer.refused(400, "parameter_invalid", Some("key"));
    let same = world.put("/v1/catalogue/price_1", json!({"credits": 999})).await.ok();
    assert_eq!(same["position"], pos + 999);
}
