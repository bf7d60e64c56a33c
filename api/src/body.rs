//! The body of a request: JSON of exactly the shape that the operation reads, or a refusal that names what differs.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use service::problem::{Code, Problem};

use crate::error::{invalid, missing, unknown};

/// How JSON writes a NUL.
const NUL: &[u8] = br"\u0000";

/// A body, read.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.and_then(|text| text.split(';').next()).map(str::trim);
        if media_type.is_none_or(|media_type| !media_type.eq_ignore_ascii_case("application/json"))
        {
            let detail = "The body has to be JSON, with Content-Type: application/json.";
            return Err(Problem::new(Code::UnsupportedMediaType).detail(detail));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            let is_too_long = rejection.status() == StatusCode::PAYLOAD_TOO_LARGE;
            Problem::new(if is_too_long { Code::PayloadTooLarge } else { Code::BadRequest })
        })?;
        read(&bytes).map(Self)
    }
}

/// Reads a part of a body, as if it were one of its own.
pub(crate) fn part<T: DeserializeOwned>(value: &Value) -> Result<T, Problem> {
    read(value.to_string().as_bytes())
}

/// Reads `bytes` as JSON of `T`'s shape.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // Postgres keeps no NUL in text, and no name or reason has one.
    if let Some(name) = first_with_nul(bytes) {
        return Err(invalid(name, "It holds a character that no text here has (NUL)."));
    }
    // A list of the members' values would be read as an object of them.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::new(Code::BadRequest).detail("The body is not a JSON object."));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| refusal(&error))?;
    json.end().map_err(|_| {
        Problem::new(Code::BadRequest).detail("Something stands behind the JSON object.")
    })?;
    Ok(value)
}

/// The top-level member in which a NUL stands, if one does.
fn first_with_nul(bytes: &[u8]) -> Option<String> {
    // Nearly no body has one, and JSON has one way to write it.
    if !bytes.windows(NUL.len()).any(|part| part == NUL) {
        return None;
    }
    let object: Map<String, Value> = serde_json::from_slice(bytes).ok()?;
    let mut members = object.into_iter();
    members.find(|(name, value)| name.contains('\0') || holds_nul(value)).map(|(name, _)| name)
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(members) => {
            members.iter().any(|(name, value)| name.contains('\0') || holds_nul(value))
        }
    }
}

fn refusal(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let (path, inner) = (error.path().to_string(), error.inner());
    if !inner.is_data() {
        return Problem::new(Code::BadRequest).detail("The body is not JSON.");
    }
    // serde names the member in backticks; its path does not always hold it.
    let text = inner.to_string();
    let named = text.split('`').nth(1).unwrap_or_default();
    if text.starts_with("missing field") {
        return missing(named);
    }
    if text.starts_with("unknown field") {
        return unknown(named);
    }
    if text.starts_with("duplicate field") {
        return invalid(named, "It is given more than once.");
    }
    let expected = text.split(" at line ").next().unwrap_or_default();
    if path == "." {
        return Problem::new(Code::BadRequest)
            .detail(format!("The body cannot be read: {expected}."));
    }
    invalid(path, format!("It cannot be read: {expected}."))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shape {
        #[expect(dead_code, reason = "only its reading is tested")]
        user: String,
        #[expect(dead_code, reason = "only its reading is tested")]
        credits: Option<i64>,
        #[serde(default)]
        #[expect(dead_code, reason = "only its reading is tested")]
        metadata: BTreeMap<String, String>,
    }

    #[track_caller]
    fn check(body: &str, code: Code, param: Option<&str>) {
        let problem = read::<Shape>(body.as_bytes()).unwrap_err();
        assert_eq!((problem.code, problem.param.as_deref()), (code, param), "{body}: {problem:?}");
    }

    #[test]
    fn a_body_of_another_shape_is_refused_by_name() {
        check("", Code::BadRequest, None);
        check("{", Code::BadRequest, None);
        check("[]", Code::BadRequest, None);
        check(r#"["u",1,{}]"#, Code::BadRequest, None);
        check("null", Code::BadRequest, None);
        check(r#"{"user":"u"} x"#, Code::BadRequest, None);
        check("{}", Code::ParameterMissing, Some("user"));
        check(r#"{"user":1}"#, Code::ParameterInvalid, Some("user"));
        check(r#"{"user":"u","x":1}"#, Code::ParameterUnknown, Some("x"));
        check(r#"{"user":"u","user":"v"}"#, Code::ParameterInvalid, Some("user"));
        check(r#"{"user":"u","credits":1.5}"#, Code::ParameterInvalid, Some("credits"));
        check(r#"{"user":"u","credits":"1"}"#, Code::ParameterInvalid, Some("credits"));
        check(
            r#"{"user":"u","credits":9223372036854775808}"#,
            Code::ParameterInvalid,
            Some("credits"),
        );
        check(r#"{"user":"u","metadata":{"a":1}}"#, Code::ParameterInvalid, Some("metadata.a"));
        check(r#"{"user":"u\u0000"}"#, Code::ParameterInvalid, Some("user"));
        check(
            r#"{"user":"u","metadata":{"a":"\u0000"}}"#,
            Code::ParameterInvalid,
            Some("metadata"),
        );
        check(
            r#"{"user":"u","metadata":{"\u0000":"a"}}"#,
            Code::ParameterInvalid,
            Some("metadata"),
        );
        check(r#"{"user":["\u0000"]}"#, Code::ParameterInvalid, Some("user"));
        assert!(read::<Shape>(br#"{"user":"u","credits":1}"#).is_ok());
        // A backslash and some digits are text like any other.
        assert!(read::<Shape>(br#"{"user":"\\u0000","metadata":{"\\u0000":"\\u0000"}}"#).is_ok());
    }
}
