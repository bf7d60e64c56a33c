//! Views of Stripe's objects: what we read of each, from every shape that it ever had.
//!
//! No structs that mirror Stripe's: a field that is missing, new or of a new value never makes an object unreadable.
//! Only a field that decides about money or identity and has an impossible type does, because to go on would be to
//! guess: [`UnsupportedShape`], which ends up before a person. Look at which fields are there, never at `api_version`.

mod charge;
mod credit_note;
mod customer;
mod dispute;
mod early_fraud_warning;
mod fields;
mod id_shaped;
mod invoice;
mod invoice_line;
mod invoice_payment;
mod order;
mod payment_intent;
mod period;
mod price;
mod refund;
mod session;
mod subscription;
#[cfg(test)]
mod tests;

pub use charge::Charge;
pub use credit_note::CreditNote;
pub use customer::Customer;
pub use dispute::{BalanceTransaction, Dispute, Moved};
pub use early_fraud_warning::EarlyFraudWarning;
pub use id_shaped::{MAX_ID_SHAPED, id_shaped_values};
pub use invoice::Invoice;
pub use invoice_line::InvoiceLine;
pub use invoice_payment::InvoicePayment;
pub use order::Order;
pub use payment_intent::PaymentIntent;
pub use period::Period;
pub use price::Price;
pub use refund::Refund;
pub use session::{LineItem, Session};
pub use subscription::{Subscription, SubscriptionItem};

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
