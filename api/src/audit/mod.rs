//! Who did what.

pub(crate) mod list;
