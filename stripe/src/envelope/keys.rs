//! Which purchase an object belongs to, as far as one look at it tells.

use serde_json::Value;

use super::data_object;
use crate::reference;

/// What leads to a purchase, the best first: the kind of object that is it, and where other objects name it.
/// `payment` stands in `invoice_payment` (Basil and later).
const ROOTS: [(&str, &[&str]); 5] = [
    ("payment_intent", &["/payment_intent", "/payment/payment_intent"]),
    ("invoice", &["/invoice"]),
    ("checkout.session", &[]),
    ("charge", &["/charge", "/payment/charge"]),
    ("subscription", &["/subscription"]),
];

/// Who pays. `customer_account` stands beside or instead of `customer` (Clover and later).
const CUSTOMER: (&str, &[&str]) = ("customer", &["/customer", "/customer_account"]);

/// The object that an event tells of, as far as its keys matter.
pub(super) struct EventObject<'a> {
    /// What kind of object it is.
    pub(super) kind: Option<String>,
    /// Its own id.
    pub(super) id: Option<String>,
    /// The object itself, which names others; a thin event carries none.
    carried: Option<&'a Value>,
}

impl<'a> EventObject<'a> {
    /// The object that a classic event carries, or a thin one names.
    pub(super) fn of(event: &'a Value, thin: bool) -> Self {
        if !thin {
            return Self::carried(data_object(event));
        }
        let related = event.get("related_object");
        Self { carried: None, ..Self::labelled(related, "type") }
    }

    /// An object that is there in full.
    pub(super) fn carried(object: Option<&'a Value>) -> Self {
        Self::labelled(object, "object")
    }

    fn labelled(object: Option<&'a Value>, kind_field: &str) -> Self {
        Self {
            kind: reference::id(object.and_then(|object| object.get(kind_field))),
            id: reference::id(object.and_then(|object| object.get("id"))),
            carried: object,
        }
    }

    /// Id of the purchase.
    pub(super) fn root(&self) -> Option<String> {
        ROOTS.iter().find_map(|&(kind, pointers)| self.is_or_names(kind, pointers))
    }

    /// Id of the customer.
    pub(super) fn customer(&self) -> Option<String> {
        let (kind, pointers) = CUSTOMER;
        self.is_or_names(kind, pointers)
    }

    fn is_or_names(&self, kind: &str, pointers: &[&str]) -> Option<String> {
        let own_id = self.id.clone().filter(|_| self.kind.as_deref() == Some(kind));
        let named = |pointer: &&str| {
            let value = self.carried?.pointer(pointer);
            reference::reference(value).ok().flatten()
        };
        own_id.or_else(|| pointers.iter().find_map(named))
    }
}

/// An id of Stripe's, made unique across accounts.
pub(super) fn key(account: Option<&str>, id: &str) -> String {
    account.map_or_else(|| id.to_owned(), |account| format!("{account}/{id}"))
}
