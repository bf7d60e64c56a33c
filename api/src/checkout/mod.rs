//! Checkouts: what they are started with, and what became of them.

pub(crate) mod get;
pub(crate) mod params;
