//! Which purchase an object belongs to, as far as one look at it tells.

use serde_json::Value;

use crate::reference::reference;

/// What leads to a purchase, the best first: the kind of object that is it, and where other objects name it.
/// `payment.payment_intent` stands in `invoice_payment` (Basil and later).
const ROOTS: [(&str, &[&str]); 5] = [
    ("payment_intent", &["/payment_intent", "/payment/payment_intent"]),
    ("invoice", &["/invoice"]),
    ("checkout.session", &[]),
    ("charge", &["/charge"]),
    ("subscription", &["/subscription"]),
];

/// Who pays. `customer_account` stands beside or instead of `customer` (Clover and later).
const CUSTOMER: (&str, &[&str]) = ("customer", &["/customer", "/customer_account"]);

/// The object of an event, as far as its keys matter.
pub(super) struct Names<'a> {
    /// What kind of object it is.
    pub(super) kind: Option<&'a str>,
    /// Its own id.
    pub(super) id: Option<&'a str>,
    /// The object itself, which names others; a thin event carries none.
    pub(super) carried: Option<&'a Value>,
}

impl Names<'_> {
    /// Id of the purchase.
    pub(super) fn root(&self) -> Option<String> {
        ROOTS.iter().find_map(|&(kind, pointers)| self.is_or_names(kind, pointers))
    }

    /// Id of the customer.
    pub(super) fn customer(&self) -> Option<String> {
        self.is_or_names(CUSTOMER.0, CUSTOMER.1)
    }

    fn is_or_names(&self, kind: &str, pointers: &[&str]) -> Option<String> {
        let own_id = if self.kind == Some(kind) { self.id.map(str::to_owned) } else { None };
        let named = |pointer: &&str| reference(self.carried?.pointer(pointer)).ok().flatten();
        own_id.or_else(|| pointers.iter().find_map(named))
    }
}

/// An id of Stripe's, made unique across accounts.
pub(super) fn key(account: Option<&str>, id: &str) -> String {
    account.map_or_else(|| id.to_owned(), |account| format!("{account}/{id}"))
}
