//! The world of a batch, read under its locks.
//!
//! First, unlocked, what is stored tells which keys there are to lock. Then the locks, in the order that
//! [`store::projection`] writes down. Then everything is read, in statements that began after the locks were had. If that
//! shows a key which was not locked, the batch is begun anew with it: nothing is decided on what may change meanwhile.

mod locked;
mod shared;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ledger::decision::Reason;
use ledger::ids::CaseId;
use rules::fetching::account_of;
use rules::news::{Keys, News};
use rules::world::{Attached, Case, Resolution, World};
use store::Tx;
use store::flight;
use store::projection::cases::CaseRow;
use store::projection::evidence::CustomerKey;
use store::projection::{cases, fetched, payments, subjects};

use self::shared::{Asked, Shared};
use crate::Tenant;
use crate::batch::{BatchError, Work};

/// Locks and reads all that this work may touch, and says which subjects are locked. Keys that are found on the way are
/// added to `known`.
pub async fn world(
    tx: &Tx,
    tenant: &Tenant,
    now: Timestamp,
    work: &[Work],
    known: &mut Keys,
) -> Result<(World, Vec<String>), BatchError> {
    let (missed, roots) = discover(tx, tenant.tenant_id, work, known).await?;
    let locked = subjects_of(known, &missed);
    // One behind the other, without waiting for answers in between.
    let ((), payments) = flight!(
        async { Ok(subjects::lock_in_tx(tx, tenant.tenant_id, &locked).await?) },
        Box::pin(locked::lock(tx, tenant.tenant_id, work, known, roots)),
    )?;
    let mut world = World::empty(tenant.tenant_id, now, tenant.policy.clone());
    let ids: Vec<uuid::Uuid> = known.cases.iter().map(|id| id.0).collect();
    let stored = payments.stored();
    let asked = Asked::of(known);
    let (standing, shared, fetched, cases) = flight!(
        payments.standing(tx, tenant.tenant_id, &stored),
        Shared::read(tx, tenant.tenant_id, &asked),
        read_fetched(tx, tenant.tenant_id, work),
        read_cases(tx, tenant.tenant_id, &stored, &ids),
    )?;
    payments.add(standing, &mut world)?;
    shared.add(&mut world)?;
    for row in cases {
        let (id, case) = case(row)?;
        world.cases.insert(id, case);
    }
    world.fetched = fetched;
    let mut found = known.clone();
    for payment in world.payments.values() {
        found.add_payment(&payment.facts);
    }
    for customer in world.customers.values() {
        found.add_evidence(customer.evidence());
    }
    found.users.extend(world.links.values().cloned());
    for case in world.cases.values().filter(|case| case.is_open()) {
        found.objects.extend(case.root_key.clone());
    }
    let missed_now = misses(known, &world);
    if known.covers(&found) && missed_now.is_subset(&missed) {
        Ok((world, locked))
    } else {
        Err(BatchError::Restart(Box::new(found)))
    }
}

/// Adds the keys of what is stored to those of the news; which users and prices the lookups missed and which cases hold
/// up no payment, and which payments are known.
async fn discover(
    tx: &Tx,
    tenant_id: i32,
    work: &[Work],
    known: &mut Keys,
) -> Result<(BTreeSet<String>, locked::Known), BatchError> {
    let ids: Vec<uuid::Uuid> = known.cases.iter().map(|id| id.0).collect();
    let held_up =
        if ids.is_empty() { BTreeMap::new() } else { cases::roots(tx, tenant_id, &ids).await? };
    known.objects.extend(held_up.values().cloned());
    let (mut found, asked) = (locked::Known::default(), Asked::of(known));
    // Most events are the first that is told of their payments: what they say leads to all there is.
    let (mut shared, ()) = flight!(
        Shared::read(tx, tenant_id, &asked),
        found.look_up(tx, tenant_id, &known.objects),
    )?;
    let roots: BTreeSet<&String> = found.aliases.values().collect();
    let roots: Vec<String> = roots.into_iter().cloned().collect();
    for row in payments::peek(tx, tenant_id, &roots).await? {
        known.add_payment(&locked::facts_of(&row)?);
    }
    shared.append(Shared::read(tx, tenant_id, &Asked::of(known).beyond(&asked)).await?);
    let mut glimpse =
        World::empty(tenant_id, Timestamp::UNIX_EPOCH, rules::policy::Policy::default());
    shared.read_linked(tx, tenant_id, known).await?;
    shared.add(&mut glimpse)?;
    for customer in glimpse.customers.values() {
        known.add_evidence(customer.evidence());
    }
    known.users.extend(glimpse.links.values().cloned());
    let mut missed = misses(known, &glimpse);
    // Others are guarded by their payments' locks.
    let alone = ids.iter().filter(|id| !held_up.contains_key(*id));
    missed.extend(alone.map(|id| format!("case:{id}")));
    for item in work {
        // Whoever brings the fact that a lookup may have missed locks what the lookup would have locked.
        let Some((_, news)) = item.told() else { continue };
        match news {
            News::User(registration) => missed.extend([format!("user:{}", registration.user)]),
            News::Price(told) => missed.extend([format!("price:{}", told.key)]),
            News::Nothing(_)
            | News::Unreadable { .. }
            | News::Payment(_)
            | News::Customers(_)
            | News::ToFetch(_)
            | News::Fetched { .. }
            | News::Act(_)
            | News::Reassigned(_)
            | News::Imported(_)
            | News::Erased => {}
        }
    }
    Ok((missed, found))
}

/// Subjects of users and prices that are not there.
fn misses(known: &Keys, world: &World) -> BTreeSet<String> {
    let users = known
        .users
        .iter()
        .filter(|user| !world.users.contains_key(*user))
        .map(|user| format!("user:{user}"));
    let prices = known
        .prices
        .iter()
        .filter(|keys| !keys.iter().any(|key| world.catalogue.has(key)))
        .flatten()
        .map(|key| format!("price:{key}"));
    users.chain(prices).collect()
}

fn subjects_of(known: &Keys, missed: &BTreeSet<String>) -> Vec<String> {
    let customers = known.customers.iter().map(|customer| format!("customer:{customer}"));
    let more = missed.iter().chain(&known.waits).cloned();
    let all: BTreeSet<String> = customers.chain(more).collect();
    all.into_iter().collect()
}

/// Reads the cases of these payments, and those of these ids.
async fn read_cases(
    tx: &Tx,
    tenant_id: i32,
    roots: &[String],
    ids: &[uuid::Uuid],
) -> Result<Vec<CaseRow>, BatchError> {
    if roots.is_empty() && ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(cases::read_in_tx(tx, tenant_id, roots, ids).await?)
}

/// A case as the rules know it.
fn case(row: CaseRow) -> Result<(CaseId, Case), BatchError> {
    let name = row.case_id.to_string();
    let reason = Reason::from_code(row.reason)
        .ok_or_else(|| unreadable("review_case.reason", &name, "unknown"))?;
    let resolution = row.resolution.map(|code| {
        Resolution::from_code(code)
            .ok_or_else(|| unreadable("review_case.resolution", &name, "unknown"))
    });
    let detail = serde_json::from_str(&row.detail)
        .map_err(|e| unreadable("review_case.detail", &name, &e.to_string()))?;
    let case = Case {
        pos: row.pos,
        root_key: row.root_key,
        reason,
        resolution: resolution.transpose()?,
        version: row.version,
        opened_at: row.opened_at,
        due: row.due,
        due_pos: row.due_pos,
        closed_pos: row.closed_pos,
        waits_for: row.waits_for.into_iter().collect(),
        detail,
        events: row
            .events
            .into_iter()
            .map(|(pos, rev, slot)| (pos, Attached { rev, slot }))
            .collect(),
        dirty: false,
    };
    Ok((CaseId(row.case_id), case))
}

/// Which of the thin events' keys, whose subjects are locked, were answered.
async fn read_fetched(
    tx: &Tx,
    tenant_id: i32,
    work: &[Work],
) -> Result<BTreeSet<String>, BatchError> {
    let keys = work.iter().filter_map(|item| match item.told() {
        Some((_, News::ToFetch(key))) => Some((account_of(key).unwrap_or_default(), key.as_str())),
        _ => None,
    });
    let keys: Vec<(&str, &str)> = keys.collect();
    Ok(fetched::known(tx, tenant_id, &keys).await?.into_iter().collect())
}

fn unreadable(what: &'static str, row: &str, problem: &str) -> BatchError {
    BatchError::Unreadable { what, row: row.to_owned(), problem: problem.to_owned() }
}

/// A customer's key in evidence (`cus_…`, of Connect `acct_…/cus_…`) as the columns keep it.
pub(crate) fn customer_key(scoped: &str) -> CustomerKey {
    let (account, customer) = scoped.split_once('/').unwrap_or(("", scoped));
    CustomerKey { account: account.to_owned(), customer: customer.to_owned() }
}
