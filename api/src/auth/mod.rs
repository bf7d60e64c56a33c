//! Who asks, and whether they may.

mod caller;
mod keys;
mod operation;

pub use caller::{Caller, authorize};
pub use keys::Keys;
pub use operation::{Operation, WRITE_OFF};
