//! One payment: what is due by its facts, whom it stands with, and which case it needs.
//!
//! `delta = target − posted` per line. Settling twice moves nothing the second time, and whatever order the facts came
//! in, the last settling ends at the same net balances (DESIGN, section 5).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use ledger::decision::Reason;
use ledger::ids::Owner;

use crate::effects::Link;
use crate::evidence::Evidence;
use crate::fetching::fetch_key;
use crate::movement::{expect, lines_of, post, unclaimed_of, unpost};
use crate::payment::{Door, Facts, Progress};
use crate::policy::WAIT_FOR_SESSION_SECONDS;
use crate::resolve::{Applied, Resolved, Verdict, resolve};
use crate::world::{Detail, RankedEvidence, Status, World};
use crate::worth::{Doubt, Worth, worth};

/// The decision in whose name credits move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Position of its event.
    pub pos: i64,
    /// Its revision.
    pub rev: i32,
    /// Number of its next movement.
    pub next_effect: i32,
}

impl Cause {
    /// A decision that has moved nothing yet.
    pub const fn new(pos: i64, rev: i32) -> Self {
        Self { pos, rev, next_effect: 0 }
    }

    /// Whether credits moved in its name.
    pub const fn has_moved(&self) -> bool {
        self.next_effect > 0
    }
}

/// Where a payment stands after settling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What the decision says.
    pub reason: Reason,
    /// The case that it needs, if any.
    pub need: Option<Need>,
    /// Rank of the evidence that settled whose it is.
    pub rank: Option<i16>,
    /// Evidence that was weighed.
    pub evidence: Vec<Evidence>,
    /// Position of the catalogue entry that was in force.
    pub catalogue_pos: Option<i64>,
}

/// A case that a payment needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Why.
    pub reason: Reason,
    /// What would settle it.
    pub waits_for: BTreeSet<String>,
    /// When the clock would.
    pub due: Option<Timestamp>,
    /// What staff need to see.
    pub detail: Detail,
}

impl Settled {
    /// Nothing was weighed, and no case is needed.
    pub const fn plain(reason: Reason) -> Self {
        Self { reason, need: None, rank: None, evidence: Vec::new(), catalogue_pos: None }
    }
}

/// Settles a payment after its facts, or what it waits for, changed. `before` is what its facts were: an applied payment
/// was settled by them, and only what is new can move it.
pub fn settle(world: &mut World, root_key: &str, cause: &mut Cause, before: &Facts) -> Settled {
    let Some(payment) = world.payments.get_mut(root_key) else {
        return Settled::plain(Reason::Joined);
    };
    payment.dirty = true;
    let facts = payment.facts.clone();
    if facts.is_dismissed() {
        payment.claimant = None;
        return Settled::plain(Reason::Dismissed);
    }
    payment.status = match facts.progress() {
        Progress::Pending => Status::Pending,
        Progress::Failed => Status::Failed,
        Progress::Paid => Status::Paid,
    };
    if !facts.is_ours() {
        return bare(world, root_key);
    }
    let applied_to = match &payment.owner {
        Some(Owner::User(user)) => Some(user.clone()),
        Some(Owner::Unclaimed(_)) | None => None,
    };
    let applied = applied_to.as_ref().map(|user| Applied { user, weighed: before });
    let is_worth_anew =
        facts.claims != before.claims || facts.lists != before.lists || facts.staff != before.staff;
    let worth = if applied.is_some() && !is_worth_anew {
        Worth::known(lines_of(world, root_key))
    } else {
        worth(&facts, world)
    };
    let resolved = resolve(world, &facts, applied);
    let mut settled = match (worth.is_not_ours, facts.progress()) {
        (true, _) => not_ours(world, root_key, cause),
        (false, Progress::Pending) => pending(world, root_key, &worth, &resolved),
        (false, Progress::Failed) => failed(world, root_key),
        (false, Progress::Paid) => paid(world, root_key, &worth, &resolved, cause),
    };
    settled.evidence = resolved.evidence;
    let prices = facts.prices().into_iter();
    let entries = prices.filter_map(|price| world.catalogue_pos.get(price));
    settled.catalogue_pos = entries.max().copied();
    settled
}

/// A payment intent or charge that names nothing of ours: it waits for the session or invoice that does.
fn bare(world: &mut World, root_key: &str) -> Settled {
    let due = world.now.checked_add(SignedDuration::from_secs(WAIT_FOR_SESSION_SECONDS)).ok();
    let Some(payment) = world.payments.get_mut(root_key) else {
        return Settled::plain(Reason::Joined);
    };
    match payment.status {
        Status::Pending => return Settled::plain(Reason::Pending),
        Status::Failed => return Settled::plain(Reason::Joined),
        Status::Unknown | Status::Paid | Status::NotOurs => {}
    }
    if payment.facts.waited {
        payment.status = Status::NotOurs;
        return Settled::plain(Reason::NotOurs);
    }
    let (paid, currency) = payment.facts.money();
    let detail = Detail {
        evidence: payment.facts.evidence.iter().map(RankedEvidence::from).collect(),
        paid,
        currency: currency.map(str::to_owned),
        ..Detail::default()
    };
    let evidence = payment.facts.evidence.iter().cloned().collect();
    let need = Need { reason: Reason::Waiting, waits_for: BTreeSet::new(), due, detail };
    Settled { need: Some(need), evidence, ..Settled::plain(Reason::Waiting) }
}

fn not_ours(world: &mut World, root_key: &str, cause: &mut Cause) -> Settled {
    unpost(world, root_key, cause);
    expect(world, root_key, &[]);
    if let Some(payment) = world.payments.get_mut(root_key) {
        payment.status = Status::NotOurs;
        payment.claimant = None;
    }
    Settled::plain(Reason::NotOurs)
}

fn pending(world: &mut World, root_key: &str, worth: &Worth, resolved: &Resolved) -> Settled {
    expect(world, root_key, &worth.lines);
    if let Some(payment) = world.payments.get_mut(root_key) {
        payment.claimant = claimant(&resolved.verdict);
    }
    Settled::plain(Reason::Pending)
}

/// Nothing will come of it.
fn failed(world: &mut World, root_key: &str) -> Settled {
    expect(world, root_key, &[]);
    if let Some(payment) = world.payments.get_mut(root_key) {
        payment.claimant = None;
    }
    Settled::plain(Reason::Joined)
}

fn paid(
    world: &mut World,
    root_key: &str,
    worth: &Worth,
    resolved: &Resolved,
    cause: &mut Cause,
) -> Settled {
    let owner = match &resolved.verdict {
        Verdict::User { user, .. } => Owner::User(user.clone()),
        Verdict::Open { .. } => unclaimed_of(root_key),
    };
    let taken = world.payments.get(root_key).map(|payment| payment.facts.taken());
    post(world, root_key, owner, (&worth.lines, taken.unwrap_or_default()), cause);
    let need = need(world, root_key, worth, resolved);
    if let Some(payment) = world.payments.get_mut(root_key) {
        payment.claimant = need.as_ref().and_then(|_| claimant(&resolved.verdict));
    }
    match (need, &resolved.verdict) {
        (Some(need), _) => {
            let reason = need.reason;
            Settled { need: Some(need), ..Settled::plain(reason) }
        }
        (None, Verdict::User { user, rank }) => {
            link(world, root_key, user, cause.pos);
            let reason = if cause.has_moved() { Reason::Credited } else { Reason::Joined };
            Settled { rank: Some(*rank), ..Settled::plain(reason) }
        }
        (None, Verdict::Open { .. }) => Settled::plain(Reason::Joined),
    }
}

/// The case that is needed: whose it is comes first, then what it is worth.
fn need(world: &World, root_key: &str, worth: &Worth, resolved: &Resolved) -> Option<Need> {
    let (reason, mut waits_for, candidates) = match (&resolved.verdict, &worth.doubt) {
        (Verdict::Open { reason, waits_for, candidates, .. }, _) => {
            (*reason, waits_for.clone(), candidates.clone())
        }
        (Verdict::User { .. }, Some(Doubt::Unknown)) => {
            (Reason::UnknownPrice, BTreeSet::new(), Vec::new())
        }
        (Verdict::User { .. }, Some(Doubt::Mismatch(_))) => {
            (Reason::CreditsMismatch, BTreeSet::new(), Vec::new())
        }
        (Verdict::User { .. }, None) => return None,
    };
    let facts = &world.payments.get(root_key)?.facts;
    // An entry can say what the catalogue did not, and can be corrected to what metadata says.
    let mismatch = match &worth.doubt {
        Some(Doubt::Mismatch(detail)) => Some(detail.clone()),
        Some(Doubt::Unknown) | None => None,
    };
    let open_prices = facts.prices().into_iter();
    let open_prices =
        open_prices.filter(|price| mismatch.is_some() || !world.catalogue.contains_key(*price));
    waits_for.extend(open_prices.map(|price| format!("price:{price}")));
    if worth.doubt == Some(Doubt::Unknown) {
        waits_for.extend(to_fetch(facts));
    }
    let (paid, currency) = facts.money();
    let line = worth.lines.first();
    let detail = Detail {
        evidence: resolved.evidence.iter().map(RankedEvidence::from).collect(),
        candidates,
        credits: line.map(|line| line.credits),
        unit: line.map(|line| line.unit.clone()),
        paid,
        currency: currency.map(str::to_owned),
        error: mismatch,
    };
    Some(Need { reason, waits_for, due: None, detail })
}

/// What Stripe would tell if it was asked: the lines of a session, which no webhook carries, or of an invoice that has
/// more of them than fit.
fn to_fetch(facts: &Facts) -> BTreeSet<String> {
    let is_complete = |id: &String| facts.lists.get(id).is_some_and(|list| list.complete);
    let open = facts.objects.iter().filter(|(id, _)| !is_complete(id));
    let path = open.filter_map(|(id, told)| match told.door {
        Door::Session if facts.prices().is_empty() => {
            fetch_key("checkout/sessions", id, "?expand[]=line_items")
        }
        Door::Invoice => fetch_key("invoices", id, ""),
        Door::Session | Door::PaymentIntent | Door::Charge => None,
    });
    path.collect()
}

fn claimant(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::User { user, .. } => Some(user.clone()),
        Verdict::Open { claimant, .. } => claimant.clone(),
    }
}

/// The first resolved payment of a customer links him to its user, and so releases what waits for the customer.
fn link(world: &mut World, root_key: &str, user: &str, pos: i64) {
    let payment = world.payments.get(root_key);
    let customers = payment.map(|payment| payment.facts.customers.clone()).unwrap_or_default();
    for customer in customers {
        if !world.links.contains_key(&customer) {
            world.links.insert(customer.clone(), user.to_owned());
            world.effects.woken.insert(format!("customer:{customer}"), pos);
            world.effects.links.push(Link { customer, user: user.to_owned(), pos });
        }
    }
}
