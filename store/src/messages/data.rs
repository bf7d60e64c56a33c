//! What each message says. The schemas of `schemas/messages` are derived from these types.

use jiff::Timestamp;
use ledger::account::{HoldState, SystemAccount};
use ledger::decision::{Outcome, Reason};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// Credits moved on a user's account.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct CreditsMoved<'a> {
    pub(crate) user: &'a str,
    pub(crate) unit: &'a str,
    /// In the unit's smallest part; below zero if they left the account.
    pub(crate) amount: i64,
    /// The system account on the other side.
    #[schemars(extend("enum" = SystemAccount::ALL.map(SystemAccount::name)))]
    pub(crate) contra: &'static str,
    /// Id of the posting.
    pub(crate) posting: String,
    /// Payment that they were bought by, and its line.
    pub(crate) payment: Option<&'a str>,
    pub(crate) line: Option<&'a str>,
    /// Position of the event that they moved because of; null if a command moved them.
    pub(crate) position: Option<i64>,
    /// The command that moved them; null if an event did.
    pub(crate) command: Option<Uuid>,
    /// When it took effect.
    pub(crate) effective_at: Timestamp,
}

/// A hold was made, or ended.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct HoldChanged<'a> {
    pub(crate) user: &'a str,
    pub(crate) unit: &'a str,
    /// What it reserves, or lets go, in the unit's smallest part.
    #[schemars(range(min = 1))]
    pub(crate) amount: i64,
    /// Id of the hold.
    pub(crate) hold: String,
    #[schemars(extend("enum" = HoldState::ALL.map(HoldState::name)))]
    pub(crate) status: &'static str,
    pub(crate) expires_at: Timestamp,
}

/// A user's balance changed. After a command it says what can be spent; after an event, only what is posted.
#[derive(Debug, Default, JsonSchema, Serialize)]
pub(crate) struct BalanceChanged<'a> {
    pub(crate) user: &'a str,
    pub(crate) unit: &'a str,
    /// In the unit's smallest part, as all amounts.
    pub(crate) posted: i64,
    /// How many postings the account has.
    pub(crate) version: i64,
    #[schemars(with = "i64")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) held: Option<i64>,
    #[schemars(with = "i64")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) available: Option<i64>,
    /// What `posted` is below zero.
    #[schemars(with = "i64")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) debt: Option<i64>,
    /// How many commands were carried out on the account.
    #[schemars(with = "i64")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seq: Option<i64>,
}

/// A case was opened, or closed.
#[derive(Debug, JsonSchema, Serialize)]
pub struct CaseChanged<'a> {
    /// Id of the case.
    pub case: String,
    /// Why it was opened.
    #[schemars(extend("enum" = case_reasons()))]
    pub reason: &'static str,
    /// Payment that it holds up.
    pub payment: Option<&'a str>,
    /// Counts up with each change of the case.
    pub version: i32,
    /// Position of the event that opened it.
    pub position: i64,
}

fn case_reasons() -> Vec<&'static str> {
    let of_cases = Reason::ALL.into_iter().filter(|reason| reason.outcome() == Outcome::InReview);
    of_cases.map(Reason::name).collect()
}
