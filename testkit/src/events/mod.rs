//! Small Stripe events of our own making, in the shape of the recorded ones.
//!
//! Tests name what matters to them and leave the rest:
//!
//! ```
//! use testkit::events::{Purchase, metadata};
//!
//! let purchase = Purchase {
//!     metadata: metadata(&[("user_id", "u_1"), ("price", "price_50")]),
//!     ..Purchase::new("1")
//! };
//! let event = purchase.checkout_session_completed();
//! assert_eq!(event.id, "evt_checkout_session_completed_1");
//! ```

mod customer;
mod envelope;
mod purchase;

use std::collections::BTreeMap;

pub use customer::Customer;
pub use envelope::{API_VERSION, Event};
pub use purchase::Purchase;

/// Stripe's metadata: short names and values, both text.
pub type Metadata = BTreeMap<String, String>;

/// When all that is not told otherwise happened: 2026-01-01T00:00:00Z, in seconds since 1970.
pub const CREATED: i64 = 1_767_225_600;

/// Metadata of these pairs.
pub fn metadata(pairs: &[(&str, &str)]) -> Metadata {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
