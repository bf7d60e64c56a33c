//! What became of a checkout.

pub(crate) mod get;
