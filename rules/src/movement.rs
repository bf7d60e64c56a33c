//! What moves: brings what is posted of a payment to what is due, line by line, and with whom it stands.

use jiff::Timestamp;
use ledger::account::{self, MoveKind, Source, SystemAccount};
use ledger::ids::Owner;
use ledger::movement::{Change, Movement};

use crate::settle::Cause;
use crate::world::{Leg, World};
use crate::worth::Line;

/// Brings what is posted to what is due: first everything moves to its right owner, then each line by its delta.
pub(crate) fn post(
    world: &mut World,
    root_key: &str,
    owner: Owner,
    lines: &[Line],
    cause: &mut Cause,
) {
    let present = world.payments.get(root_key).and_then(|payment| payment.owner.clone());
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
        let leg = world.payments.get(root_key).and_then(|payment| payment.legs.get(&due.line));
        let posted = leg.map_or(0, |leg| leg.posted);
        let (unit, expected, target) = (due.unit.clone(), due.credits, due.credits);
        let leg = Leg { unit, expected, target, posted };
        set_leg(world, root_key, &owner, &due.line, leg, cause);
    }
    if let Some(payment) = world.payments.get_mut(root_key) {
        let stands = payment.legs.values().any(|leg| leg.posted != 0);
        payment.owner = stands.then_some(owner);
    }
}

/// Takes all of a payment's credits back: it is not ours, or is merged into another, which posts what the union is
/// worth.
pub(crate) fn unpost(world: &mut World, root_key: &str, cause: &mut Cause) {
    let present = world.payments.get(root_key).and_then(|payment| payment.owner.clone());
    if let Some(present) = present {
        post(world, root_key, present, &[], cause);
    }
}

/// Notes what the lines will be worth, while nothing is posted because nothing is due yet, or ever.
pub(crate) fn expect(world: &mut World, root_key: &str, lines: &[Line]) {
    let Some(payment) = world.payments.get_mut(root_key) else { return };
    for leg in payment.legs.values_mut() {
        leg.expected = 0;
    }
    for line in lines {
        let leg = Leg { unit: line.unit.clone(), expected: line.credits, target: 0, posted: 0 };
        payment.legs.insert(line.line.clone(), leg);
    }
}

/// Credits of a payment that stand on its unclaimed account, in all units.
pub(crate) fn unclaimed(world: &World, root_key: &str) -> i64 {
    let payment = world.payments.get(root_key);
    let unclaimed = payment.filter(|payment| matches!(payment.owner, Some(Owner::Unclaimed(_))));
    unclaimed.map_or(0, |payment| {
        payment.legs.values().fold(0, |sum, leg| sum.saturating_add(leg.posted))
    })
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
            payment.owner = None;
        }
    }
}

/// Takes a dismissal back, with what it wrote off: whoever dismissed a payment did not see what it now is merged with.
pub(crate) fn reinstate(world: &mut World, root_key: &str, cause: &mut Cause) {
    let payment = world.payments.get_mut(root_key);
    let Some(payment) = payment.filter(|payment| payment.facts.is_dismissed()) else { return };
    payment.facts.staff = None;
    if payment.owner.is_none() && payment.legs.values().any(|leg| leg.posted != 0) {
        payment.owner = Some(unclaimed_of(root_key));
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
    let line = |(line, leg): (String, Leg)| Line { line, unit: leg.unit, credits: leg.expected };
    legs_of(world, root_key).into_iter().filter(|(_, leg)| leg.expected > 0).map(line).collect()
}

fn legs_of(world: &World, root_key: &str) -> Vec<(String, Leg)> {
    let legs = world.payments.get(root_key).map(|payment| payment.legs.clone()).unwrap_or_default();
    legs.into_iter().collect()
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
    let contra = SystemAccount::Sale;
    move_credits(
        world,
        root_key,
        cause,
        &Step { owner, unit: &leg.unit, line, change, contra, amount },
    );
    if let Some(payment) = world.payments.get_mut(root_key) {
        payment.legs.insert(line.to_owned(), Leg { posted: leg.target, ..leg });
    }
}

fn hand_over(world: &mut World, root_key: &str, from: &Owner, to: &Owner, cause: &mut Cause) {
    let taken = (Change::Take(MoveKind::Moved), SystemAccount::Unclaimed);
    move_all(world, root_key, from, taken, cause);
    move_all(world, root_key, to, (Change::Grant, SystemAccount::Unclaimed), cause);
}

/// The same movement for whatever is posted of each line.
fn move_all(
    world: &mut World,
    root_key: &str,
    owner: &Owner,
    (change, contra): (Change, SystemAccount),
    cause: &mut Cause,
) {
    for (line, leg) in legs_of(world, root_key) {
        let (unit, amount) = (&leg.unit, leg.posted);
        let step = Step { owner, unit, line: &line, change, contra, amount };
        move_credits(world, root_key, cause, &step);
    }
}

/// One movement, before it has a cause.
struct Step<'a> {
    owner: &'a Owner,
    unit: &'a str,
    line: &'a str,
    change: Change,
    contra: SystemAccount,
    amount: i64,
}

fn move_credits(world: &mut World, root_key: &str, cause: &mut Cause, step: &Step<'_>) {
    if step.amount == 0 {
        return;
    }
    let paid_at = world.payments.get(root_key).and_then(|payment| payment.facts.paid_at);
    let effective_at =
        paid_at.and_then(|second| Timestamp::from_second(second).ok()).unwrap_or(world.now);
    world.effects.movements.push(Movement {
        owner: step.owner.clone(),
        unit: step.unit.to_owned(),
        source: Source { root_key: root_key.to_owned(), line: step.line.to_owned() },
        change: step.change,
        contra: step.contra,
        amount: step.amount,
        cause: account::Cause::Decision {
            pos: cause.pos,
            rev: cause.rev,
            effect_no: cause.next_effect,
        },
        effective_at,
    });
    cause.next_effect = cause.next_effect.saturating_add(1);
}
