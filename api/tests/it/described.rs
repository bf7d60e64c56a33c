//! Holds what the API does against what it says of itself: every answer that any test here gets has to be described, and
//! every body that is accepted has to be one that the document allows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex};

use http::request::Parts;
use http::{Method, StatusCode, header};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::support::Answer;

/// The document.
pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(api::openapi()).unwrap());

/// The schemas of the document; those of answers without room for members that are not described.
static COMPONENTS: LazyLock<Value> = LazyLock::new(|| {
    let mut components = DOCUMENT["components"].clone();
    for (name, schema) in components["schemas"].as_object_mut().unwrap() {
        let schema = schema.as_object_mut().unwrap();
        // Problems have members of their code's own.
        if schema.contains_key("properties") && name != "Problem" {
            schema.entry("additionalProperties").or_insert(false.into());
        }
    }
    components
});

/// Validators by the text of their schema: making one takes longer than using it.
static VALIDATORS: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());

/// What compares JSON with a schema of the document.
pub(crate) fn validator(schema: &Value) -> Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap();
    let made = validators.entry(schema.to_string()).or_insert_with(|| {
        let rooted = json!({"allOf": [schema], "components": *COMPONENTS});
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        Arc::new(options.build(&rooted).unwrap())
    });
    Arc::clone(made)
}

/// Panics where the document forbids what is there.
#[track_caller]
pub(crate) fn assert_valid(schema: &Value, json: &Value, what: &str) {
    let validator = validator(schema);
    let errors = validator.iter_errors(json);
    let errors: Vec<_> =
        errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{what} is not as described: {}\n{json:#}", errors.join("\n"));
}

/// Follows a reference into the document.
pub(crate) fn resolved(value: &Value) -> &Value {
    match value["$ref"].as_str().and_then(|to| to.strip_prefix('#')) {
        Some(pointer) => DOCUMENT.pointer(pointer).unwrap(),
        None => value,
    }
}

/// Holds a request and its answer against the document.
#[track_caller]
pub(crate) fn check(request: &Parts, body: &[u8], answer: &Answer) {
    let (method, path) = (&request.method, request.uri.path());
    let what = format!("{method} {path}: {}", answer.status);
    let Some(methods) = methods_at(path) else {
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{what}: the path is not described");
        return;
    };
    let Some(operation) = methods.get(&method.as_str().to_lowercase()) else {
        let is_known = [Method::HEAD, Method::OPTIONS].contains(method);
        let is_refused = answer.status == StatusCode::METHOD_NOT_ALLOWED;
        assert!(is_known || is_refused, "{what}: the method is not described");
        return;
    };
    check_answer(operation, answer, &what);
    if answer.status.is_success() {
        check_accepted(operation, request, body, &what);
    }
}

#[track_caller]
fn check_answer(operation: &Value, answer: &Answer, what: &str) {
    let response = resolved(&operation["responses"][answer.status.as_str()]);
    assert!(response.is_object(), "{what}: the status is not described");
    let Some(content) = response["content"].as_object() else {
        assert!(answer.bytes.is_empty(), "{what}: no body is described");
        return;
    };
    let content_type = answer.headers[header::CONTENT_TYPE].to_str().unwrap();
    let media_type = content_type.split(';').next().unwrap();
    let described = content.get(media_type);
    assert!(described.is_some(), "{what}: {media_type} is not described");
    if let Some(schema) = described.and_then(|described| described.get("schema")) {
        assert_valid(schema, &answer.json(), what);
    }
}

/// What was accepted has to be allowed.
#[track_caller]
fn check_accepted(operation: &Value, request: &Parts, body: &[u8], what: &str) {
    let parameters = operation["parameters"].as_array().unwrap();
    let named: BTreeSet<_> =
        parameters.iter().map(|known| known["name"].as_str().unwrap()).collect();
    let query = request.uri.query().unwrap_or_default().replace("%5B", "[").replace("%5D", "]");
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let name = pair.split('=').next().unwrap();
        assert!(named.contains(name), "{what}: {name} is accepted and not described");
    }
    let described = &operation["requestBody"];
    if body.is_empty() {
        assert_ne!(described["required"], true, "{what}: it is accepted without a body");
        return;
    }
    let schema = &described["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{what}: a body is accepted and not described");
    assert_valid(schema, &serde_json::from_slice(body).unwrap(), what);
}

/// The methods of the path of the document that this one is; of two, the one with fewer variables.
fn methods_at(path: &str) -> Option<&'static Map<String, Value>> {
    let segments: Vec<_> = path.split('/').collect();
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let variables = |template: &str| {
        let own: Vec<_> = template.split('/').collect();
        let is_variable = |segment: &str| segment.starts_with('{');
        let fits = own.len() == segments.len()
            && own
                .iter()
                .zip(&segments)
                .all(|(own, segment)| own == segment || is_variable(own) && !segment.is_empty());
        fits.then(|| own.iter().filter(|segment| is_variable(segment)).count())
    };
    let fitting =
        paths.iter().filter_map(|(template, methods)| Some((variables(template)?, methods)));
    let (_, methods) = fitting.min_by_key(|(variables, _)| *variables)?;
    methods.as_object()
}
