//! The payments of a batch: locked, then read.

use std::collections::{BTreeMap, BTreeSet};

use ledger::ids::Owner;
use rules::news::Keys;
use rules::world::{Leg, LegKind, Payment, Status, World};
use store::Tx;
use store::flight;
use store::projection::payments::{self, LegRow, OwnerRow, PaymentRow};

use super::unreadable;
use crate::batch::{BatchError, Work};

/// What is locked of payments.
pub(super) struct Locked {
    /// Root of each alias.
    aliases: BTreeMap<String, String>,
    /// Rows of the roots that have one.
    rows: Vec<PaymentRow>,
    /// The others, with the positions that first told of them: this transaction named them, and nobody else sees them
    /// before it ends.
    new: Pairs<i64>,
}

/// Objects that were looked up, and the root of each that is known.
#[derive(Default)]
pub(super) struct Known {
    /// Those that were looked up.
    pub(super) objects: BTreeSet<String>,
    /// Root of each alias.
    pub(super) aliases: BTreeMap<String, String>,
}

impl Known {
    /// Looks up those of the objects that were not yet.
    pub(super) async fn look_up(
        &mut self,
        tx: &Tx,
        tenant_id: i32,
        objects: &BTreeSet<String>,
    ) -> Result<(), BatchError> {
        let further: Vec<String> = objects.difference(&self.objects).cloned().collect();
        self.aliases.extend(payments::roots(tx, tenant_id, &further).await?);
        self.objects.extend(further);
        Ok(())
    }
}

/// Adds the missing aliases, and locks the payments. What was looked up before may be stale: who adds an alias is settled by
/// its row. If somebody else merged a payment meanwhile, or made the name that was to be a root another's, so that it has no
/// row, the batch is begun anew.
pub(super) async fn lock(
    tx: &Tx,
    tenant_id: i32,
    work: &[Work],
    keys: &Keys,
    mut known: Known,
) -> Result<Locked, BatchError> {
    known.look_up(tx, tenant_id, &keys.objects).await?;
    let (new_aliases, new_roots) = provisional_roots(work, &known.aliases);
    let added = payments::aliases_insert_in_tx(tx, tenant_id, &new_aliases).await?;
    let (ours, lost): (Pairs<String>, Pairs<String>) =
        new_aliases.into_iter().partition(|(alias, _)| added.contains(alias));
    known.aliases.extend(ours);
    // Others were faster, and have committed since.
    let lost: BTreeSet<String> = lost.into_iter().map(|(alias, _)| alias).collect();
    known.objects.retain(|object| !lost.contains(object));
    known.look_up(tx, tenant_id, &lost).await?;
    let new = new_roots.into_iter().filter(|(root_key, _)| added.contains(root_key));
    let new: Pairs<i64> = new.collect();
    let mut roots: BTreeSet<&String> = known.aliases.values().collect();
    for (root_key, _) in &new {
        roots.remove(root_key);
    }
    let roots: Vec<String> = roots.into_iter().cloned().collect();
    let rows = payments::lock_in_tx(tx, tenant_id, &roots).await?;
    if rows.len() != roots.len() || rows.iter().any(|row| row.merged_into.is_some()) {
        return Err(BatchError::Restart(Box::new(keys.clone())));
    }
    Ok(Locked { aliases: known.aliases, rows, new })
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
    // A root is an alias of itself.
    let own = stored.values().map(|root_key| (root_key.clone(), root_key.clone()));
    let mut roots: BTreeMap<String, String> = own.chain(stored.clone()).collect();
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

/// What hangs on payments that are locked.
pub(super) struct Standing {
    owners: Vec<OwnerRow>,
    legs: Vec<LegRow>,
}

impl Locked {
    /// Roots of the payments that are stored.
    pub(super) fn stored(&self) -> Vec<String> {
        self.rows.iter().map(|row| row.root_key.clone()).collect()
    }

    /// Reads what hangs on those that are stored.
    pub(super) async fn standing(
        &self,
        tx: &Tx,
        tenant_id: i32,
        roots: &[String],
    ) -> Result<Standing, BatchError> {
        let accounts: Vec<uuid::Uuid> =
            self.rows.iter().filter_map(|row| row.owner_account).collect();
        let (owners, legs) = flight!(
            payments::owners(tx, tenant_id, &accounts),
            payments::legs(tx, tenant_id, roots),
        )?;
        Ok(Standing { owners, legs })
    }

    /// Adds them to the world.
    pub(super) fn add(self, standing: Standing, world: &mut World) -> Result<(), BatchError> {
        let owner = |row: OwnerRow| {
            let owner =
                if row.kind == 1 { Owner::User(row.key) } else { Owner::Unclaimed(row.key) };
            (row.account_id, owner)
        };
        let owners: BTreeMap<_, _> = standing.owners.into_iter().map(owner).collect();
        for row in &self.rows {
            let payment = Payment {
                facts: facts_of(row)?,
                first_pos: row.first_pos,
                owner: row.owner_account.and_then(|account| owners.get(&account).cloned()),
                version: row.version,
                claimant: row.claimant.clone(),
                status: Status::from_code(row.status)
                    .ok_or_else(|| unreadable("payment.status", &row.root_key, "unknown"))?,
                legs: BTreeMap::new(),
                dirty: false,
            };
            world.payments.insert(row.root_key.clone(), payment);
        }
        for row in standing.legs {
            let kind = LegKind::from_code(row.leg)
                .ok_or_else(|| unreadable("payment_leg.leg", &row.root_key, "unknown"))?;
            if let Some(payment) = world.payments.get_mut(&row.root_key) {
                payment.legs.insert((row.line.clone(), kind), leg(row));
            }
        }
        for (root_key, first_pos) in self.new {
            // Its row is written in any case: others look for it where they find the alias.
            let payment = Payment { first_pos, dirty: true, ..Payment::default() };
            world.payments.insert(root_key, payment);
        }
        world.aliases = self.aliases;
        Ok(())
    }
}

fn leg(row: LegRow) -> Leg {
    Leg {
        unit: row.unit,
        expected: row.expected,
        target: row.target,
        posted: row.posted,
        forgiven: row.forgiven,
        terms: row.terms,
    }
}

/// The facts of a payment's row.
pub(super) fn facts_of(row: &PaymentRow) -> Result<rules::payment::Facts, BatchError> {
    if row.facts == "{}" {
        return Ok(rules::payment::Facts::default());
    }
    serde_json::from_str(&row.facts)
        .map_err(|error| unreadable("payment.facts", &row.root_key, &error.to_string()))
}
