//! Checkouts: what they are started with, and what became of them.

mod awaited;
pub(crate) mod get;
pub(crate) mod params;

pub(crate) use awaited::Checkouts;
