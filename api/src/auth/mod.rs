//! Who asks, and whether they may.

mod caller;
mod keys;
mod operation;

pub(crate) use caller::{Caller, authorize};
pub(crate) use keys::Keys;
pub(crate) use operation::{Operation, WRITE_OFF};
