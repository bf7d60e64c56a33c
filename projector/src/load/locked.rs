//! The payments of a batch: locked, then read.

use std::collections::{BTreeMap, BTreeSet};

use ledger::ids::Owner;
use rules::news::Keys;
use rules::world::{Leg, LegKind, Payment, Status, World};
use store::Tx;
use store::projection::payments::{self, PaymentRow};

use super::unreadable;
use crate::batch::{BatchError, Work};

/// What is locked of payments.
pub(super) struct Locked {
    /// Root of each alias.
    aliases: BTreeMap<String, String>,
    /// Rows of the roots.
    rows: Vec<PaymentRow>,
}

/// Adds the missing aliases and payments, and locks the payments. If one was merged meanwhile, its survivor is not
/// locked, and the batch is begun anew.
pub(super) async fn lock(
    tx: &Tx,
    tenant_id: i32,
    work: &[Work],
    known: &Keys,
) -> Result<Locked, BatchError> {
    let objects: Vec<String> = known.objects.iter().cloned().collect();
    if objects.is_empty() {
        return Ok(Locked { aliases: BTreeMap::new(), rows: Vec::new() });
    }
    let stored: BTreeMap<String, String> =
        payments::roots(tx, tenant_id, &objects).await?.into_iter().collect();
    let (new_aliases, new_roots) = provisional_roots(work, &stored);
    let aliases = if new_aliases.is_empty() {
        stored
    } else {
        payments::aliases_insert_in_tx(tx, tenant_id, &new_aliases).await?;
        payments::insert_in_tx(tx, tenant_id, &new_roots).await?;
        payments::roots(tx, tenant_id, &objects).await?.into_iter().collect()
    };
    let roots: BTreeSet<String> = aliases.values().cloned().collect();
    let roots: Vec<String> = roots.into_iter().collect();
    let rows = payments::lock_in_tx(tx, tenant_id, &roots).await?;
    if rows.len() != roots.len() || rows.iter().any(|row| row.merged_into.is_some()) {
        return Err(BatchError::Restart(Box::new(known.clone())));
    }
    Ok(Locked { aliases, rows })
}

/// Keys with what belongs to each, sorted by key.
type Pairs<T> = Vec<(String, T)>;

/// Pairs of (alias, root) and (root, first position) to be added for objects that are not known yet.
///
/// Objects that events of the batch tie together get one root: a stored one if any of them has one, else the name that
/// the first of those events gives.
fn provisional_roots(
    work: &[Work],
    stored: &BTreeMap<String, String>,
) -> (Pairs<String>, Pairs<i64>) {
    let mut roots: BTreeMap<String, String> = stored.clone();
    let mut new: BTreeMap<String, String> = BTreeMap::new();
    let mut first: BTreeMap<String, i64> = BTreeMap::new();
    for item in work {
        let Some((pos, news)) = item.told() else { continue };
        let Some((objects, name)) = news.of_payment() else { continue };
        let root_key = objects.iter().find_map(|object| roots.get(*object)).unwrap_or(name).clone();
        for object in objects.into_iter().chain([&root_key]) {
            if !roots.contains_key(object) {
                roots.insert(object.clone(), root_key.clone());
                new.insert(object.clone(), root_key.clone());
                first.entry(root_key.clone()).or_insert(pos);
            }
        }
    }
    (new.into_iter().collect(), first.into_iter().collect())
}

/// Reads what hangs on the payments that are locked.
pub(super) async fn read(tx: &Tx, locked: Locked, world: &mut World) -> Result<(), BatchError> {
    let accounts: Vec<uuid::Uuid> =
        locked.rows.iter().filter_map(|row| row.owner_account).collect();
    let mut owners = BTreeMap::new();
    if !accounts.is_empty() {
        for row in payments::owners(tx, world.tenant_id, &accounts).await? {
            let owner =
                if row.kind == 1 { Owner::User(row.key) } else { Owner::Unclaimed(row.key) };
            owners.insert(row.account_id, owner);
        }
    }
    for row in &locked.rows {
        let status = Status::from_code(row.status)
            .ok_or_else(|| unreadable("payment.status", &row.root_key, "unknown"))?;
        let payment = Payment {
            facts: facts_of(row)?,
            first_pos: row.first_pos,
            owner: row.owner_account.and_then(|account| owners.get(&account).cloned()),
            version: row.version,
            claimant: row.claimant.clone(),
            status,
            legs: BTreeMap::new(),
            dirty: false,
        };
        world.payments.insert(row.root_key.clone(), payment);
    }
    let roots: Vec<String> = world.payments.keys().cloned().collect();
    if !roots.is_empty() {
        for row in payments::legs(tx, world.tenant_id, &roots).await? {
            if let Some(payment) = world.payments.get_mut(&row.root_key) {
                let leg = Leg {
                    unit: row.unit,
                    expected: row.expected,
                    target: row.target,
                    posted: row.posted,
                    forgiven: row.forgiven,
                    terms: row.terms,
                };
                let kind = LegKind::from_code(row.leg)
                    .ok_or_else(|| unreadable("payment_leg.leg", &row.root_key, "unknown"))?;
                payment.legs.insert((row.line, kind), leg);
            }
        }
    }
    world.aliases = locked.aliases;
    Ok(())
}

/// The facts of a payment's row.
pub(super) fn facts_of(row: &PaymentRow) -> Result<rules::payment::Facts, BatchError> {
    if row.facts == "{}" {
        return Ok(rules::payment::Facts::default());
    }
    serde_json::from_str(&row.facts)
        .map_err(|error| unreadable("payment.facts", &row.root_key, &error.to_string()))
}
