//! What is to be written after a batch was decided, beyond the changed rows of the world itself.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ledger::decision::Reason;
use ledger::ids::{AccountId, CaseId, Owner};
use ledger::movement::{Movement, NewTerms};

use crate::catalogue::Entry;
use crate::evidence::Evidence;
use crate::news::Registration;

/// What the decisions of a batch amount to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Decisions, in the order in which they were made.
    pub decisions: Vec<Decision>,
    /// Movements of credits, in the order in which they are posted.
    pub movements: Vec<Movement>,
    /// Links made.
    pub links: Vec<Link>,
    /// Customers whose links, made before this batch, ended, with the positions of the decisions that ended them.
    pub unlinked: Vec<(String, i64)>,
    /// Owners that payments were handed over to: they have to be known even where no credits went along.
    pub owners: BTreeSet<Owner>,
    /// Users registered or changed, by position.
    pub registrations: Vec<(i64, Registration)>,
    /// Users added because of a payment, by position.
    pub admitted: Vec<(i64, String)>,
    /// Other terms for what is left of credits; they hold after all movements.
    pub new_terms: Vec<NewTerms>,
    /// Versions of catalogue entries.
    pub entries: Vec<Version>,
    /// Customers whose facts changed.
    pub customers: BTreeSet<String>,
    /// What waiting cases are released by, with the position of the fact.
    pub woken: BTreeMap<String, i64>,
    /// Cases that were opened, in that order.
    pub opened: Vec<CaseId>,
    /// Cases that were closed, in that order.
    pub closed: Vec<CaseId>,
    /// Payments that were merged into others.
    pub merged: Vec<Merged>,
}

/// A payment that was merged into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Its root key.
    pub root_key: String,
    /// Position of the first event that told of it.
    pub first_pos: i64,
    /// The root key of the other.
    pub into: String,
}

impl Effects {
    /// Nothing.
    pub const EMPTY: Self = Self {
        decisions: Vec::new(),
        movements: Vec::new(),
        links: Vec::new(),
        unlinked: Vec::new(),
        owners: BTreeSet::new(),
        registrations: Vec::new(),
        admitted: Vec::new(),
        new_terms: Vec::new(),
        entries: Vec::new(),
        customers: BTreeSet::new(),
        woken: BTreeMap::new(),
        opened: Vec::new(),
        closed: Vec::new(),
        merged: Vec::new(),
    };
}

/// What was concluded from one event (`decision`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Position of the event.
    pub pos: i64,
    /// 0 for the first; later ones count up.
    pub rev: i32,
    /// Lane of the event.
    pub slot: i16,
    /// Why, and so with which outcome.
    pub reason: Reason,
    /// Payment that it concerns.
    pub root_key: Option<String>,
    /// Account that owns the payment after it.
    pub account: Option<AccountId>,
    /// Rank of the evidence that settled whose it is.
    pub rank: Option<i16>,
    /// Position of the catalogue entry that was in force.
    pub catalogue_pos: Option<i64>,
    /// Evidence that was weighed.
    pub evidence: Vec<Evidence>,
    /// For a revision: position of what released it.
    pub cause_pos: Option<i64>,
}

/// A version of a catalogue entry (`catalogue_entry`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Price, product or lookup key that it is for.
    pub key: String,
    /// Position of the event that set it.
    pub pos: i64,
    /// Purchases from then on count by it; `None`: from ever.
    pub valid_from: Option<Timestamp>,
    /// What it says.
    pub entry: Entry,
}

/// A link made (`customer_link`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Customer.
    pub customer: String,
    /// User.
    pub user: String,
    /// Position of the decision that made it.
    pub pos: i64,
    /// Position of the decision that ended it, if one of the same batch did.
    pub until: Option<i64>,
}
