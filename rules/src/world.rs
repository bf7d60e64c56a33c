//! What is known while a batch is decided: read under locks before, changed by each event for the next one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ledger::account::{SystemAccount, Terms};
use ledger::decision::Reason;
use ledger::ids::{CaseId, Owner};
use serde::{Deserialize, Serialize};

use crate::catalogue::Catalogue;
use crate::customer;
use crate::effects::Effects;
use crate::evidence::Evidence;
use crate::payment::Facts;
use crate::policy::Policy;

/// Everything that the events of a batch may touch, of one tenant.
#[derive(Clone, Debug)]
pub struct World {
    /// Whose.
    pub tenant_id: i32,
    /// The time of the batch.
    pub now: Timestamp,
    /// What the business chose.
    pub policy: Policy,
    /// Payments by root key; none of them merged into another.
    pub payments: BTreeMap<String, Payment>,
    /// Root key of the payment that each object leads to.
    pub aliases: BTreeMap<String, String>,
    /// Facts of customers.
    pub customers: BTreeMap<String, customer::Facts>,
    /// Users that customers are linked to.
    pub links: BTreeMap<String, String>,
    /// Payments that made those links, by customer: who contradicts a link is told which payment he contradicts.
    pub linked_by: BTreeMap<String, String>,
    /// Users that are known, of those that may matter.
    pub users: BTreeMap<String, User>,
    /// Catalogue entries of the prices that may matter.
    pub catalogue: Catalogue,
    /// Cases of these payments, and those that are acted on.
    pub cases: BTreeMap<CaseId, Case>,
    /// Of the keys that thin events wait for: those that Stripe answered, as the log has it.
    pub fetched: BTreeSet<String>,
    /// What is to be written.
    pub effects: Effects,
}

/// A user of the directory, as far as evidence is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// Keyed hash of the e-mail, hexadecimal.
    pub email: Option<String>,
    /// Whether the app says that the e-mail is the user's.
    pub email_verified: bool,
    /// Keyed hash of the name, hexadecimal.
    pub name: Option<String>,
}

/// Where a payment stands (`payment.status`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Nothing is known but its name.
    #[default]
    Unknown,
    /// Not paid yet.
    Pending,
    /// Paid.
    Paid,
    /// It will not be paid.
    Failed,
    /// Not ours to keep the books of.
    NotOurs,
}

impl Status {
    /// The number that the database keeps.
    pub const fn code(self) -> i16 {
        match self {
            Self::Unknown => 0,
            Self::Pending => 1,
            Self::Paid => 2,
            Self::Failed => 3,
            Self::NotOurs => 4,
        }
    }

    /// The status with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::Unknown, Self::Pending, Self::Paid, Self::Failed, Self::NotOurs]
            .into_iter()
            .find(|status| status.code() == code)
    }
}

/// A payment: its facts, and what was concluded from them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payment {
    /// What was said of it.
    pub facts: Facts,
    /// Position of the first event that told of it: the older root survives a merge.
    pub first_pos: i64,
    /// Whom its credits stand with; `None` while nothing is posted.
    pub owner: Option<Owner>,
    /// Counts up with each change of the owner: who reassigns it names the version that was seen.
    pub version: i64,
    /// The one user whom all evidence names, while it is pending or in review.
    pub claimant: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// Its legs by line and kind.
    pub legs: BTreeMap<(String, LegKind), Leg>,
    /// Whether it has to be written.
    pub dirty: bool,
}

/// Which leg of a line (`payment_leg.leg`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LegKind {
    /// What was bought; never negative.
    Purchase,
    /// What refunds take back of it; never positive.
    Refund,
    /// What disputes take back of it; never positive.
    Dispute,
    /// What another system gave of it before: it stands in an opening balance, so it is taken off here; never positive.
    Carried,
}

impl LegKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Purchase, Self::Refund, Self::Dispute, Self::Carried];

    /// The number that the database keeps.
    pub const fn code(self) -> i16 {
        match self {
            Self::Purchase => 1,
            Self::Refund => 2,
            Self::Dispute => 3,
            Self::Carried => 4,
        }
    }

    /// The kind with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The leg of which a movement against this account may be written off; what moves between accounts is of the purchase.
    pub const fn of(contra: SystemAccount) -> Self {
        match contra {
            SystemAccount::Refund => Self::Refund,
            SystemAccount::Dispute => Self::Dispute,
            SystemAccount::Sale
            | SystemAccount::Spend
            | SystemAccount::Expiry
            | SystemAccount::Promo
            | SystemAccount::Adjustment
            | SystemAccount::Unclaimed
            | SystemAccount::WriteOff => Self::Purchase,
        }
    }

    /// The other side of its movements.
    pub const fn contra(self) -> SystemAccount {
        match self {
            Self::Purchase => SystemAccount::Sale,
            Self::Refund => SystemAccount::Refund,
            Self::Dispute => SystemAccount::Dispute,
            Self::Carried => SystemAccount::Adjustment,
        }
    }
}

/// One leg of one line (`payment_leg`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Unit.
    pub unit: String,
    /// Credits that the line is worth once it is paid.
    pub expected: i64,
    /// Credits that are due now.
    pub target: i64,
    /// Credits that are posted.
    pub posted: i64,
    /// Credits that were taken back and written off, since they were spent: they count as posted.
    pub forgiven: i64,
    /// Until when they can be spent, and before which others.
    pub terms: Terms,
}

/// How a case was closed (`review_case.resolution`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// A fact settled it.
    Healed,
    /// A person said whose it is.
    Assigned,
    /// A person said that nothing is due.
    Dismissed,
    /// Another case took its place.
    Superseded,
    /// Its wait is over.
    Expired,
}

impl Resolution {
    /// The number that the database keeps.
    pub const fn code(self) -> i16 {
        match self {
            Self::Healed => 1,
            Self::Assigned => 2,
            Self::Dismissed => 3,
            Self::Superseded => 4,
            Self::Expired => 5,
        }
    }

    /// The resolution with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        let all = [Self::Healed, Self::Assigned, Self::Dismissed, Self::Superseded, Self::Expired];
        all.into_iter().find(|resolution| resolution.code() == code)
    }
}

/// An event whose latest decision may have to be revised: it is in review, or was ignored as not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// Newest revision of its decision.
    pub rev: i32,
    /// Its lane.
    pub slot: i16,
}

/// Someone who may be the right user, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Candidate {
    /// User.
    pub user: String,
    /// Why, in words.
    pub why: String,
}

/// What staff need to see of a case (`review_case.detail`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// All evidence that was weighed.
    #[serde(default)]
    pub evidence: Vec<RankedEvidence>,
    /// Who it may be.
    #[serde(default)]
    pub candidates: Vec<Candidate>,
    /// Credits that it is worth, where that is known.
    pub credits: Option<i64>,
    /// Unit of those.
    pub unit: Option<String>,
    /// Money paid, in the currency's minor unit.
    pub paid: Option<i64>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
    /// What does not fit, or what failed.
    pub error: Option<String>,
}

/// A piece of evidence with its rank, as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankedEvidence {
    /// 0 outranks all.
    pub rank: i16,
    /// The piece.
    #[serde(flatten)]
    pub evidence: Evidence,
}

impl From<&Evidence> for RankedEvidence {
    fn from(evidence: &Evidence) -> Self {
        Self { rank: evidence.kind.rank(), evidence: evidence.clone() }
    }
}

/// Something that waits for a fact or for a person (`review_case`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Position of the event that opened it.
    pub pos: i64,
    /// Payment that it holds up; `None` for bytes that are no event.
    pub root_key: Option<String>,
    /// Why.
    pub reason: Reason,
    /// How it was closed; `None` while it is open.
    pub resolution: Option<Resolution>,
    /// Counts up with each change.
    pub version: i32,
    /// When it was opened, or opened again.
    pub opened_at: Timestamp,
    /// When it is to be decided anew.
    pub due: Option<Timestamp>,
    /// Position of the fact that made it due.
    pub due_pos: Option<i64>,
    /// Position of the event that closed it.
    pub closed_pos: Option<i64>,
    /// What it waits for.
    pub waits_for: BTreeSet<String>,
    /// What staff need to see.
    pub detail: Detail,
    /// Events whose latest decision is in review for it.
    pub events: BTreeMap<i64, Attached>,
    /// Whether it has to be written.
    pub dirty: bool,
}

impl Case {
    /// Whether it is open.
    pub const fn is_open(&self) -> bool {
        self.resolution.is_none()
    }
}

impl Payment {
    /// Notes whom its credits stand with now.
    pub fn set_owner(&mut self, owner: Option<Owner>) {
        if self.owner != owner {
            self.owner = owner;
            self.version = self.version.saturating_add(1);
        }
    }
}

impl World {
    /// A world in which nothing is known.
    pub const fn empty(tenant_id: i32, now: Timestamp, policy: Policy) -> Self {
        Self {
            tenant_id,
            now,
            policy,
            payments: BTreeMap::new(),
            aliases: BTreeMap::new(),
            customers: BTreeMap::new(),
            links: BTreeMap::new(),
            linked_by: BTreeMap::new(),
            users: BTreeMap::new(),
            catalogue: Catalogue::EMPTY,
            cases: BTreeMap::new(),
            fetched: BTreeSet::new(),
            effects: Effects::EMPTY,
        }
    }

    /// Whether a payment has credits on some account, or would have, had they not been taken back.
    pub fn is_posted(&self, root_key: &str) -> bool {
        let payment = self.payments.get(root_key);
        payment.is_some_and(|payment| payment.legs.values().any(|leg| leg.posted > 0))
    }

    /// Open cases that hold up a payment.
    pub fn open_cases_of(&self, root_key: &str) -> Vec<CaseId> {
        let holds = |case: &&Case| case.is_open() && case.root_key.as_deref() == Some(root_key);
        self.cases.iter().filter(|(_, case)| holds(case)).map(|(id, _)| *id).collect()
    }
}
