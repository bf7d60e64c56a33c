//! Views of Stripe's objects: what we read of each, from every shape that it ever had.
//!
//! No structs that mirror Stripe's: a field that is missing, new or of a new value never makes an object unreadable.
//! Only a field that decides about money or identity and has an impossible type does, because to go on would be to
//! guess: [`UnsupportedShape`], which ends up before a person. Look at which fields are there, never at `api_version`.

mod charge;
mod customer;
mod fields;
mod id_shaped;
mod payment_intent;
mod session;
#[cfg(test)]
mod tests;

pub use charge::Charge;
pub use customer::Customer;
pub use id_shaped::{MAX_ID_SHAPED, id_shaped_values};
pub use payment_intent::PaymentIntent;
pub use session::{LineItem, Session};

/// An object that cannot be read without guessing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is not {expected}")]
pub struct UnsupportedShape {
    /// Where in the object, such as `line_items.data.0.quantity`.
    pub path: String,
    /// What should stand there.
    pub expected: &'static str,
}

/// Text with the place where it stood, so that a decision can say what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Where in the object, such as `customer_details.email`.
    pub path: String,
    /// The text, as it stands there.
    pub value: String,
}
