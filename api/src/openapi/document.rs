//! The document, put together from the table of operations and their descriptions.

use std::collections::BTreeMap;

use schemars::SchemaGenerator;
use schemars::generate::{Contract, SchemaSettings};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::describe::describe;
use super::description::{Description, Link, Parameter, Tag};
use super::{outside, problem};
use crate::auth::{ForUsers, Operation};

/// What the whole is, for whoever reads it first.
const ABOUT: &str = "The books of an app's prepaid credits. Purchases come in from Stripe; the app spends, holds and gives \
                     credits; staff settle what cannot be decided without them. Every POST that moves credits needs an \
                     Idempotency-Key. Lists are paged by starting_after and ending_before. Unknown members and parameters \
                     are refused, never ignored.";

/// An `OpenAPI` 3.1 document.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    openapi: &'static str,
    info: Value,
    servers: Value,
    tags: Vec<Value>,
    paths: Paths,
    components: Value,
}

/// Operations by path and method.
type Paths = BTreeMap<String, Map<String, Value>>;

/// What describes requests, and what describes answers: a member that may be left out of one stands in the other.
pub(super) struct Schemas {
    pub(super) requests: SchemaGenerator,
    pub(super) answers: SchemaGenerator,
    /// Refusals that many operations answer alike.
    pub(super) refusals: Map<String, Value>,
}

impl Document {
    /// The document of this program.
    pub(super) fn new() -> Self {
        let mut schemas = Schemas::new();
        let paths = paths(&mut schemas);
        let tag = |(name, description)| json!({"name": name, "description": description});
        Self {
            openapi: "3.1.1",
            info: json!({
                "title": "Tallystick",
                "version": env!("CARGO_PKG_VERSION"),
                "description": ABOUT,
                "license": {"name": "MIT", "identifier": "MIT"},
            }),
            servers: json!([{"url": "/", "description": "Where this document is served."}]),
            tags: Tag::ALL.map(Tag::row).map(tag).into(),
            paths,
            components: schemas.into_components(),
        }
    }
}

impl Schemas {
    fn new() -> Self {
        let generator = |contract: Contract| {
            let settings = SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
                settings.contract = contract;
            });
            settings.into_generator()
        };
        let (requests, mut answers) =
            (generator(Contract::Deserialize), generator(Contract::Serialize));
        answers.subschema_for::<problem::Problem>();
        Self { requests, answers, refusals: Map::new() }
    }

    fn into_components(mut self) -> Value {
        let mut schemas = self.answers.take_definitions(true);
        schemas.extend(self.requests.take_definitions(true));
        let (name, request_id) = header("Request-Id", "What the log calls this request.");
        json!({
            "headers": {name: request_id},
            "responses": self.refusals,
            "schemas": schemas,
            "securitySchemes": security_schemes(),
        })
    }
}

/// Everything that is served.
fn paths(schemas: &mut Schemas) -> Paths {
    let mut paths = Paths::new();
    let mut add = |path: &str, method: &str, described: Value| {
        paths.entry(path.to_owned()).or_default().insert(method.to_lowercase(), described);
    };
    for operation in Operation::ALL {
        let described = behind_the_door(operation, schemas);
        add(operation.path(), operation.method().as_str(), described);
    }
    for (path, method, described) in outside::all(schemas) {
        add(path, method, described);
    }
    paths
}

/// An operation of the table.
fn behind_the_door(operation: Operation, schemas: &mut Schemas) -> Value {
    let description = describe(operation);
    let mut responses = problem::responses(problem::codes(&description), &mut schemas.refusals);
    responses.extend(successes(&description, schemas));
    let mut described = shape(&description, schemas);
    let mut security = vec![json!({"key": [operation.scope()]})];
    if operation.for_users() != ForUsers::No {
        security.push(json!({"userToken": []}));
    }
    described.extend([
        ("operationId".to_owned(), operation_id(operation).into()),
        ("responses".to_owned(), responses.into()),
        ("security".to_owned(), security.into()),
        ("x-least-role".to_owned(), operation.least_role().name().into()),
    ]);
    let parameters = path_parameters(operation.path(), &description, schemas);
    if let Some(Value::Array(others)) = described.get_mut("parameters") {
        others.splice(0..0, parameters);
    }
    described.into()
}

/// What it is called: the name of its variant, as clients write names.
fn operation_id(operation: Operation) -> String {
    let name = format!("{operation:?}");
    let first = name.chars().take(1).flat_map(char::to_lowercase);
    first.chain(name.chars().skip(1)).collect()
}

/// Everything but who may, what is answered, and what its path says.
pub(super) fn shape(description: &Description, schemas: &mut Schemas) -> Map<String, Value> {
    let (tag, _) = description.tag.row();
    let parameter = |parameter: &Parameter| {
        json!({
            "name": parameter.name,
            "in": parameter.place,
            "description": parameter.description,
            "required": parameter.is_required,
            "schema": (parameter.schema)(&mut schemas.requests),
        })
    };
    let parameters: Vec<_> = description.parameters.iter().map(parameter).collect();
    let mut shape = Map::from_iter([
        ("tags".to_owned(), json!([tag])),
        ("summary".to_owned(), description.summary.into()),
        ("description".to_owned(), description.text.into()),
        ("parameters".to_owned(), parameters.into()),
    ]);
    if let Some(body) = &description.body {
        let schema = (body.schema)(&mut schemas.requests);
        let json = json!({"schema": schema, "example": body.example});
        let body = json!({"required": body.is_required, "content": {"application/json": json}});
        shape.insert("requestBody".to_owned(), body);
    }
    shape
}

/// The variables of a path; no path has more than one.
fn path_parameters(path: &str, description: &Description, schemas: &mut Schemas) -> Option<Value> {
    let (_, rest) = path.split_once('{')?;
    let (name, _) = rest.split_once('}')?;
    let (schema, example) = description.variable?;
    let schema = schema(&mut schemas.requests);
    Some(
        json!({"name": name, "in": "path", "required": true, "schema": schema, "example": example}),
    )
}

/// What is answered when it was done.
pub(super) fn successes(description: &Description, schemas: &mut Schemas) -> Map<String, Value> {
    let success = &description.success;
    let schema = success.schema.map(|schema| schema(&mut schemas.answers));
    let content = |media_type: &&'static str| {
        let schema = schema.as_ref().map(|schema| json!({"schema": schema}));
        ((*media_type).to_owned(), schema.unwrap_or_else(|| json!({})))
    };
    let mut headers: Map<_, _> =
        success.headers.iter().map(|(name, text)| header(name, text)).collect();
    headers.extend([request_id()]);
    let content: Map<_, _> = success.media_types.iter().map(content).collect();
    let mut done =
        json!({"description": success.description, "headers": headers, "content": content});
    if !description.links.is_empty() {
        let link = |link: &Link| {
            let to = json!({"operationId": link.operation_id, "parameters": {link.variable: link.value}});
            (link.operation_id.to_owned(), to)
        };
        let links: Map<_, _> = description.links.iter().map(link).collect();
        done["links"] = links.into();
    }
    let mut answers = Map::from_iter([(success.status.as_u16().to_string(), done)]);
    if success.may_be_known {
        let known =
            json!({"description": "The client has the newest version.", "headers": headers});
        answers.insert("304".to_owned(), known);
    }
    answers
}

/// A header of an answer, which is text.
pub(super) fn header(name: &str, description: &str) -> (String, Value) {
    (name.to_owned(), json!({"description": description, "schema": {"type": "string"}}))
}

/// The header that every answer has.
pub(super) fn request_id() -> (String, Value) {
    ("Request-Id".to_owned(), json!({"$ref": "#/components/headers/Request-Id"}))
}

fn security_schemes() -> Value {
    json!({
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "A key of a role: tally keys create. x-least-role says the least role that may, the name behind \
                            the scheme the scope that a key needs whose scopes were narrowed.",
        },
        "userToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token of the app's issuer, which names a user: he reads what is his.",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// schemars tells two types of one name apart by a number, and the maps of requests and answers become one.
    #[test]
    fn a_name_stands_for_one_schema() {
        let mut schemas = Schemas::new();
        paths(&mut schemas);
        let answers = schemas.answers.take_definitions(true);
        for (name, schema) in schemas.requests.take_definitions(true) {
            let other = answers.get(&name);
            assert!(other.is_none_or(|other| *other == schema), "{name} is two things");
            assert!(!name.ends_with(|last: char| last.is_ascii_digit()), "{name} is one of two");
        }
        for name in answers.keys() {
            assert!(!name.ends_with(|last: char| last.is_ascii_digit()), "{name} is one of two");
        }
    }
}
