//! What answers tell, as far as the model tells it as well.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::ids::GrantId;
use serde::{Deserialize, Deserializer};

/// How an account stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Balance {
    pub(super) available: i64,
    pub(super) held: i64,
    pub(super) posted: i64,
    pub(super) debt: i64,
}

/// Credits that run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Expiring {
    pub(super) amount: i64,
    pub(super) at: Timestamp,
}

/// The answer to a command. What it does not have is zero or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    pub(super) seq: i64,
    pub(super) amount: i64,
    /// Of a hold.
    pub(super) status: String,
    pub(super) captured: i64,
    /// Of a reversal.
    pub(super) lapsed: i64,
    /// Of a grant.
    pub(super) remaining: i64,
    /// Credits by the number of their grant.
    #[serde(deserialize_with = "shares")]
    pub(super) grants: BTreeMap<i64, i64>,
    /// The account after it.
    pub(super) balance: Balance,
}

/// The answer to a question about the balance.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Read {
    pub(super) seq: i64,
    pub(super) position: i64,
    pub(super) as_of: Timestamp,
    #[serde(flatten)]
    pub(super) balance: Balance,
    pub(super) expiring_next: Option<Expiring>,
}

#[derive(Deserialize)]
struct Share {
    grant: String,
    amount: i64,
}

fn shares<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<i64, i64>, D::Error> {
    let shares: Vec<Share> = Vec::deserialize(deserializer)?;
    let by_grant = shares.into_iter().map(|share| {
        let GrantId(grant) = share.grant.parse().unwrap();
        (grant.seq, share.amount)
    });
    Ok(by_grant.collect())
}
