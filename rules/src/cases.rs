//! Which case a payment needs after it was settled, and what that changes: cases open, close and take each other's
//! place, and the decisions of the events that hang on them are revised.

use std::collections::BTreeMap;

use ledger::decision::Reason;
use ledger::ids::CaseId;

use crate::effects::Decision;
use crate::settle::{Cause, Need, Settled};
use crate::world::{Attached, Case, Resolution, World};

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

/// Records the decision of the event that told, if one did, and brings the payment's cases to what it needs.
pub fn conclude(
    world: &mut World,
    root_key: &str,
    settled: &Settled,
    telling: Option<Telling>,
    closed_as: Resolution,
) {
    if let Some(telling) = telling {
        push(world, Some(root_key), settled, settled.reason, telling);
    }
    let open = world.open_cases_of(root_key);
    let made_due = open.iter().filter_map(|id| world.cases.get(id)).find_map(|case| case.due_pos);
    let released_by = telling.map(|telling| telling.pos).or(made_due);
    if let Some(need) = &settled.need {
        let id = CaseId::derive(world.tenant_id, root_key, need.reason.name());
        let mut events = BTreeMap::new();
        for other in open.into_iter().filter(|other| *other != id) {
            events.extend(close(world, other, Resolution::Superseded, released_by));
        }
        let revised = revise(world, root_key, settled, need.reason, &events, released_by);
        let opened_by =
            telling.map(|telling| telling.pos).or_else(|| revised.keys().next().copied());
        open_or_update(world, id, Some(root_key), need, opened_by);
        if let Some(case) = world.cases.get_mut(&id) {
            case.dirty |= telling.is_some() || !revised.is_empty();
            case.events.extend(revised);
            case.events.extend(
                telling.map(|told| (told.pos, Attached { rev: told.rev, slot: told.slot })),
            );
        }
    } else {
        let mut first = telling.is_none();
        for case in open {
            for (pos, attached) in close(world, case, closed_as, released_by) {
                let reason = if first { settled.reason } else { joined(settled.reason) };
                first = false;
                revise(
                    world,
                    root_key,
                    settled,
                    reason,
                    &BTreeMap::from([(pos, attached)]),
                    released_by,
                );
            }
        }
    }
}

/// Opens the case of an event that cannot be decided by itself, and records its decision.
pub fn hold_event(world: &mut World, telling: Telling, reason: Reason, error: String) -> CaseId {
    let id = CaseId::derive(world.tenant_id, &format!("pos:{}", telling.pos), reason.name());
    let settled =
        Settled { reason, need: None, rank: None, evidence: Vec::new(), catalogue_pos: None };
    let detail = crate::world::Detail { error: Some(error), ..Default::default() };
    let need = Need { reason, waits_for: std::collections::BTreeSet::new(), due: None, detail };
    push(world, None, &settled, reason, telling);
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

fn push(
    world: &mut World,
    root_key: Option<&str>,
    settled: &Settled,
    reason: Reason,
    telling: Telling,
) {
    let payment = root_key.and_then(|root_key| world.payments.get(root_key));
    let account =
        payment.and_then(|payment| payment.owner.as_ref()).map(ledger::ids::Owner::account_id);
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

/// Revises the decisions of events that hung on a case; the same events with their new revisions.
fn revise(
    world: &mut World,
    root_key: &str,
    settled: &Settled,
    reason: Reason,
    events: &BTreeMap<i64, Attached>,
    cause_pos: Option<i64>,
) -> BTreeMap<i64, Attached> {
    let mut revised = BTreeMap::new();
    for (&pos, attached) in events {
        let rev = attached.rev.saturating_add(1);
        push(
            world,
            Some(root_key),
            settled,
            reason,
            Telling { pos, rev, slot: attached.slot, cause_pos },
        );
        revised.insert(pos, Attached { rev, slot: attached.slot });
    }
    revised
}

/// One event of a case is why credits moved; the others only told of the same payment.
const fn joined(reason: Reason) -> Reason {
    if matches!(reason, Reason::Credited) { Reason::Joined } else { reason }
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
