//! Stripe's side of the counter: signatures, the event envelope, tolerant views of its objects. Knows no credits.
//!
//! Everything here is pure: bytes or a [`serde_json::Value`] in, values out. No clock, no I/O, no float.
//!
//! | module | what |
//! |---|---|
//! | [`signature`] | did Stripe send these bytes, and under which secret |
//! | [`json`] | the one way in which bytes become JSON: strict, so that two readers cannot understand them differently |
//! | [`envelope`] | what an event says of itself: id, type, time, account, and the purchase it belongs to |
//! | [`event_type`] | which types are understood, deferred, or none of our business, and where the API has what they name |
//! | [`objects`] | what the objects inside say, in every shape that Stripe has given them since 2014 |
//!
//! A delivery is verified over its raw bytes first and parsed later:
//!
//! ```
//! use stripe::signature::{self, Secret, Tolerance};
//!
//! let secret = Secret::parse("whsec_5f0c2a9be41d4c7c8a36e1f7")?;
//! let body = br#"{"id":"evt_1","object":"event","type":"customer.created","data":{"object":{"id":"cus_1"}}}"#;
//! let header = signature::sign(&secret, 1_700_000_000, body);
//!
//! let now = 1_700_000_012;
//! let which = signature::verify(header.as_bytes(), body, &[secret], now, Tolerance::STANDARD)?;
//! assert_eq!(which, 0);
//! assert_eq!(stripe::envelope::peek(body)?.id, "evt_1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod envelope;
pub mod event_type;
pub mod json;
pub mod objects;
mod reference;
pub mod signature;

#[cfg(test)]
mod testing;

pub use reference::MAX_ID_CHARS;
