//! Which case a payment needs after it was settled, and what that changes: cases open, close and take each other's
//! place, and the decisions of the events that hang on them are revised.

use std::collections::{BTreeMap, BTreeSet};

use ledger::decision::Reason;
use ledger::ids::{CaseId, Owner};

use crate::effects::Decision;
use crate::settle::{Cause, Need, Settled};
use crate::world::{Attached, Case, Detail, Resolution, World};

/// The event that told the news, whose first decision (or a revision) is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Telling {
    /// Position.
    pub pos: i64,
    /// Revision of the decision that is made.
    pub rev: i32,
    /// Lane.
    pub slot: i16,
    /// For a revision: position of what released it.
    pub cause_pos: Option<i64>,
}

/// In whose name a payment was settled.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The decision in whose name credits moved.
    pub cause: &'a Cause,
    /// The event that told, if one did: its decision is `cause`. Otherwise `cause` revises that of a case's event.
    pub by: Option<Telling>,
}

/// Records the decision of the event that told, if one did, and brings the payment's cases to what it needs.
pub fn conclude(
    world: &mut World,
    root_key: &str,
    settled: &Settled,
    told: Told<'_>,
    closed_as: Resolution,
) {
    if let Some(telling) = told.by {
        record(world, Some(root_key), settled, settled.reason, telling);
    }
    let open = world.open_cases_of(root_key);
    let made_due = open.iter().filter_map(|id| world.cases.get(id)).find_map(|case| case.due_pos);
    let released_by = told.by.map(|telling| telling.pos).or(made_due);
    let stays = settled
        .need
        .as_ref()
        .map(|need| CaseId::derive(world.tenant_id, root_key, need.reason.name()));
    let closed_as = if stays.is_some() { Resolution::Superseded } else { closed_as };
    let mut released = no_longer_set_aside(world, root_key, settled);
    for case in open.into_iter().filter(|case| Some(*case) != stays) {
        released.extend(close(world, case, closed_as, released_by));
    }
    match told.by {
        Some(telling) => drop(released.remove(&telling.pos)),
        None => released.extend(cause_in_case(world, stays, told.cause)),
    }
    let mut decided = revise(world, root_key, settled, released, (told.cause, released_by));
    decided.extend(told.by.map(|by| (by.pos, Attached { rev: by.rev, slot: by.slot })));
    if let Some((id, need)) = stays.zip(settled.need.as_ref()) {
        let by = told.by.map(|telling| telling.pos);
        let by = by.or_else(|| decided.keys().next().copied());
        open_or_update(world, id, Some(root_key), need, by);
        if let Some(case) = world.cases.get_mut(&id) {
            case.dirty |= !decided.is_empty();
            case.events.extend(decided);
        }
    } else if settled.reason == Reason::NotOurs
        && let Some(payment) = world.payments.get_mut(root_key)
    {
        payment.facts.set_aside.extend(decided);
    }
}

/// Opens the case of an event that cannot be decided by itself, and records its decision.
pub fn hold_event(
    world: &mut World,
    telling: Telling,
    (reason, waits_for): (Reason, BTreeSet<String>),
    error: String,
) -> CaseId {
    let id = CaseId::derive(world.tenant_id, &format!("pos:{}", telling.pos), reason.name());
    let detail = Detail { error: Some(error), ..Detail::default() };
    let need = Need { reason, waits_for, due: None, detail };
    record(world, None, &Settled::plain(reason), reason, telling);
    open_or_update(world, id, None, &need, Some(telling.pos));
    if let Some(case) = world.cases.get_mut(&id) {
        case.events.insert(telling.pos, Attached { rev: telling.rev, slot: telling.slot });
        case.dirty = true;
    }
    id
}

/// Closes a case; the events that hung on it.
pub fn close(
    world: &mut World,
    id: CaseId,
    how: Resolution,
    by: Option<i64>,
) -> BTreeMap<i64, Attached> {
    let Some(case) = world.cases.get_mut(&id).filter(|case| case.is_open()) else {
        return BTreeMap::new();
    };
    case.resolution = Some(how);
    case.closed_pos = by;
    case.due = None;
    case.due_pos = None;
    case.version = case.version.saturating_add(1);
    case.waits_for.clear();
    case.dirty = true;
    world.effects.closed.push(id);
    std::mem::take(&mut case.events)
}

/// Records one decision.
pub fn record(
    world: &mut World,
    root_key: Option<&str>,
    settled: &Settled,
    reason: Reason,
    telling: Telling,
) {
    let payment = root_key.and_then(|root_key| world.payments.get(root_key));
    let account = payment.and_then(|payment| payment.owner.as_ref()).map(Owner::account_id);
    world.effects.decisions.push(Decision {
        pos: telling.pos,
        rev: telling.rev,
        slot: telling.slot,
        reason,
        root_key: root_key.map(str::to_owned),
        account,
        rank: settled.rank,
        catalogue_pos: settled.catalogue_pos,
        evidence: settled.evidence.clone(),
        cause_pos: telling.cause_pos,
    });
}

/// Events that were ignored as not ours: they are decided anew as soon as the payment is.
fn no_longer_set_aside(
    world: &mut World,
    root_key: &str,
    settled: &Settled,
) -> BTreeMap<i64, Attached> {
    match world.payments.get_mut(root_key) {
        Some(payment) if settled.reason != Reason::NotOurs => {
            std::mem::take(&mut payment.facts.set_aside)
        }
        _ => BTreeMap::new(),
    }
}

/// The event of a case that stays open, if credits moved in the name of its next decision: then that has to be made,
/// so that they lead to it, and so that no later movement goes by the same name.
fn cause_in_case(world: &World, stays: Option<CaseId>, cause: &Cause) -> Option<(i64, Attached)> {
    let case = world.cases.get(&stays?).filter(|case| case.is_open() && cause.has_moved())?;
    case.events.get(&cause.pos).map(|attached| (cause.pos, *attached))
}

/// Revises the decisions of events; the same events with their new revisions. One of them is why credits moved; the
/// others only told of the same payment.
fn revise(
    world: &mut World,
    root_key: &str,
    settled: &Settled,
    events: BTreeMap<i64, Attached>,
    (cause, cause_pos): (&Cause, Option<i64>),
) -> BTreeMap<i64, Attached> {
    let mut revised = BTreeMap::new();
    for (pos, Attached { rev, slot }) in events {
        let rev = rev.saturating_add(1);
        let moved_nothing = settled.reason == Reason::Credited && pos != cause.pos;
        let reason = if moved_nothing { Reason::Joined } else { settled.reason };
        record(world, Some(root_key), settled, reason, Telling { pos, rev, slot, cause_pos });
        revised.insert(pos, Attached { rev, slot });
    }
    revised
}

fn open_or_update(
    world: &mut World,
    id: CaseId,
    root_key: Option<&str>,
    need: &Need,
    by: Option<i64>,
) {
    let now = world.now;
    match world.cases.get_mut(&id) {
        Some(case) if case.is_open() => {
            let changed = case.waits_for != need.waits_for || case.detail != need.detail;
            case.dirty |= changed || case.due_pos.is_some();
            // A clock that was set stays as it was set; a wake-up is done with.
            if case.due_pos.take().is_some() {
                case.due = need.due;
            }
            if changed {
                case.version = case.version.saturating_add(1);
                case.waits_for.clone_from(&need.waits_for);
                case.detail = need.detail.clone();
            }
        }
        known => {
            let version = known.map_or(1, |case| case.version.saturating_add(1));
            let case = Case {
                pos: by.unwrap_or_default(),
                root_key: root_key.map(str::to_owned),
                reason: need.reason,
                resolution: None,
                version,
                opened_at: now,
                due: need.due,
                due_pos: None,
                closed_pos: None,
                waits_for: need.waits_for.clone(),
                detail: need.detail.clone(),
                events: BTreeMap::new(),
                dirty: true,
            };
            world.cases.insert(id, case);
            world.effects.opened.push(id);
        }
    }
}

impl Cause {
    /// The decision in whose name a case's credits move: the next revision of its first event's, so that every credit
    /// leads to the signed bytes that it came from.
    pub fn of_case(world: &World, id: CaseId) -> Option<Self> {
        let (pos, attached) = world.cases.get(&id)?.events.iter().next()?;
        Some(Self::new(*pos, attached.rev.saturating_add(1)))
    }
}
