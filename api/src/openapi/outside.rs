//! What is served beside the table of operations, to whoever asks: Stripe's deliveries, which prove themselves, and what
//! the service says of itself.

use schemars::JsonSchema;
use serde_json::{Map, Value, json};
use service::problem::Code;

use super::description::{Description, Tag};
use super::document::{Schemas, header, request_id, shape, successes};
use super::problem::responses;
use super::texts::HeaderText;

/// The promise: these bytes, or an earlier delivery of the same event, are committed.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Receipt {
    #[schemars(extend("const" = true))]
    received: bool,
    #[schemars(extend("enum" = ["stored", "duplicate"]))]
    status: &'static str,
    /// Where it stands in the log; of a duplicate, where the first one does.
    position: i64,
}

/// Refusals of deliveries: status, `error`, and when.
const NOT_RECEIVED: [(&str, &[&str], &str); 6] = [
    (
        "400",
        &["invalid_signature", "body_incomplete"],
        "The signature does not vouch for it, whatever the reason; or the body broke off.",
    ),
    ("404", &["not_found"], "There is no such endpoint."),
    ("408", &["body_timeout"], "The body did not come in time."),
    ("413", &["body_too_large"], "The body is longer than 1 MiB."),
    ("415", &["body_encoded"], "The body is compressed."),
    (
        "503",
        &["overloaded", "not_stored"],
        "It may be stored or not. Sent again, it is stored once.",
    ),
];

/// A path, a method, and what is to be said of it.
type Outside = (&'static str, &'static str, Value);

/// All of it.
pub(super) fn all(schemas: &mut Schemas) -> Vec<Outside> {
    let mut named = delivery("stripeDeliverTo", schemas);
    named["parameters"] = json!([variable("endpoint", "connect"), named["parameters"][0],]);
    let page = ("200", "text/plain");
    let json_page = ("200", "application/json");
    let mut problem = plain("problemGet", page, "Explain a code", "Where type and doc_url lead.");
    problem["parameters"] = json!([variable("code", "insufficient_credits")]);
    let unknown = responses([Code::NotFound].into(), &mut schemas.refusals);
    problem["responses"]["404"] = unknown["404"].clone();
    vec![
        ("/v1/webhooks/stripe", "post", delivery("stripeDeliver", schemas)),
        ("/v1/webhooks/stripe/{endpoint}", "post", named),
        ("/v1/problems", "get", plain("problemList", page, "List the codes of refusals", "")),
        ("/v1/problems/{code}", "get", problem),
        ("/openapi.json", "get", plain("openapi", json_page, "Describe the API", "This document.")),
        (
            "/docs",
            "get",
            plain("docs", ("200", "text/html"), "Read about the API", "This document as a page."),
        ),
    ]
}

/// What Stripe delivers.
fn delivery(id: &'static str, schemas: &mut Schemas) -> Value {
    let text =
        "An event, signed by Stripe, as its bytes were sent. 200 only after it is committed.";
    let description = Description::new::<Receipt>(Tag::Stripe, "Deliver an event", text)
        .header::<HeaderText>("Stripe-Signature", "The time, and signatures of it and the body.");
    let mut delivery = shape(&description, schemas);
    let mut responses = successes(&description, schemas);
    responses.extend(
        NOT_RECEIVED.map(|(status, errors, text)| (status.to_owned(), refused(errors, text))),
    );
    delivery.extend([
        ("operationId".to_owned(), id.into()),
        ("security".to_owned(), json!([])),
        ("responses".to_owned(), responses.into()),
        ("requestBody".to_owned(), json!({"required": true, "content": {"application/json": {"schema": {"type": "object"}}}})),
    ]);
    delivery.into()
}

fn refused(errors: &[&str], text: &str) -> Value {
    let mut headers = Map::from_iter([request_id()]);
    if errors.contains(&"overloaded") {
        headers.extend([header("Retry-After", "When to come again, in seconds.")]);
    }
    let schema = json!({
        "type": "object",
        "properties": {"error": {"type": "string", "enum": errors}},
        "required": ["error"],
    });
    json!({"description": text, "headers": headers, "content": {"application/json": {"schema": schema}}})
}

fn variable(name: &str, example: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}, "example": example})
}

/// A page that is told to anybody.
fn plain(id: &str, (status, media_type): (&str, &str), summary: &str, text: &str) -> Value {
    let (tag, _) = Tag::Service.row();
    let headers = Map::from_iter([request_id()]);
    json!({
        "operationId": id,
        "tags": [tag],
        "summary": summary,
        "description": text,
        "security": [],
        "parameters": [],
        "responses": {status: {"description": "Told.", "headers": headers, "content": {media_type: {}}}},
    })
}
