//! What is around every object that Stripe tells of.

use serde::Serialize;
use serde_json::Value;

/// The newest version of Stripe's API that the events here have the shape of.
pub const API_VERSION: &str = "2026-10-28.endive";

/// An event, ready to be signed and sent.
#[derive(Debug, Clone)]
pub struct Event {
    /// Stripe's id of it.
    pub id: String,
    /// Such as `checkout.session.completed`.
    pub kind: String,
    /// The bytes, pretty-printed as Stripe's are.
    pub body: Vec<u8>,
}

/// Where and when the object was told of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) name: &'a str,
    pub(super) created: i64,
    pub(super) livemode: bool,
    pub(super) account: Option<&'a str>,
}

/// The fields in Stripe's order.
#[derive(Serialize)]
struct Envelope<'a> {
    id: &'a str,
    object: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    api_version: &'static str,
    created: i64,
    data: Data,
    livemode: bool,
    pending_webhooks: u32,
    request: Request,
    #[serde(rename = "type")]
    kind: &'a str,
}

#[derive(Serialize)]
struct Data {
    object: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_attributes: Option<Value>,
}

#[derive(Serialize)]
struct Request {
    id: Option<String>,
    idempotency_key: Option<String>,
}

impl Event {
    /// An event of this type about this object. Its id is made of the type and the name, so that
    /// telling it again makes the same event.
    pub(super) fn new(
        kind: &str,
        told: Told<'_>,
        object: Value,
        previous_attributes: Option<Value>,
    ) -> Self {
        let id = format!("evt_{}_{}", kind.replace('.', "_"), told.name);
        let envelope = Envelope {
            id: &id,
            object: "event",
            account: told.account,
            api_version: API_VERSION,
            created: told.created,
            data: Data { object, previous_attributes },
            livemode: told.livemode,
            pending_webhooks: 1,
            request: Request { id: None, idempotency_key: None },
            kind,
        };
        let body = serde_json::to_vec_pretty(&envelope).expect("names and numbers are JSON");
        Self { id, kind: kind.to_owned(), body }
    }

    /// The same event as it is delivered again: Stripe counts `pending_webhooks` anew, so the bytes
    /// differ.
    #[must_use]
    pub fn delivered_again(&self) -> Self {
        let body = self.text().replace("\"pending_webhooks\": 1", "\"pending_webhooks\": 2");
        Self { body: body.into_bytes(), ..self.clone() }
    }

    /// Another event that tells the same, as Stripe makes one now and then.
    #[must_use]
    pub fn with_id(&self, id: &str) -> Self {
        let body = self.text().replacen(&self.id, id, 1);
        Self { id: id.to_owned(), body: body.into_bytes(), ..self.clone() }
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("JSON is UTF-8")
    }
}
