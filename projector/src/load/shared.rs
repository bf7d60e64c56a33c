//! The evidence that payments share: customers, their links, users, the catalogue.

use std::collections::BTreeSet;

use rules::catalogue::{Credits, Entry};
use rules::expiry::NoExpiry;
use rules::news::Keys;
use rules::world::{User, World};
use store::Tx;
use store::flight;
use store::projection::catalogue::EntryRow;
use store::projection::evidence::{CustomerKey, CustomerRow, Linked, UserRow};
use store::projection::{catalogue, evidence};

use super::{customer_key, unreadable};
use crate::batch::BatchError;

/// What of it is asked for.
#[derive(Default)]
pub(super) struct Asked {
    customers: BTreeSet<String>,
    users: BTreeSet<String>,
    emails: BTreeSet<String>,
    names: BTreeSet<String>,
    prices: BTreeSet<String>,
}

impl Asked {
    /// All that these keys lead to: of the users those that are known of so far.
    pub(super) fn of(known: &Keys) -> Self {
        Self {
            customers: known.customers.clone(),
            users: known.users.union(&known.candidates).cloned().collect(),
            emails: known.emails.clone(),
            names: known.names.clone(),
            prices: known.prices.iter().flatten().cloned().collect(),
        }
    }

    /// What of it was not asked for before.
    pub(super) fn beyond(self, before: &Self) -> Self {
        let beyond = |now: BTreeSet<String>, before| now.difference(before).cloned().collect();
        Self {
            customers: beyond(self.customers, &before.customers),
            users: beyond(self.users, &before.users),
            emails: beyond(self.emails, &before.emails),
            names: beyond(self.names, &before.names),
            prices: beyond(self.prices, &before.prices),
        }
    }
}

/// The evidence that payments share, as it was read.
pub(super) struct Shared {
    customers: Vec<CustomerRow>,
    /// Links that hold.
    links: Vec<Linked>,
    users: Vec<UserRow>,
    entries: Vec<EntryRow>,
}

impl Shared {
    /// Reads it, all at once.
    pub(super) async fn read(tx: &Tx, tenant_id: i32, asked: &Asked) -> Result<Self, BatchError> {
        let customers: Vec<CustomerKey> =
            asked.customers.iter().map(|customer| customer_key(customer)).collect();
        let users: Vec<String> = asked.users.iter().cloned().collect();
        let (emails, names) = (bytes_of(&asked.emails), bytes_of(&asked.names));
        let prices: Vec<String> = asked.prices.iter().cloned().collect();
        let (customers, links, users, entries) = flight!(
            evidence::customers(tx, tenant_id, &customers),
            evidence::links(tx, tenant_id, &customers),
            evidence::users(tx, tenant_id, &users, &emails, &names),
            catalogue::versions(tx, tenant_id, &prices),
        )?;
        Ok(Self { customers, links, users, entries })
    }

    /// Adds what was asked for later.
    pub(super) fn append(&mut self, mut further: Self) {
        self.customers.append(&mut further.customers);
        self.links.append(&mut further.links);
        self.users.append(&mut further.users);
        self.entries.append(&mut further.entries);
    }

    /// Reads further users whom the links name.
    pub(super) async fn read_linked(
        &mut self,
        tx: &Tx,
        tenant_id: i32,
        known: &Keys,
    ) -> Result<(), BatchError> {
        let linked = self.links.iter().map(|link| &link.user_id);
        let further: BTreeSet<&String> =
            linked.filter(|user| !known.users.contains(*user)).collect();
        let further: Vec<String> = further.into_iter().cloned().collect();
        self.users.extend(evidence::users(tx, tenant_id, &further, &[], &[]).await?);
        Ok(())
    }

    /// Adds it to the world.
    pub(super) fn add(self, world: &mut World) -> Result<(), BatchError> {
        for row in self.customers {
            let scoped = scoped(&row.key);
            let facts = serde_json::from_str(&row.facts)
                .map_err(|e| unreadable("customer.facts", &scoped, &e.to_string()))?;
            world.customers.insert(scoped, facts);
        }
        for row in self.links {
            let customer = scoped(&row.key);
            world.linked_by.extend(row.payment.map(|payment| (customer.clone(), payment)));
            world.links.insert(customer, row.user_id);
        }
        world.users.extend(self.users.into_iter().map(user));
        for row in self.entries {
            let (key, counts) = (row.price.clone(), (row.valid_from, row.from_pos));
            world.catalogue.add(key, counts, entry(row)?);
        }
        Ok(())
    }
}

fn user(row: UserRow) -> (String, User) {
    (
        row.user_id,
        User { email: row.email_hash, email_verified: row.email_verified, name: row.name_hash },
    )
}

fn entry(row: EntryRow) -> Result<Entry, BatchError> {
    let (Some(credits), Some(unit)) = (row.credits, row.unit) else { return Ok(Entry::NotOurs) };
    let expires = row.expires.map(|text| text.parse()).transpose();
    let expires = expires.map_err(|problem: NoExpiry| {
        unreadable("catalogue_entry.expires", &row.price, &problem.to_string())
    })?;
    Ok(Entry::Credits(Credits { credits, unit, expires, priority: row.priority }))
}

/// Keyed hashes as bytes; evidence shows them as hexadecimal text.
fn bytes_of(hashes: &BTreeSet<String>) -> Vec<Vec<u8>> {
    hashes.iter().filter_map(|hash| hex::decode(hash).ok()).collect()
}

fn scoped(key: &CustomerKey) -> String {
    if key.account.is_empty() {
        key.customer.clone()
    } else {
        format!("{}/{}", key.account, key.customer)
    }
}
