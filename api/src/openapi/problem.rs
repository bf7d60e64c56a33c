//! Refusals in the document: one shape, and for each status of an operation the codes that it can carry.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde_json::{Map, Value, json};
use service::problem::Code;

use super::description::Description;
use super::words::ProblemCode;

/// Why a request was refused (RFC 9457), with further members where the code has some, such as available.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct Problem {
    /// The page that explains the code.
    r#type: String,
    /// What the code means; the same for every occurrence.
    title: String,
    #[schemars(extend("minimum" = 400, "maximum" = 599))]
    status: u16,
    #[schemars(with = "ProblemCode")]
    code: &'static str,
    /// What exactly is wrong with this request.
    #[schemars(with = "String")]
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The parameter that it is about.
    #[schemars(with = "String")]
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<String>,
    doc_url: String,
    /// As in the header Request-Id.
    #[schemars(with = "String")]
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

/// What every operation behind the door can be refused for.
const AT_THE_DOOR: [Code; 8] = [
    Code::Unauthorized,
    Code::Forbidden,
    Code::RateLimited,
    Code::BadRequest,
    Code::ParameterInvalid,
    Code::ParameterUnknown,
    Code::Internal,
    Code::Unavailable,
];

/// What an operation with a body can be refused for.
const WITH_A_BODY: [Code; 3] =
    [Code::ParameterMissing, Code::PayloadTooLarge, Code::UnsupportedMediaType];

/// What an operation can be refused for.
pub(super) fn codes(description: &Description) -> BTreeSet<Code> {
    let mut codes = BTreeSet::from(AT_THE_DOOR);
    codes.extend(&description.refusals);
    if description.body.is_some() {
        codes.extend(WITH_A_BODY);
    }
    if description.variable.is_some() {
        codes.insert(Code::NotFound);
    }
    codes
}

/// The answers with these codes, by status. Where there is one code of a status, `shared` has the answer.
pub(super) fn responses(
    codes: BTreeSet<Code>,
    shared: &mut Map<String, Value>,
) -> Map<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status().as_u16()).or_default().push(code);
    }
    let answer = |(status, codes): (u16, Vec<Code>)| {
        let answer = match codes.as_slice() {
            [code] => {
                let name = format!("{code:?}");
                let reference = format!("#/components/responses/{name}");
                shared.entry(name).or_insert_with(|| response(&codes));
                json!({"$ref": reference})
            }
            _ => response(&codes),
        };
        (status.to_string(), answer)
    };
    by_status.into_iter().map(answer).collect()
}

/// An answer that carries one of these codes, all of one status.
fn response(codes: &[Code]) -> Value {
    let description: Vec<_> =
        codes.iter().map(|code| format!("{}: {}", code.as_str(), code.title())).collect();
    let names: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    let status = codes.first().map(|code| code.status().as_u16());
    let narrowed = json!({"properties": {"code": {"enum": names}, "status": {"const": status}}});
    let schema = json!({"allOf": [{"$ref": "#/components/schemas/Problem"}, narrowed]});
    let mut headers = Map::from_iter([super::document::request_id()]);
    match status {
        Some(401) => headers.extend([super::document::header("WWW-Authenticate", "Bearer.")]),
        Some(409 | 429 | 503) => {
            headers.extend([super::document::header(
                "Retry-After",
                "When to come again, in seconds.",
            )]);
        }
        Some(_) | None => {}
    }
    json!({
        "description": description.join("\n"),
        "headers": headers,
        "content": {"application/problem+json": {"schema": schema}},
    })
}
