//! Who asks, and whether they may.

mod caller;
mod cors;
mod door;
mod keys;
mod limits;
mod operation;
mod token;

pub(crate) use caller::Caller;
pub use cors::Origins;
pub(crate) use door::authorize;
pub(crate) use keys::Keys;
pub use limits::RateLimit;
pub(crate) use limits::RateLimits;
pub(crate) use operation::WRITE_OFF;
pub use operation::{ForUsers, Operation, scopes_of};
pub(crate) use token::Tokens;
pub use token::{Issuer, IssuerError, IssuerTold};
