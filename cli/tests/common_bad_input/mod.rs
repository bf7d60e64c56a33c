//! The rows of `bad_input.rs`, and what they are held to.

pub(crate) mod bodies;
pub(crate) mod door;
pub(crate) mod framing;
pub(crate) mod signatures;
mod wire;
