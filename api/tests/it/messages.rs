//! What the outbox tells of commands: each message as its schema says.

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Value, json};
use store::messages::Topic;

use crate::support::{World, new_key};

#[tokio::test]
async fn what_is_told_of_commands_is_as_described() {
    let world = World::new().await;
    world.register("u_1").await;
    world.give("u_1", 100).await;
    let ask = async |path: &str, body: Value| {
        let answer = world.command(&new_key(), path, body).await;
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        answer.json()["id"].as_str().unwrap_or_default().to_owned()
    };
    let spend = ask("/v1/users/u_1/spends", json!({"amount": 5})).await;
    ask(&format!("/v1/spends/{spend}/reverse"), json!({})).await;
    let captured = ask("/v1/users/u_1/holds", json!({"amount": 7})).await;
    ask(&format!("/v1/holds/{captured}/capture"), json!({"amount": 3})).await;
    let released = ask("/v1/users/u_1/holds", json!({"amount": 7})).await;
    ask(&format!("/v1/holds/{released}/release"), json!({})).await;
    let path = "/v1/users/u_1/spends";
    let too_much = world.command(&new_key(), path, json!({"amount": 1_000})).await;
    assert_eq!(too_much.status, StatusCode::PAYMENT_REQUIRED);

    let mut told = BTreeSet::new();
    for row in world.sql.query("SELECT topic, payload FROM outbox", &[]).await.unwrap() {
        let (name, payload): (String, Vec<u8>) = (row.get(0), row.get(1));
        let message: Value = serde_json::from_slice(&payload).unwrap();
        let topic = Topic::ALL.into_iter().find(|topic| topic.name() == name).unwrap();
        let mut schema = topic.schema().to_value();
        schema["additionalProperties"] = json!(false);
        schema["properties"]["data"]["additionalProperties"] = json!(false);
        jsonschema::validate(&schema, &message)
            .unwrap_or_else(|error| panic!("{error}: {message:#}"));
        told.insert(name);
    }
    let of_commands = [
        Topic::CreditsGranted,
        Topic::CreditsSpent,
        Topic::CreditsMoved,
        Topic::CreditsHeld,
        Topic::CreditsReleased,
        Topic::BalanceChanged,
    ];
    assert_eq!(told, of_commands.map(|topic| topic.name().to_owned()).into());
}

/// The schemas that are checked in are those of the topics that there are, no more and no fewer.
#[test]
fn what_is_checked_in_is_what_is_told() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/messages");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    let names: BTreeSet<_> = files.map(|name| name.into_string().unwrap()).collect();
    let expected = Topic::ALL.map(|topic| format!("{}.json", topic.name()));
    assert_eq!(names, expected.into());
    for topic in Topic::ALL {
        let text = std::fs::read_to_string(format!("{folder}/{}.json", topic.name())).unwrap();
        let checked_in: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(checked_in, topic.schema().to_value(), "run: cargo xtask schemas");
    }
}
