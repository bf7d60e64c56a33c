//! What moves: brings what is posted of a payment to what is due, line by line, and with whom it stands.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::account::{self, MoveKind, Source, SystemAccount, Terms};
use ledger::ids::Owner;
use ledger::movement::{Change, Movement, NewTerms};

use crate::imported::Gone;
use crate::reversal::Taken;
use crate::settle::Cause;
use crate::world::{Leg, LegKind, World};
use crate::worth::Line;

/// Brings what is posted to what is due: first everything moves to its right owner, then each leg of each line by its
/// delta. `taken` is how much of the money went back.
pub(crate) fn post(
    world: &mut World,
    root_key: &str,
    owner: Owner,
    (lines, taken): (&[Line], Taken),
    cause: &mut Cause,
) {
    let present = world.payments.get(root_key).and_then(|payment| payment.owner.clone());
    if let Some(present) = present.filter(|present| *present != owner) {
        hand_over(world, root_key, &present, &owner, cause);
    }
    for (line, unit, _) in net(world, root_key) {
        if !lines.iter().any(|due| due.line == line && due.unit == unit) {
            let due = Line { line, unit, credits: 0, terms: Terms::default() };
            set_line(world, root_key, &owner, (&due, Taken::default()), cause);
        }
    }
    for due in lines {
        set_line(world, root_key, &owner, (due, taken), cause);
    }
    // A payment that was taken back whole still knows its owner: what is reinstated is his.
    let stands = world.is_posted(root_key);
    if let Some(payment) = world.payments.get_mut(root_key) {
        payment.set_owner(stands.then_some(owner));
    }
}

/// Takes all of a payment's credits back: it is not ours, or is merged into another, which posts what the union is
/// worth.
pub(crate) fn unpost(world: &mut World, root_key: &str, cause: &mut Cause) {
    let present = world.payments.get(root_key).and_then(|payment| payment.owner.clone());
    if let Some(present) = present {
        post(world, root_key, present, (&[], Taken::default()), cause);
    }
}

/// Notes what the lines will be worth, while nothing is posted because nothing is due yet, or ever.
pub(crate) fn expect(world: &mut World, root_key: &str, lines: &[Line]) {
    let Some(payment) = world.payments.get_mut(root_key) else { return };
    for leg in payment.legs.values_mut() {
        leg.expected = 0;
    }
    for line in lines {
        let (unit, terms) = (line.unit.clone(), line.terms);
        let key = (line.line.clone(), LegKind::Purchase);
        let forgiven = payment.legs.get(&key).map_or(0, |leg| leg.forgiven);
        let leg = Leg { unit, expected: line.credits, target: 0, posted: 0, forgiven, terms };
        payment.legs.insert(key, leg);
    }
}

/// Credits of a payment that stand on its unclaimed account, in all units.
pub(crate) fn unclaimed(world: &World, root_key: &str) -> i64 {
    let payment = world.payments.get(root_key);
    if !payment.is_some_and(|payment| matches!(payment.owner, Some(Owner::Unclaimed(_)))) {
        return 0;
    }
    net(world, root_key).into_iter().fold(0, |sum, (_, _, posted)| sum.saturating_add(posted))
}

/// Writes off what stands on a payment's unclaimed account, by an approver's decision. Its legs stay: the credits were
/// bought, and nobody owns them.
pub(crate) fn write_off(world: &mut World, root_key: &str, cause: &mut Cause) {
    if unclaimed(world, root_key) != 0 {
        let change = Change::Take(MoveKind::WrittenOff);
        move_all(
            world,
            root_key,
            &unclaimed_of(root_key),
            (change, SystemAccount::WriteOff),
            cause,
        );
        if let Some(payment) = world.payments.get_mut(root_key) {
            payment.set_owner(None);
        }
    }
}

/// Takes a dismissal back, with what it wrote off: a person decided otherwise, or did not see what it now is merged with.
pub(crate) fn reinstate(world: &mut World, root_key: &str, cause: &mut Cause) {
    let payment = world.payments.get_mut(root_key);
    let Some(payment) = payment.filter(|payment| payment.facts.is_dismissed()) else { return };
    payment.facts.staff = None;
    if payment.owner.is_none() && payment.legs.values().any(|leg| leg.posted > 0) {
        payment.set_owner(Some(unclaimed_of(root_key)));
        let step = (Change::Grant, SystemAccount::WriteOff);
        move_all(world, root_key, &unclaimed_of(root_key), step, cause);
    }
}

/// The unclaimed account of a payment.
pub(crate) fn unclaimed_of(root_key: &str) -> Owner {
    Owner::Unclaimed(root_key.to_owned())
}

/// What is posted, as lines: what an applied payment was found to be worth.
pub(crate) fn lines_of(world: &World, root_key: &str) -> Vec<Line> {
    let Some(payment) = world.payments.get(root_key) else { return Vec::new() };
    let bought = payment
        .legs
        .iter()
        .filter(|((_, kind), leg)| *kind == LegKind::Purchase && leg.expected > 0);
    let line = |((line, _), leg): (&(String, LegKind), &Leg)| Line {
        line: line.clone(),
        unit: leg.unit.clone(),
        credits: leg.expected,
        terms: leg.terms,
    };
    bought.map(line).collect()
}

/// What is posted of each line, its legs together: name, unit, credits.
fn net(world: &World, root_key: &str) -> Vec<(String, String, i64)> {
    let mut net: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    let legs = world.payments.get(root_key).into_iter().flat_map(|payment| &payment.legs);
    for ((line, _), leg) in legs {
        let posted = net.entry((line, &leg.unit)).or_default();
        *posted = posted.saturating_add(leg.posted);
    }
    let owned = |((line, unit), posted): ((&str, &str), i64)| (line.into(), unit.into(), posted);
    net.into_iter().map(owned).collect()
}

/// Posts the difference between each leg's target and what is posted of it, and keeps the legs. What is given comes
/// first, so that what is taken is there.
fn set_line(
    world: &mut World,
    root_key: &str,
    owner: &Owner,
    (due, taken): (&Line, Taken),
    cause: &mut Cause,
) {
    let Some(payment) = world.payments.get_mut(root_key) else { return };
    let Gone { refunded, disputed, carried } = payment.facts.gone(due, taken);
    let is_imported = payment.facts.imported().is_some();
    let targets = [
        (LegKind::Purchase, due.credits),
        (LegKind::Refund, refunded.saturating_neg()),
        (LegKind::Dispute, disputed.saturating_neg()),
        (LegKind::Carried, carried.saturating_neg()),
    ];
    let (mut deltas, mut is_under_other_terms) = (Vec::new(), false);
    for (kind, target) in targets {
        let key = (due.line.clone(), kind);
        let known = payment.legs.get(&key).filter(|leg| leg.unit == due.unit);
        let (posted, forgiven) = known.map_or((0, 0), |leg| (leg.posted, leg.forgiven));
        is_under_other_terms |= known.is_some_and(|leg| leg.terms != due.terms && posted > 0);
        deltas.push((kind, target.saturating_sub(posted)));
        if target != 0 || payment.legs.contains_key(&key) {
            let expected = if kind == LegKind::Purchase { due.credits } else { 0 };
            let (unit, terms) = (due.unit.clone(), due.terms);
            let leg = Leg { unit, expected, target, posted: target, forgiven, terms };
            payment.legs.insert(key, leg);
        }
    }
    if is_under_other_terms && due.credits > 0 {
        let source = Source { root_key: root_key.to_owned(), line: due.line.clone() };
        let (owner, unit, terms) = (owner.clone(), due.unit.clone(), due.terms);
        world.effects.new_terms.push(NewTerms { owner, unit, source, terms });
    }
    deltas.sort_by_key(|(_, delta)| delta.is_negative());
    for (kind, delta) in deltas {
        let kept = if kind == LegKind::Carried { MoveKind::Moved } else { MoveKind::ClawedBack };
        let change = match (delta > 0, is_imported) {
            (true, _) => Change::Grant,
            (false, false) => Change::Take(kept),
            (false, true) => Change::Owe(kept),
        };
        let (unit, line, contra, amount) =
            (&due.unit, &due.line, kind.contra(), delta.saturating_abs());
        let happened_at = happened_at(world, root_key, kind);
        let step = Step { owner, unit, line, change, contra, amount, happened_at };
        move_credits(world, root_key, cause, &step);
    }
}

/// Moves what is left of a payment: what leaves one account enters the other. From user to user it is a correction.
fn hand_over(world: &mut World, root_key: &str, from: &Owner, to: &Owner, cause: &mut Cause) {
    let way = match (from, to) {
        (Owner::User(_), Owner::User(_)) => SystemAccount::Adjustment,
        _ => SystemAccount::Unclaimed,
    };
    move_all(world, root_key, from, (Change::Take(MoveKind::Moved), way), cause);
    move_all(world, root_key, to, (Change::Grant, way), cause);
    world.effects.owners.insert(to.clone());
}

/// The same movement for whatever is posted of each line. An imported payment may have taken more than it gave: then it
/// goes the other way.
fn move_all(
    world: &mut World,
    root_key: &str,
    owner: &Owner,
    (change, contra): (Change, SystemAccount),
    cause: &mut Cause,
) {
    for (line, unit, amount) in net(world, root_key) {
        let happened_at = happened_at(world, root_key, LegKind::Purchase);
        let change = match change {
            _ if amount >= 0 => change,
            Change::Grant => Change::Owe(MoveKind::Moved),
            Change::Take(_) | Change::Owe(_) => Change::Grant,
        };
        let (unit, line, amount) = (&unit, &line, amount.saturating_abs());
        let step = Step { owner, unit, line, change, contra, amount, happened_at };
        move_credits(world, root_key, cause, &step);
    }
}

/// Terms of what is granted of a line.
fn terms_of(world: &World, root_key: &str, line: &str) -> Terms {
    let key = (line.to_owned(), LegKind::Purchase);
    let leg = world.payments.get(root_key).and_then(|payment| payment.legs.get(&key));
    leg.map_or_else(Terms::default, |leg| leg.terms)
}

/// One movement, before it has a cause.
struct Step<'a> {
    owner: &'a Owner,
    unit: &'a str,
    line: &'a str,
    change: Change,
    contra: SystemAccount,
    amount: i64,
    happened_at: Option<i64>,
}

/// When that happened outside of the books which a leg accounts for, in seconds since 1970: when it was paid, or when its
/// money last went back or returned, as far as was told.
fn happened_at(world: &World, root_key: &str, kind: LegKind) -> Option<i64> {
    let facts = &world.payments.get(root_key)?.facts;
    let reversed_at = match kind {
        LegKind::Purchase | LegKind::Carried => None,
        LegKind::Refund => facts.reversals.refunded_at(),
        LegKind::Dispute => facts.reversals.disputed_at(),
    };
    reversed_at.max(facts.paid_at)
}

fn move_credits(world: &mut World, root_key: &str, cause: &mut Cause, step: &Step<'_>) {
    if step.amount == 0 {
        return;
    }
    let happened_at = step.happened_at.and_then(|second| Timestamp::from_second(second).ok());
    let effective_at = happened_at.unwrap_or(world.now);
    world.effects.movements.push(Movement {
        owner: step.owner.clone(),
        unit: step.unit.to_owned(),
        source: Source { root_key: root_key.to_owned(), line: step.line.to_owned() },
        change: step.change,
        contra: step.contra,
        amount: step.amount,
        terms: terms_of(world, root_key, step.line),
        cause: account::Cause::Decision {
            pos: cause.pos,
            rev: cause.rev,
            effect_no: cause.next_effect,
        },
        effective_at,
    });
    cause.next_effect = cause.next_effect.saturating_add(1);
}
