//! One event after the other, in position order: what it tells joins the world, and what follows is recorded.

use std::collections::{BTreeMap, BTreeSet};

use ledger::decision::Reason;
use ledger::ids::CaseId;

use crate::cases::{self, Telling, Told, conclude};
use crate::effects::{Merged, Version};
use crate::imported::import;
use crate::movement::{reinstate, unclaimed, unpost, write_off};
use crate::news::{Act, ActKind, CatalogueNews, News, PaymentNews, Registration};
use crate::payment::{Facts, StaffVerdict};
use crate::reassign::reassign;
use crate::settle::{Before, Cause, Settled, settle};
use crate::world::{Case, Payment, Resolution, User, World};

/// Decides one event.
pub fn decide_event(world: &mut World, telling: Telling, news: News) {
    let held = held_alone(world, telling.pos);
    let keep = heard(world, telling, news);
    close_held(world, held, keep, telling);
}

/// What an event says; the case that holds it alone, if one has to.
fn heard(world: &mut World, telling: Telling, news: News) -> Option<CaseId> {
    match news {
        News::Nothing(reason) => plain(world, telling, reason),
        News::Unreadable { reason, error } => {
            Some(cases::hold_event(world, telling, (reason, BTreeSet::new()), error))
        }
        News::Payment(news) => payment(world, telling, *news),
        News::Customers(told) => {
            customers(world, telling.pos, told);
            plain(world, telling, Reason::Evidence)
        }
        News::ToFetch(key) => to_fetch(world, telling, key),
        News::Fetched { key, said } => {
            world.effects.woken.insert(key, telling.pos);
            heard(world, telling, *said)
        }
        News::User(registration) => user(world, telling, registration),
        News::Price(told) => catalogue(world, telling, told),
        News::Act(act) => acted(world, telling, act),
        News::Reassigned(reassignment) => {
            reassign(world, telling, &reassignment);
            None
        }
        News::Imported(said) => import(world, telling, *said),
        News::Erased => plain(world, telling, Reason::Erased),
    }
}

/// Parks an event that could not be decided: a case with its error, so that it blocks nothing and is not lost.
pub fn park_event(world: &mut World, telling: Telling, error: String) {
    let held = held_alone(world, telling.pos);
    let keep = cases::hold_event(world, telling, (Reason::Error, BTreeSet::new()), error);
    close_held(world, held, Some(keep), telling);
}

/// Decides a payment's case anew because a fact made it due. A case that holds bytes alone has no payment: its event is
/// to be translated and decided again, see [`decide_event`].
pub fn decide_case(world: &mut World, id: CaseId) {
    let open = world.cases.get(&id).filter(|case| case.is_open() && case.due_pos.is_some());
    if let Some(root_key) = open.and_then(|case| case.root_key.clone()) {
        act_on_payment(world, &root_key, id, Facts::default(), Resolution::Healed);
    }
}

/// Cases that hold an event alone, without a payment.
fn held_alone(world: &World, pos: i64) -> Vec<CaseId> {
    let held = world
        .cases
        .iter()
        .filter(|(_, case)| case.is_open() && case.root_key.is_none() && case.pos == pos);
    held.map(|(id, _)| *id).collect()
}

/// A retry that read what could not be read before, or failed in another way, heals the case that held the event alone.
fn close_held(world: &mut World, held: Vec<CaseId>, keep: Option<CaseId>, telling: Telling) {
    let how = if keep.is_some() { Resolution::Superseded } else { Resolution::Healed };
    for case in held.into_iter().filter(|case| Some(*case) != keep) {
        cases::close(world, case, how, telling.cause_pos);
    }
}

fn plain(world: &mut World, telling: Telling, reason: Reason) -> Option<CaseId> {
    record(world, telling, reason, None);
    None
}

/// Records a decision that weighs no evidence.
fn record(world: &mut World, telling: Telling, reason: Reason, root_key: Option<&str>) {
    cases::record(world, root_key, &Settled::plain(reason), reason, telling);
}

/// What is said of a payment joins it. Who says whose it is settles its case, and outranks a dismissal that came before.
pub(crate) fn payment(world: &mut World, telling: Telling, news: PaymentNews) -> Option<CaseId> {
    let mut cause = Cause::new(telling.pos, telling.rev);
    let (root_key, others) = roots(world, &news, telling.pos);
    let staff = world.payments.get(&root_key).map(|payment| &payment.facts.staff);
    if staff.is_some_and(|known| *known < news.facts.staff) {
        reinstate(world, &root_key, &mut cause);
    }
    let is_assigned = news.facts.staff.is_some();
    let closed_as = if is_assigned { Resolution::Assigned } else { Resolution::Healed };
    let payment = world.payments.entry(root_key.clone());
    let payment =
        payment.or_insert_with(|| Payment { first_pos: telling.pos, ..Payment::default() });
    let mut before = Before::of(payment);
    for other in others {
        let merged = merge(world, &root_key, &other, &mut cause);
        // What was credited stays so, whichever of the two is the older.
        if before.user.is_none() {
            before = merged.filter(|merged| merged.user.is_some()).unwrap_or(before);
        }
    }
    if let Some(payment) = world.payments.get_mut(&root_key) {
        payment.facts.valued_by.clone_from(&before.facts.valued_by);
    }
    for object in news.objects.iter().chain([&news.root_key]) {
        world.aliases.insert(object.clone(), root_key.clone());
    }
    join(world, &root_key, news.facts);
    customers(world, telling.pos, news.customers);
    let settled = settle(world, &root_key, &mut cause, &before);
    let told = Told { cause: &cause, by: Some(telling) };
    conclude(world, &root_key, &settled, told, closed_as);
    None
}

fn join(world: &mut World, root_key: &str, facts: Facts) {
    if let Some(payment) = world.payments.get_mut(root_key) {
        payment.facts.join(facts);
    }
}

/// The one payment that all these objects belong to, and those that are to be merged into it: it is the oldest.
fn roots(world: &World, news: &PaymentNews, pos: i64) -> (String, Vec<String>) {
    let mut roots: Vec<(i64, String)> = Vec::new();
    for root_key in news.objects.iter().filter_map(|object| world.aliases.get(object)) {
        let first_pos = world.payments.get(root_key).map_or(pos, |payment| payment.first_pos);
        roots.push((first_pos, root_key.clone()));
    }
    roots.sort();
    roots.dedup();
    let mut roots = roots.into_iter().map(|(_, root_key)| root_key);
    (roots.next().unwrap_or_else(|| news.root_key.clone()), roots.collect())
}

/// Merges a younger payment into an older one: its credits are taken back, its facts join, its cases move along; the
/// survivor then posts what the union is worth. A dismissal was of one of the two only: the union is decided anew. How
/// the younger one stood, if there is one.
fn merge(world: &mut World, survivor: &str, other: &str, cause: &mut Cause) -> Option<Before> {
    let stood = world.payments.get(other).map(Before::of);
    reinstate(world, survivor, cause);
    reinstate(world, other, cause);
    unpost(world, other, cause);
    let merged = world.payments.remove(other)?;
    join(world, survivor, merged.facts);
    // Whoever looked at one of the two did not see what it is now.
    if let Some(payment) = world.payments.get_mut(survivor) {
        payment.version = payment.version.max(merged.version).saturating_add(1);
    }
    for root_key in world.aliases.values_mut().filter(|root_key| *root_key == other) {
        survivor.clone_into(root_key);
    }
    let moved = |case: &&mut Case| case.is_open() && case.root_key.as_deref() == Some(other);
    for case in world.cases.values_mut().filter(moved) {
        case.root_key = Some(survivor.to_owned());
        case.dirty = true;
    }
    world.effects.merged.push(Merged {
        root_key: other.to_owned(),
        first_pos: merged.first_pos,
        into: survivor.to_owned(),
    });
    stood
}

/// Evidence that hangs on customers and subscriptions.
fn customers(world: &mut World, pos: i64, told: BTreeMap<String, crate::customer::Facts>) {
    for (key, facts) in told {
        if world.customers.entry(key.clone()).or_default().join(facts) {
            world.effects.woken.insert(format!("customer:{key}"), pos);
        }
        world.effects.customers.insert(key);
    }
}

/// An event that only names an object waits until that was fetched for it. What was fetched for an earlier one is older than
/// the event, perhaps, and does not count.
fn to_fetch(world: &mut World, telling: Telling, key: String) -> Option<CaseId> {
    if world.fetched.contains(&key) {
        return plain(world, telling, Reason::Joined);
    }
    let error = "it only names its object, which has to be fetched from Stripe".to_owned();
    Some(cases::hold_event(world, telling, (Reason::Waiting, BTreeSet::from([key])), error))
}

fn user(world: &mut World, telling: Telling, registration: Registration) -> Option<CaseId> {
    let known = User {
        email: registration.email_hash.clone(),
        email_verified: registration.email_verified,
        name: registration.name_hash.clone(),
    };
    world.users.insert(registration.user.clone(), known);
    world.effects.woken.insert(format!("user:{}", registration.user), telling.pos);
    world.effects.registrations.push((telling.pos, registration));
    plain(world, telling, Reason::Registered)
}

/// The first version of an entry counts from ever, so that it heals what waits for it; a later one that says no more
/// counts from when it was told, so that it changes nothing that was sold before. First is what stands first in the log, also
/// if it was parked and is decided late.
fn catalogue(world: &mut World, telling: Telling, told: CatalogueNews) -> Option<CaseId> {
    let CatalogueNews { key, entry, valid_from, told_at } = told;
    let is_first = !world.catalogue.has_before(&key, telling.pos);
    let valid_from = valid_from.or_else(|| (!is_first).then_some(told_at));
    world.catalogue.add(key.clone(), (valid_from, telling.pos), entry.clone());
    world.effects.woken.insert(format!("price:{key}"), telling.pos);
    world.effects.entries.push(Version { key, pos: telling.pos, valid_from, entry });
    plain(world, telling, Reason::Catalogued)
}

/// An act of a person's or of the clock's. It takes effect if the case is open and as it was seen. It uses that version
/// up even if it takes none, because the log knows an act by case and version: the next one has to be another.
fn acted(world: &mut World, telling: Telling, act: Act) -> Option<CaseId> {
    let case = world.cases.get_mut(&act.case);
    let case = case.filter(|case| case.is_open() && case.version == act.version);
    let Some(case) = case else { return plain(world, telling, Reason::Stale) };
    case.version = case.version.saturating_add(1);
    case.dirty = true;
    let root_key = case.root_key.clone();
    let took_effect = match (act.kind, &root_key) {
        (ActKind::Retry, _) => retry(world, act.case, telling.pos),
        (ActKind::Due, Some(root_key)) => {
            let facts = Facts { waited: true, ..Facts::default() };
            make_due(world, act.case, telling.pos);
            act_on_payment(world, root_key, act.case, facts, Resolution::Expired)
        }
        (ActKind::Settle { verdict, write_off }, Some(root_key)) => {
            settle_by_staff(world, root_key, act.case, (verdict, write_off), telling.pos)
        }
        (ActKind::Settle { verdict: StaffVerdict::Dismiss, .. }, None) => {
            dismiss_event(world, act.case, telling.pos)
        }
        (ActKind::Settle { verdict: StaffVerdict::Assign { .. }, .. } | ActKind::Due, None) => {
            false
        }
    };
    let reason = if took_effect { Reason::Operated } else { Reason::Stale };
    record(world, telling, reason, root_key.as_deref());
    None
}

fn retry(world: &mut World, id: CaseId, pos: i64) -> bool {
    make_due(world, id, pos);
    let now = world.now;
    let Some(case) = world.cases.get_mut(&id) else { return false };
    case.due = Some(now);
    true
}

/// Notes which event releases a case: the revisions that follow name it.
fn make_due(world: &mut World, id: CaseId, pos: i64) {
    if let Some(case) = world.cases.get_mut(&id) {
        case.due_pos = Some(pos);
        case.dirty = true;
    }
}

fn settle_by_staff(
    world: &mut World,
    root_key: &str,
    id: CaseId,
    (verdict, is_written_off): (StaffVerdict, bool),
    pos: i64,
) -> bool {
    let closed_as = match &verdict {
        StaffVerdict::Assign { user, .. } if !world.users.contains_key(user) => return false,
        StaffVerdict::Assign { .. } => Resolution::Assigned,
        StaffVerdict::Dismiss if unclaimed(world, root_key) != 0 && !is_written_off => {
            return false;
        }
        StaffVerdict::Dismiss => Resolution::Dismissed,
    };
    if is_written_off && let Some(mut cause) = Cause::of_case(world, id) {
        write_off(world, root_key, &mut cause);
    }
    make_due(world, id, pos);
    let known = world.payments.get(root_key).map(|payment| &payment.facts);
    let staff = known.map(|facts| facts.settled_by(verdict, pos));
    let facts = Facts { staff, ..Facts::default() };
    act_on_payment(world, root_key, id, facts, closed_as)
}

/// Settles the payment of a case with what was learnt; whether there is one.
fn act_on_payment(
    world: &mut World,
    root_key: &str,
    id: CaseId,
    facts: Facts,
    closed_as: Resolution,
) -> bool {
    let Some(mut cause) = Cause::of_case(world, id) else { return false };
    let Some(payment) = world.payments.get(root_key) else { return false };
    let before = Before::of(payment);
    join(world, root_key, facts);
    let settled = settle(world, root_key, &mut cause, &before);
    conclude(world, root_key, &settled, Told { cause: &cause, by: None }, closed_as);
    true
}

fn dismiss_event(world: &mut World, id: CaseId, pos: i64) -> bool {
    for (event, attached) in cases::close(world, id, Resolution::Dismissed, Some(pos)) {
        let rev = attached.rev.saturating_add(1);
        let telling = Telling { pos: event, rev, slot: attached.slot, cause_pos: Some(pos) };
        record(world, telling, Reason::Dismissed, None);
    }
    true
}
