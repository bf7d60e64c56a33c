//! Why a call is refused, in Stripe's words and shape.

use serde_json::{Value, json};

use super::call::Method;

/// A refusal: a status, and the `error` object of the body.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<String>,
    message: String,
}

impl Refusal {
    /// 400: the request cannot be done.
    pub(super) fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        let (kind, message) = ("invalid_request_error", message.into());
        Self { status: 400, kind, code: Some(code), param: None, message }
    }

    /// 400: a parameter is missing.
    pub(super) fn missing(name: &str) -> Self {
        let message = format!("Missing required param: {name}.");
        Self { param: Some(name.to_owned()), ..Self::invalid("parameter_missing", message) }
    }

    /// 400: a parameter is no integer.
    pub(super) fn not_an_integer(name: &str, text: &str) -> Self {
        let message = format!("Invalid integer: {text}");
        Self { param: Some(name.to_owned()), ..Self::invalid("parameter_invalid_integer", message) }
    }

    /// 401: there is no API key, or none that could be one.
    pub(super) fn unauthorized() -> Self {
        let message = "You did not provide an API key. You need to provide your API key in the \
                       Authorization header, using Bearer auth (e.g. 'Authorization: Bearer \
                       YOUR_SECRET_KEY').";
        let kind = "invalid_request_error";
        Self { status: 401, kind, code: None, param: None, message: message.to_owned() }
    }

    /// 402: the card was declined.
    pub(super) fn declined() -> Self {
        let message = "Your card was declined.".to_owned();
        Self { status: 402, kind: "card_error", code: Some("card_declined"), param: None, message }
    }

    /// 404: there is no such object.
    pub(super) fn no_such(kind: &str, id: &str) -> Self {
        let message = format!("No such {}: '{id}'", kind.replace('.', "_"));
        let refusal = Self::invalid("resource_missing", message);
        Self { status: 404, param: Some("id".to_owned()), ..refusal }
    }

    /// 404: there is no such URL.
    pub(super) fn unknown_url(method: Method, path: &str) -> Self {
        let message = format!("Unrecognized request URL ({method:?}: {path}).");
        let kind = "invalid_request_error";
        Self { status: 404, kind, code: None, param: None, message }
    }

    /// 400: an idempotency key comes again with another request.
    pub(super) fn key_reused() -> Self {
        let message =
            "Keys for idempotent requests can only be used with the same parameters they \
                       were first used with."
                .to_owned();
        Self { status: 400, kind: "idempotency_error", code: None, param: None, message }
    }

    /// The body.
    pub(super) fn body(&self) -> Value {
        let mut error = json!({ "type": self.kind, "message": self.message });
        if let Some(code) = self.code {
            error["code"] = code.into();
            error["doc_url"] = format!("https://stripe.com/docs/error-codes/{code}").into();
        }
        if let Some(param) = &self.param {
            error["param"] = param.as_str().into();
        }
        json!({ "error": error })
    }
}
