//! Balances: one truthful object. All its parts come from one snapshot of the books.
//!
//! | module | what |
//! |---|---|
//! | [`get`] | one of them, now or at an instant |
//! | [`past`] | what can be told of an instant that is over |
//! | [`list`] | one in each unit |
//! | [`stream`] | one as it changes |
//! | [`version`] | whether it changed |

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use store::read::balance::Parts;
use store::units::Unit;

pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod past;
pub(crate) mod stream;
mod version;

pub(crate) use version::Version;

/// The balance object; amounts in the unit's smallest part.
#[derive(Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub(crate) struct Balance {
    #[serde(flatten)]
    has: Has,
    /// When it was so.
    as_of: Timestamp,
    /// Newest position that was decided then, of anybody's events.
    position: i64,
}

/// What the user has: as long as nothing of it changes, the balance is the same.
#[derive(Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "BalanceParts")]
struct Has {
    #[schemars(extend("const" = "balance"))]
    object: &'static str,
    user: String,
    unit: String,
    /// Digits behind the point where amounts are shown to people.
    scale: u8,
    available: i64,
    held: i64,
    pending: i64,
    in_review: i64,
    disputed: i64,
    debt: i64,
    posted: i64,
    expiring_next: Option<Expiry>,
    /// How many commands were carried out on the account.
    seq: i64,
}

/// Credits that run out at one instant.
#[derive(Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "BalanceExpiry")]
struct Expiry {
    amount: i64,
    at: Timestamp,
}

impl Balance {
    /// The balance of a user at an instant.
    pub(crate) fn new(user: &str, unit: &Unit, parts: &Parts, as_of: Timestamp) -> Self {
        let has = Has {
            object: "balance",
            user: user.to_owned(),
            unit: unit.name.clone(),
            scale: unit.scale,
            available: parts.available(),
            held: parts.held,
            pending: parts.pending,
            in_review: parts.in_review,
            disputed: parts.disputed,
            debt: parts.debt(),
            posted: parts.posted,
            expiring_next: parts.expiring_next.map(|(amount, at)| Expiry { amount, at }),
            seq: parts.steps,
        };
        Self { has, as_of, position: parts.decided_pos }
    }

    /// Which version of the balance it is.
    pub(crate) fn version(&self) -> Version {
        Version::of(&self.has)
    }
}
