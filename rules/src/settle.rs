//! One payment: what is due by its facts, whom it stands with, and which case it needs.
//!
//! `delta = target − posted` per line. Settling twice moves nothing the second time, and whatever order the facts came
//! in, the last settling ends at the same net balances (DESIGN, section 5).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use ledger::decision::Reason;
use ledger::ids::Owner;

use crate::admission::admit;
use crate::catalogue::Known;
use crate::evidence::{Evidence, Kind};
use crate::fetching::fetch_key;
use crate::links::{link, unlink};
use crate::movement::{expect, lines_of, post, unclaimed_of, unpost};
use crate::payment::{Door, Facts, Progress};
use crate::policy::WAIT_FOR_SESSION_SECONDS;
use crate::reference;
use crate::resolve::{Applied, Resolved, Verdict, resolve, taken_for};
use crate::world::{Detail, Payment, RankedEvidence, Status, World};
use crate::worth::{Doubt, Prices, Worth, worth};

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

/// How a payment stood before the news: an applied one was settled by its facts, and only what is new can move it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// The user whose it was.
    pub user: Option<String>,
    /// Its facts.
    pub facts: Facts,
}

impl Before {
    /// How a payment stands now.
    pub fn of(payment: &Payment) -> Self {
        let user = match &payment.owner {
            Some(Owner::User(user)) => Some(user.clone()),
            Some(Owner::Unclaimed(_)) | None => None,
        };
        Self { user, facts: payment.facts.clone() }
    }
}

/// Settles a payment after its facts, or what it waits for, changed.
pub fn settle(world: &mut World, root_key: &str, cause: &mut Cause, before: &Before) -> Settled {
    let Some(payment) = world.payments.get_mut(root_key) else {
        return Settled::plain(Reason::Joined);
    };
    payment.dirty = true;
    let facts = payment.facts.clone();
    if facts.is_dismissed() && before.user.is_none() {
        payment.claimant = None;
        unlink(world, root_key, None, told_at(world, root_key, cause));
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
    let applied = before.user.as_ref().map(|user| Applied { user, weighed: &before.facts });
    // Who dismissed the rest of a payment said that no more is due.
    let worth = if facts.is_dismissed() {
        Worth::known(lines_of(world, root_key))
    } else {
        value(world, root_key, &facts, applied.is_some())
    };
    let mut resolved = resolve(world, &facts, applied);
    if applied.is_none() && facts.progress() == Progress::Paid && !worth.is_not_ours {
        admit(world, &mut resolved, cause.pos);
    }
    if let (Some(user), Verdict::Open { .. }) = (&before.user, &resolved.verdict)
        && let Some(payment) = world.payments.get_mut(root_key)
        && !facts.named_users().contains(user)
    {
        // It stays open until a person decides, also if what named the user elsewhere does so no longer.
        payment.facts.evidence.insert(taken_for(user));
    }
    let user = owner(&resolved.verdict).filter(|_| !worth.is_not_ours);
    unlink(world, root_key, user, told_at(world, root_key, cause));
    let mut settled = match (worth.is_not_ours, facts.progress()) {
        (true, _) => not_ours(world, root_key, cause),
        (false, Progress::Pending) => pending(world, root_key, &worth, &resolved, cause),
        (false, Progress::Failed) => failed(world, root_key, cause),
        (false, Progress::Paid) => paid(world, root_key, &worth, &resolved, cause),
    };
    settled.evidence = resolved.evidence;
    settled.catalogue_pos = counting_pos(world, root_key);
    settled
}

/// The user whose it is, as long as nobody decides otherwise.
fn owner(verdict: &Verdict) -> Option<&str> {
    match verdict {
        Verdict::User { user, .. } | Verdict::Contested { user, .. } => Some(user),
        Verdict::Open { .. } => None,
    }
}

/// Position of what was told: of the fact or act that released the payment's case, else of the decision.
fn told_at(world: &World, root_key: &str, cause: &Cause) -> i64 {
    let open = world.open_cases_of(root_key);
    let released = open.iter().filter_map(|id| world.cases.get(id)).filter_map(|case| case.due_pos);
    released.fold(cause.pos, i64::max)
}

/// What a payment is worth. One that was credited is valued by what the catalogue said then, as long as that suffices: a
/// change of the catalogue moves nothing that was sold.
fn value(world: &mut World, root_key: &str, facts: &Facts, is_applied: bool) -> Worth {
    let mut known = if is_applied { facts.valued_by.clone() } else { Known::new() };
    let mut valued = worth(facts, world, &known);
    if valued.doubt.is_some() && !known.is_empty() {
        known.clear();
        valued = worth(facts, world, &known);
    }
    for key in facts.price_keys().into_iter().flatten() {
        let newest = world.catalogue.newest(&key);
        known.entry(key).or_insert(newest);
    }
    if let Some(payment) = world.payments.get_mut(root_key) {
        payment.facts.valued_by = known;
    }
    valued
}

/// Position of the newest of the entries that count for a payment.
fn counting_pos(world: &World, root_key: &str) -> Option<i64> {
    let facts = &world.payments.get(root_key)?.facts;
    let prices = Prices::of(facts, world, &facts.valued_by);
    facts
        .prices()
        .into_iter()
        .filter_map(|price| prices.counting(price))
        .map(|entry| entry.pos)
        .max()
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

/// Not paid yet, whatever a part of it, told before its invoice, seemed to be.
fn pending(
    world: &mut World,
    root_key: &str,
    worth: &Worth,
    resolved: &Resolved,
    cause: &mut Cause,
) -> Settled {
    unpost(world, root_key, cause);
    expect(world, root_key, &worth.lines);
    if let Some(payment) = world.payments.get_mut(root_key) {
        payment.claimant = claimant(&resolved.verdict);
    }
    Settled::plain(Reason::Pending)
}

/// Nothing will come of it.
fn failed(world: &mut World, root_key: &str, cause: &mut Cause) -> Settled {
    unpost(world, root_key, cause);
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
    let owner = owner(&resolved.verdict)
        .map_or_else(|| unclaimed_of(root_key), |user| Owner::User(user.to_owned()));
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
        (None, Verdict::Contested { .. } | Verdict::Open { .. }) => Settled::plain(Reason::Joined),
    }
}

/// The case that is needed: whose it is comes first, then what it is worth. A contested payment waits for a person alone.
fn need(world: &World, root_key: &str, worth: &Worth, resolved: &Resolved) -> Option<Need> {
    let (reason, mut waits_for, candidates) = match (&resolved.verdict, &worth.doubt) {
        (Verdict::Open { reason, waits_for, candidates, .. }, _) => {
            (*reason, waits_for.clone(), candidates.clone())
        }
        (Verdict::User { .. } | Verdict::Contested { .. }, Some(Doubt::Unknown)) => {
            (Reason::UnknownPrice, BTreeSet::new(), Vec::new())
        }
        (Verdict::User { .. } | Verdict::Contested { .. }, Some(Doubt::Mismatch(_))) => {
            (Reason::CreditsMismatch, BTreeSet::new(), Vec::new())
        }
        (Verdict::Contested { candidates, .. }, None) => {
            (Reason::Conflict, BTreeSet::new(), candidates.clone())
        }
        (Verdict::User { .. }, None) => return None,
    };
    let facts = &world.payments.get(root_key)?.facts;
    // An entry can say what the catalogue did not, and can be corrected to what metadata says.
    let mismatch = match &worth.doubt {
        Some(Doubt::Mismatch(detail)) => Some(detail.clone()),
        Some(Doubt::Unknown) | None => None,
    };
    let all = Known::new();
    let prices = Prices::of(facts, world, &all);
    let open_prices = facts.prices().into_iter();
    let open_prices =
        open_prices.filter(|price| mismatch.is_some() || prices.counting(price).is_none());
    let keys = open_prices.flat_map(|price| facts.keys_of(price));
    if worth.doubt.is_some() || matches!(resolved.verdict, Verdict::Open { .. }) {
        waits_for.extend(keys.map(|key| format!("price:{key}")));
    }
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
        error: mismatch.or_else(|| unproven(resolved)),
    };
    Some(Need { reason, waits_for, due: None, detail })
}

/// Of a payment that is open: why the references on it prove nothing.
fn unproven(resolved: &Resolved) -> Option<String> {
    let is_open = matches!(resolved.verdict, Verdict::Open { .. });
    let bad = resolved.evidence.iter().filter(|piece| is_open && piece.kind == Kind::BadReference);
    let told: Vec<String> =
        bad.map(|piece| format!("{}: {}", piece.at, reference::problem(&piece.value))).collect();
    (!told.is_empty()).then(|| told.join("; "))
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
        Verdict::Contested { .. } => None,
        Verdict::Open { claimant, .. } => claimant.clone(),
    }
}
