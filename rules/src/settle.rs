//! One payment: what is due by its facts, whom it stands with, and so what moves.
//!
//! `delta = target − posted` per line. Settling twice moves nothing the second time, and whatever order the facts came
//! in, the last settling ends at the same net balances (DESIGN, section 5).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use ledger::account::{MoveKind, Source, SystemAccount};
use ledger::decision::Reason;
use ledger::ids::Owner;

use crate::effects::{Change, Link, Movement};
use crate::evidence::Evidence;
use crate::payment::{Progress, StaffVerdict};
use crate::policy::WAIT_FOR_SESSION_SECONDS;
use crate::resolve::{Resolved, Verdict, resolve};
use crate::world::{Detail, Leg, RankedEvidence, Status, World};
use crate::worth::{Line, Worth, worth};

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
}

/// What an event changed in a payment's facts, as far as an applied payment minds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// What its own objects say of whose it is.
    pub whose: bool,
    /// What its own objects say was bought.
    pub what: bool,
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
    const fn plain(reason: Reason) -> Self {
        Self { reason, need: None, rank: None, evidence: Vec::new(), catalogue_pos: None }
    }
}

/// Settles a payment after its facts, or what it waits for, changed.
pub fn settle(world: &mut World, root_key: &str, cause: &mut Cause, changed: Changed) -> Settled {
    let Some(payment) = world.payments.get_mut(root_key) else {
        return Settled::plain(Reason::Joined);
    };
    payment.dirty = true;
    let facts = payment.facts.clone();
    let dismissed =
        facts.staff.as_ref().is_some_and(|staff| staff.verdict == StaffVerdict::Dismiss);
    if dismissed {
        payment.claimant = None;
        return Settled::plain(Reason::Dismissed);
    }
    payment.status = match facts.progress() {
        Progress::Pending => Status::Pending,
        Progress::Paid => Status::Paid,
    };
    if !facts.is_ours() {
        return bare(world, root_key, facts.waited);
    }
    let applied_to = match &payment.owner {
        Some(Owner::User(user)) => Some(user.clone()),
        Some(Owner::Unclaimed(_)) | None => None,
    };
    if applied_to.is_some() && !changed.whose && !changed.what {
        return Settled::plain(Reason::Joined);
    }
    let keep_lines = applied_to.is_some() && !changed.what;
    let worth =
        if keep_lines { Worth::Known(lines_of(world, root_key)) } else { value(world, root_key) };
    let resolved = resolve(world, &facts, applied_to.as_deref());
    let catalogue_pos = facts
        .claims
        .prices
        .iter()
        .filter_map(|price| world.catalogue_pos.get(price))
        .max()
        .copied();
    let mut settled = match (&worth, facts.progress()) {
        (Worth::NotOurs, _) => not_ours(world, root_key, cause),
        (_, Progress::Pending) => pending(world, root_key, &worth, &resolved),
        (_, Progress::Paid) => paid(world, root_key, &worth, &resolved, cause),
    };
    settled.evidence = resolved.evidence;
    settled.catalogue_pos = catalogue_pos;
    settled
}

/// Writes off what stands on a payment's unclaimed account, by an approver's decision.
pub fn write_off(world: &mut World, root_key: &str, cause: &mut Cause) {
    let Some(Owner::Unclaimed(_)) =
        world.payments.get(root_key).and_then(|payment| payment.owner.clone())
    else {
        return;
    };
    for (line, leg) in legs_of(world, root_key) {
        move_credits(
            world,
            root_key,
            cause,
            Step {
                owner: Owner::Unclaimed(root_key.to_owned()),
                unit: &leg.unit,
                line: &line,
                change: Change::Take(MoveKind::WrittenOff),
                contra: SystemAccount::WriteOff,
                amount: leg.posted,
            },
        );
    }
    if let Some(payment) = world.payments.get_mut(root_key) {
        payment.owner = None;
    }
}

/// Credits of a payment that stand on its unclaimed account.
pub fn unclaimed(world: &World, root_key: &str) -> i64 {
    let payment = world.payments.get(root_key);
    let unclaimed = payment.filter(|payment| matches!(payment.owner, Some(Owner::Unclaimed(_))));
    unclaimed.map_or(0, |payment| {
        payment.legs.values().fold(0, |sum, leg| sum.saturating_add(leg.posted))
    })
}

/// Takes all of a payment's credits back, before it is merged into another, which then posts what the union is worth.
pub fn unpost(world: &mut World, root_key: &str, cause: &mut Cause) {
    post(world, root_key, None, &[], cause);
}

fn bare(world: &mut World, root_key: &str, waited: bool) -> Settled {
    let due = world.now.checked_add(SignedDuration::from_secs(WAIT_FOR_SESSION_SECONDS)).ok();
    let Some(payment) = world.payments.get_mut(root_key) else {
        return Settled::plain(Reason::Joined);
    };
    if payment.status == Status::Pending {
        return Settled::plain(Reason::Pending);
    }
    if waited {
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
    post(world, root_key, None, &[], cause);
    if let Some(payment) = world.payments.get_mut(root_key) {
        payment.status = Status::NotOurs;
        payment.claimant = None;
    }
    Settled::plain(Reason::NotOurs)
}

fn pending(world: &mut World, root_key: &str, worth: &Worth, resolved: &Resolved) -> Settled {
    if let Some(payment) = world.payments.get_mut(root_key) {
        payment.claimant = claimant(&resolved.verdict);
        payment.legs = expected_lines(worth)
            .iter()
            .map(|line| {
                (
                    line.line.clone(),
                    Leg { unit: line.unit.clone(), expected: line.credits, target: 0, posted: 0 },
                )
            })
            .collect();
    }
    Settled::plain(Reason::Pending)
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
        Verdict::Open { .. } => Owner::Unclaimed(root_key.to_owned()),
    };
    let moved = post(world, root_key, Some(owner), expected_lines(worth), cause);
    let need = need(world, root_key, worth, resolved);
    if let Some(payment) = world.payments.get_mut(root_key) {
        payment.claimant = need.as_ref().and_then(|_| claimant(&resolved.verdict));
    }
    match (need, &resolved.verdict) {
        (Some(need), _) => Settled { need: Some(need.clone()), ..Settled::plain(need.reason) },
        (None, Verdict::User { user, rank }) => {
            link(world, root_key, user, cause.pos);
            let reason = if moved { Reason::Credited } else { Reason::Joined };
            Settled { rank: Some(*rank), ..Settled::plain(reason) }
        }
        (None, Verdict::Open { .. }) => Settled::plain(Reason::Joined),
    }
}

/// The case that is needed: whose it is comes first, then what it is worth.
fn need(world: &World, root_key: &str, worth: &Worth, resolved: &Resolved) -> Option<Need> {
    let prices = match worth {
        Worth::Unknown { prices } => prices.iter().map(|price| format!("price:{price}")).collect(),
        Worth::Known(_) | Worth::NotOurs | Worth::Mismatch { .. } => BTreeSet::new(),
    };
    let (reason, mut waits_for, candidates) = match (&resolved.verdict, worth) {
        (Verdict::Open { reason, waits_for, candidates, .. }, _) => {
            (*reason, waits_for.clone(), candidates.clone())
        }
        (Verdict::User { .. }, Worth::Unknown { .. }) => {
            (Reason::UnknownPrice, BTreeSet::new(), Vec::new())
        }
        (Verdict::User { .. }, Worth::Mismatch { .. }) => {
            (Reason::CreditsMismatch, BTreeSet::new(), Vec::new())
        }
        (Verdict::User { .. }, Worth::Known(_) | Worth::NotOurs) => return None,
    };
    waits_for.extend(prices);
    let (paid, currency) =
        world.payments.get(root_key).map(|payment| payment.facts.money()).unwrap_or_default();
    let lines = expected_lines(worth);
    let detail = Detail {
        evidence: resolved.evidence.iter().map(RankedEvidence::from).collect(),
        candidates,
        credits: lines.first().map(|line| line.credits),
        unit: lines.first().map(|line| line.unit.clone()),
        paid,
        currency: currency.map(str::to_owned),
        error: match worth {
            Worth::Mismatch { detail } => Some(detail.clone()),
            Worth::Known(_) | Worth::NotOurs | Worth::Unknown { .. } => None,
        },
    };
    Some(Need { reason, waits_for, due: None, detail })
}

fn claimant(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::User { user, .. } => Some(user.clone()),
        Verdict::Open { claimant, .. } => claimant.clone(),
    }
}

/// The first resolved payment of a customer links him to its user, and so releases what waits for the customer.
fn link(world: &mut World, root_key: &str, user: &str, pos: i64) {
    let customers = world
        .payments
        .get(root_key)
        .map(|payment| payment.facts.customers.clone())
        .unwrap_or_default();
    for customer in customers {
        if !world.links.contains_key(&customer) {
            world.links.insert(customer.clone(), user.to_owned());
            world.effects.woken.insert(format!("customer:{customer}"), pos);
            world.effects.links.push(Link { customer, user: user.to_owned(), pos });
        }
    }
}

fn value(world: &World, root_key: &str) -> Worth {
    let facts = world.payments.get(root_key).map(|payment| &payment.facts);
    facts.map_or(Worth::Known(Vec::new()), |facts| {
        worth(&facts.claims, facts.staff.as_ref().map(|staff| &staff.verdict), world)
    })
}

fn expected_lines(worth: &Worth) -> &[Line] {
    match worth {
        Worth::Known(lines) => lines,
        Worth::NotOurs | Worth::Unknown { .. } | Worth::Mismatch { .. } => &[],
    }
}

fn legs_of(world: &World, root_key: &str) -> Vec<(String, Leg)> {
    let legs = world.payments.get(root_key).map(|payment| payment.legs.clone()).unwrap_or_default();
    legs.into_iter().collect()
}

fn lines_of(world: &World, root_key: &str) -> Vec<Line> {
    let line = |(line, leg): (String, Leg)| Line { line, unit: leg.unit, credits: leg.expected };
    legs_of(world, root_key).into_iter().filter(|(_, leg)| leg.expected > 0).map(line).collect()
}

/// Brings what is posted to what is due: first everything moves to its right owner, then each line by its delta.
/// With no owner everything is taken back. Whether credits moved.
fn post(
    world: &mut World,
    root_key: &str,
    owner: Option<Owner>,
    lines: &[Line],
    cause: &mut Cause,
) -> bool {
    let effects_before = world.effects.movements.len();
    let present = world.payments.get(root_key).and_then(|payment| payment.owner.clone());
    let owner = owner.or_else(|| present.clone());
    let Some(owner) = owner else { return false };
    if let Some(present) = present.filter(|present| *present != owner) {
        hand_over(world, root_key, &present, &owner, cause);
    }
    for (line, leg) in legs_of(world, root_key) {
        let kept = lines.iter().any(|due| due.line == line && due.unit == leg.unit);
        if !kept {
            set_leg(world, root_key, &owner, &line, Leg { expected: 0, target: 0, ..leg }, cause);
        }
    }
    for due in lines {
        let posted = world
            .payments
            .get(root_key)
            .and_then(|payment| payment.legs.get(&due.line))
            .map_or(0, |leg| leg.posted);
        let leg =
            Leg { unit: due.unit.clone(), expected: due.credits, target: due.credits, posted };
        set_leg(world, root_key, &owner, &due.line, leg, cause);
    }
    if let Some(payment) = world.payments.get_mut(root_key) {
        let stands = payment.legs.values().any(|leg| leg.posted != 0);
        payment.owner = stands.then_some(owner);
    }
    world.effects.movements.len() > effects_before
}

/// Posts the difference between a leg's target and what is posted, and keeps the leg.
fn set_leg(
    world: &mut World,
    root_key: &str,
    owner: &Owner,
    line: &str,
    leg: Leg,
    cause: &mut Cause,
) {
    let delta = leg.target.saturating_sub(leg.posted);
    let (change, amount) = if delta > 0 {
        (Change::Grant, delta)
    } else {
        (Change::Take(MoveKind::ClawedBack), delta.saturating_neg())
    };
    let step = Step {
        owner: owner.clone(),
        unit: &leg.unit,
        line,
        change,
        contra: SystemAccount::Sale,
        amount,
    };
    move_credits(world, root_key, cause, step);
    if let Some(payment) = world.payments.get_mut(root_key) {
        payment.legs.insert(line.to_owned(), Leg { posted: leg.target, ..leg });
    }
}

fn hand_over(world: &mut World, root_key: &str, from: &Owner, to: &Owner, cause: &mut Cause) {
    for (line, leg) in legs_of(world, root_key) {
        let (unit, line, contra, amount) = (&leg.unit, &line, SystemAccount::Unclaimed, leg.posted);
        let take = Change::Take(MoveKind::Moved);
        move_credits(
            world,
            root_key,
            cause,
            Step { owner: from.clone(), unit, line, change: take, contra, amount },
        );
        let grant = Change::Grant;
        move_credits(
            world,
            root_key,
            cause,
            Step { owner: to.clone(), unit, line, change: grant, contra, amount },
        );
    }
}

/// One movement, before it has a cause.
struct Step<'a> {
    owner: Owner,
    unit: &'a str,
    line: &'a str,
    change: Change,
    contra: SystemAccount,
    amount: i64,
}

fn move_credits(world: &mut World, root_key: &str, cause: &mut Cause, step: Step<'_>) {
    if step.amount == 0 {
        return;
    }
    let paid_at = world.payments.get(root_key).and_then(|payment| payment.facts.paid_at);
    let effective_at =
        paid_at.and_then(|second| Timestamp::from_second(second).ok()).unwrap_or(world.now);
    world.effects.movements.push(Movement {
        owner: step.owner,
        unit: step.unit.to_owned(),
        source: Source { root_key: root_key.to_owned(), line: step.line.to_owned() },
        change: step.change,
        contra: step.contra,
        amount: step.amount,
        pos: cause.pos,
        rev: cause.rev,
        effect_no: cause.next_effect,
        effective_at,
    });
    cause.next_effect = cause.next_effect.saturating_add(1);
}
