//! The document: whole, sound, and the one that is checked in. That it is true, [`crate::described`] sees to.

use std::collections::BTreeSet;

use api::{ForUsers, Operation};
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::described::{DOCUMENT, assert_valid, resolved};
use crate::support::World;

/// What is described and is not in the table: what needs no key.
const OUTSIDE: [(&str, &str); 6] = [
    ("/docs", "get"),
    ("/openapi.json", "get"),
    ("/v1/problems", "get"),
    ("/v1/problems/{code}", "get"),
    ("/v1/webhooks/stripe", "post"),
    ("/v1/webhooks/stripe/{endpoint}", "post"),
];

#[test]
fn what_is_checked_in_is_what_is_served() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/openapi.json");
    let checked_in = std::fs::read_to_string(path).unwrap();
    assert!(
        checked_in == api::openapi(),
        "schemas/ is not what the code says: cargo xtask schemas"
    );
}

#[test]
fn the_table_and_the_document_are_of_the_same_operations() {
    let mut described = BTreeSet::new();
    for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
        described.extend(
            methods.as_object().unwrap().keys().map(|method| (path.as_str(), method.as_str())),
        );
    }
    let mut expected = BTreeSet::from(OUTSIDE);
    let methods = Operation::ALL.map(|operation| operation.method().as_str().to_lowercase());
    let of_table = Operation::ALL.iter().zip(&methods);
    expected.extend(of_table.map(|(operation, method)| (operation.path(), method.as_str())));
    assert_eq!(described, expected);
}

#[test]
fn every_operation_says_who_may() {
    for operation in Operation::ALL {
        let method = operation.method().as_str().to_lowercase();
        let described = &DOCUMENT["paths"][operation.path()][method];
        assert_eq!(described["x-least-role"], operation.least_role().name(), "{operation:?}");
        let mut security = vec![json!({"key": [operation.scope()]})];
        if operation.for_users() != ForUsers::No {
            security.push(json!({"userToken": []}));
        }
        assert_eq!(described["security"], Value::from(security), "{operation:?}");
        for member in ["operationId", "summary", "responses"] {
            assert!(!described[member].is_null(), "{operation:?} has no {member}");
        }
    }
    let ids: BTreeSet<_> =
        operations().map(|(_, operation)| operation["operationId"].as_str()).collect();
    assert_eq!(ids.len(), operations().count(), "two operations share an id");
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    let found = to.strip_prefix('#').and_then(|pointer| DOCUMENT.pointer(pointer));
                    assert!(found.is_some(), "{to} leads nowhere");
                }
                members.values().for_each(walk);
            }
            Value::Array(values) => values.iter().for_each(walk),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    walk(&DOCUMENT);
    let ids: Vec<_> = operations().map(|(_, operation)| &operation["operationId"]).collect();
    for (what, operation) in operations() {
        for response in operation["responses"].as_object().unwrap().values() {
            let links = resolved(response)["links"].as_object().into_iter().flatten();
            for (_, link) in links {
                assert!(ids.contains(&&link["operationId"]), "{what} leads to nothing: {link}");
            }
        }
    }
}

#[test]
fn every_schema_is_one() {
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        jsonschema::draft202012::meta::validate(schema)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn examples_are_valid() {
    for (what, operation) in operations() {
        for parameter in operation["parameters"].as_array().unwrap() {
            if let Some(example) = parameter.get("example") {
                assert_valid(&parameter["schema"], example, &what);
            }
        }
        let body = &operation["requestBody"]["content"]["application/json"];
        if let Some(example) = body.get("example") {
            assert_valid(&body["schema"], example, &what);
        }
    }
}

#[test]
fn bodies_have_no_room_for_what_is_not_described() {
    for (what, operation) in
        operations().filter(|(_, operation)| operation["security"] != json!([]))
    {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_object() {
            assert_eq!(resolved(schema)["additionalProperties"], false, "{what}");
        }
    }
}

#[tokio::test]
async fn it_is_served_to_anybody_with_a_page_that_loads_nothing() {
    let world = World::new().await;
    let document = world.send(None, Method::GET, "/openapi.json", None).await;
    assert_eq!(document.ok(), *DOCUMENT);
    let page = world.send(None, Method::GET, "/docs", None).await;
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let html = String::from_utf8(page.bytes).unwrap();
    for absent in ["<script", "<link", "<img", "src=", "http://", "https://", " style="] {
        assert!(!html.contains(absent), "{absent}");
    }
    for (_, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        assert!(html.contains(&format!("<details id=\"{id}\">")), "{id}");
    }
    world.send(None, Method::POST, "/openapi.json", None).await.refused(
        405,
        "method_not_allowed",
        None,
    );
}

/// Every operation, with its method and path.
fn operations() -> impl Iterator<Item = (String, &'static Value)> {
    DOCUMENT["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (format!("{method} {path}"), operation))
    })
}
