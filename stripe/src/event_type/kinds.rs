//! The kinds of objects that are understood, whichever way they came, and where Stripe's API has them.

use super::Class;
use crate::MAX_ID_CHARS;

/// What the objects' `object` field says, their class, and where the API has them.
const KINDS: [(&str, Class, &str); 11] = [
    ("checkout.session", Class::Session, "/v1/checkout/sessions"),
    ("payment_intent", Class::PaymentIntent, "/v1/payment_intents"),
    ("charge", Class::Charge, "/v1/charges"),
    ("refund", Class::Refund, "/v1/refunds"),
    ("dispute", Class::Dispute, "/v1/disputes"),
    ("invoice", Class::Invoice, "/v1/invoices"),
    ("invoice_payment", Class::InvoicePayment, "/v1/invoice_payments"),
    ("credit_note", Class::CreditNote, "/v1/credit_notes"),
    ("customer", Class::Customer, "/v1/customers"),
    ("subscription", Class::Subscription, "/v1/subscriptions"),
    ("radar.early_fraud_warning", Class::EarlyFraudWarning, "/v1/radar/early_fraud_warnings"),
];

/// Where the API has events: they are no news by themselves, but carry some.
const EVENTS: (&str, &str) = ("event", "/v1/events");

/// The class of an object that was pulled from the API, by its `object` field.
pub fn classify_object(kind: &str) -> Option<Class> {
    KINDS.iter().find(|(name, _, _)| *name == kind).map(|&(_, class, _)| class)
}

/// Where Stripe's API has an object (or an event), such as `/v1/charges/ch_1`. None for a kind that is not understood,
/// and for an id that could lead anywhere else: what an event names decides which path is asked with a secret key.
pub fn api_path(kind: &str, id: &str) -> Option<String> {
    if !is_id(id) {
        return None;
    }
    let folders = KINDS.iter().map(|&(name, _, folder)| (name, folder)).chain([EVENTS]);
    folders.into_iter().find(|(name, _)| *name == kind).map(|(_, folder)| format!("{folder}/{id}"))
}

/// What stands at such a path: the kind of object, as its `object` field says it, and its id. None for a path that
/// [`api_path`] gives for no object; events are none.
pub fn object_at(path: &str) -> Option<(&'static str, &str)> {
    let (folder, id) = path.rsplit_once('/')?;
    let (kind, _, _) = KINDS.iter().find(|(_, _, known)| *known == folder)?;
    is_id(id).then_some((*kind, id))
}

/// Whether an id of Stripe's can be this, which nothing in a path can make lead elsewhere.
pub fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=MAX_ID_CHARS).contains(&text.len()) && text.bytes().all(is_plain)
}
