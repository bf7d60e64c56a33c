//! What an event says of itself, whatever it tells of: the envelope.
//!
//! Classic events carry their object in `data.object`; thin ones (`object: "v2.core.event"`) only name it in
//! `related_object`. [`peek`] reads the envelope straight from the bytes, for whoever must only store them;
//! [`read`] reads it from a document that is parsed anyway. The two say the same of every document.

mod keys;
#[cfg(test)]
mod tests;
mod thin;

use jiff::Timestamp;
use serde_json::Value;

use crate::json::{self, JsonProblem, Keep};
use crate::reference;
use keys::EventObject;
pub use thin::{ThinPaths, thin_paths};

/// `object` of a classic event.
const CLASSIC: &str = "event";
/// `object` of a thin event.
const THIN: &str = "v2.core.event";

/// A scalar that is read.
const SCALAR: Keep = Keep::Only(&[]);
/// A reference that is read: text, or an expanded object of which only its id counts.
const REFERENCE: Keep = Keep::Only(&[("id", SCALAR)]);

/// All that [`read`] looks at, so that [`peek`] builds no more than that.
static HEAD: Keep = Keep::Only(&[
    ("id", SCALAR),
    ("object", SCALAR),
    ("type", SCALAR),
    ("created", SCALAR),
    ("livemode", SCALAR),
    ("account", SCALAR),
    ("context", SCALAR),
    ("api_version", SCALAR),
    ("related_object", Keep::Only(&[("id", SCALAR), ("type", SCALAR)])),
    ("data", Keep::Only(&[("object", OBJECT)])),
]);

/// The part of `data.object` that says which purchase it belongs to.
const OBJECT: Keep = Keep::Only(&[
    ("id", SCALAR),
    ("object", SCALAR),
    ("payment_intent", REFERENCE),
    ("payment", Keep::Only(&[("payment_intent", REFERENCE), ("charge", REFERENCE)])),
    ("invoice", REFERENCE),
    ("charge", REFERENCE),
    ("subscription", REFERENCE),
    ("customer", REFERENCE),
    ("customer_account", REFERENCE),
]);

/// An event's own account of itself. Claims, all of them: what vouches for them is the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Stripe's id of the event; mostly, but not always, `evt_…`.
    pub id: String,
    /// Type, such as `checkout.session.completed`.
    pub event_type: String,
    /// When it happened; none if it does not say, or says something that is no time since 1970.
    pub created: Option<Timestamp>,
    /// Live or test mode, as it claims.
    pub livemode: Option<bool>,
    /// Connect account that it belongs to (a thin event calls it its context); none for the own account.
    pub account: Option<String>,
    /// API version that it claims to be written in. It may be wrong: look at which fields are there instead.
    pub api_version: Option<String>,
    /// A thin event: it names its object and does not carry it.
    pub thin: bool,
    /// What kind of object it tells of, such as `charge`.
    pub object_type: Option<String>,
    /// Id of that object. Previews of invoices have none.
    pub object_id: Option<String>,
    /// Payment intent, else invoice, session, charge or subscription that the object is or names; `acct_…/` before it
    /// for Connect. A hint for lookups.
    pub root_key: Option<String>,
    /// What decides the lane: the root key, else the customer.
    pub routing_key: Option<String>,
}

impl Envelope {
    /// Key of an object of this event's account: its id, behind `acct_…/` for Connect.
    pub fn key(&self, id: &str) -> String {
        keys::key(self.account.as_deref(), id)
    }
}

/// Why bytes or a document are no event of Stripe's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEvent {
    /// They are no JSON that we read.
    #[error("not an event: {0}")]
    Json(#[from] JsonProblem),
    /// JSON, but not an object.
    #[error("not an event: the document is not an object")]
    NotAnObject,
    /// `object` names something else, or is absent and there is no `data.object`.
    #[error("not an event: `object` is neither \"event\" nor \"v2.core.event\"")]
    OtherObject,
    /// `id` is absent, blank, no text, or longer than [`crate::MAX_ID_CHARS`].
    #[error("not an event: `id` is not a text of 1 to 255 characters")]
    BadId,
    /// `type` is absent, blank, no text, or longer than [`crate::MAX_ID_CHARS`].
    #[error("not an event: `type` is not a text of 1 to 255 characters")]
    BadType,
    /// `account` (or a thin event's `context`) is there but is no id: whose event it is would be a guess.
    #[error("not an event: `account` is not the id of an account")]
    BadAccount,
}

/// Reads the envelope from the bytes of a delivery, in one pass that builds nothing else.
pub fn peek(body: &[u8]) -> Result<Envelope, NotAnEvent> {
    read(&json::parse_keeping(body, &HEAD)?)
}

/// Reads the envelope of a parsed document.
pub fn read(event: &Value) -> Result<Envelope, NotAnEvent> {
    // Whatever is looked at here has to stand in HEAD too.
    if !event.is_object() {
        return Err(NotAnEvent::NotAnObject);
    }
    let thin = is_thin(event)?;
    let id = reference::id(event.get("id")).ok_or(NotAnEvent::BadId)?;
    let event_type = reference::id(event.get("type")).ok_or(NotAnEvent::BadType)?;
    let account = account(event.get(if thin { "context" } else { "account" }))?;
    let object = EventObject::of(event, thin);
    let key = |id: String| keys::key(account.as_deref(), &id);
    let root_key = object.root().map(key);
    let routing_key = root_key.clone().or_else(|| object.customer().map(key));
    Ok(Envelope {
        id,
        event_type,
        created: event.get("created").and_then(time),
        livemode: event.get("livemode").and_then(Value::as_bool),
        api_version: reference::id(event.get("api_version")),
        thin,
        object_type: object.kind,
        object_id: object.id,
        root_key,
        routing_key,
        account,
    })
}

/// Id of the purchase that an object belongs to which no event carried, but the API told: what [`Envelope::root_key`]
/// is of an event, without an account before it.
pub fn root_of(object: &Value) -> Option<String> {
    EventObject::carried(Some(object)).root()
}

/// The object that a classic event carries.
pub fn data_object(event: &Value) -> Option<&Value> {
    event.get("data")?.get("object").filter(|object| object.is_object())
}

/// Every recorded event names its kind. One that is written by hand often does not, and carries an object all the same.
fn is_thin(event: &Value) -> Result<bool, NotAnEvent> {
    let object = event.get("object").filter(|object| !object.is_null());
    match object.map(Value::as_str) {
        Some(Some(CLASSIC)) => Ok(false),
        Some(Some(THIN)) => Ok(true),
        None if data_object(event).is_some() => Ok(false),
        _ => Err(NotAnEvent::OtherObject),
    }
}

/// An account is never expanded; an empty text means the own one.
fn account(value: Option<&Value>) -> Result<Option<String>, NotAnEvent> {
    match value {
        Some(Value::Object(_)) => Err(NotAnEvent::BadAccount),
        other => reference::reference(other).map_err(|_| NotAnEvent::BadAccount),
    }
}

/// Seconds since 1970 in classic events, RFC 3339 text in thin ones; either is understood in either. Earlier times are
/// none: Stripe is younger, and Postgres does not know all of them.
fn time(value: &Value) -> Option<Timestamp> {
    let time = match value.as_str() {
        Some(text) => text.parse().ok()?,
        None => Timestamp::from_second(value.as_i64()?).ok()?,
    };
    (time >= Timestamp::UNIX_EPOCH).then_some(time)
}
