//! What was decided, written: movements first (their accounts' locks come before those of cases), with the projections and
//! what the outbox tells of it all; then what cases wait for and which of it facts brought, and the cases.

use std::collections::BTreeMap;

use rules::RULES_VERSION;
use rules::catalogue::Entry;
use rules::effects::{Decision, Link, Merged, Version};
use rules::news::Registration;
use rules::world::{Case, LegKind, Payment, RankedEvidence, World};
use store::Tx;
use store::books::{self, Decided, Posted};
use store::flight;
use store::projection::cases::CaseRow;
use store::projection::catalogue::EntryRow;
use store::projection::decisions::DecisionRow;
use store::projection::evidence::{CustomerKey, CustomerRow, LinkRow, RegistrationRow};
use store::projection::outbox::MessageRow;
use store::projection::payments::{LegRow, MergeRow, PaymentRow};
use store::projection::{attempts, cases, catalogue, decisions, evidence, outbox, payments, woken};
use store::statement::Write;

use crate::batch::BatchError;
use crate::load::customer_key;
use crate::messages;

/// Writes all that was decided, forgets the tries at these positions, and commits; how many keys that satisfied that cases wait
/// for. What nearly every batch writes comes first, and the plans of that are kept.
pub async fn world(tx: Tx, mut world: World, tried: &[i64]) -> Result<usize, BatchError> {
    let (tenant_id, now) = (world.tenant_id, world.now);
    let clawback = world.policy.clawback;
    let effects = &world.effects;
    let decided = Decided {
        movements: &effects.movements,
        new_terms: &effects.new_terms,
        owners: &effects.owners,
        clawback,
    };
    let moved = Box::pin(books::evaluate_in_tx(&tx, tenant_id, now, decided)).await?;
    let posted = &moved.posted;
    for posting in posted.iter().flat_map(|posted| &posted.postings) {
        metrics::counter!("tally_postings_total", "kind" => posting.contra.name()).increment(1);
    }
    note_forgiven(&mut world, posted);
    merge(&tx, &world).await?;
    let rows = Rows::of(&world, posted);
    let writes = moved.writes().into_iter().chain(rows.writes(&world));
    let writes = writes.chain(attempts::finish(tenant_id, tried)).collect::<Vec<_>>();
    let waiting = Waiting::of(&world);
    if waiting.is_empty() {
        // All of it needs no answer.
        tx.commit_with(writes).await?;
        return Ok(0);
    }
    tx.write(&writes).await?;
    let woken = waiting.save(&tx, &world).await?;
    tx.commit().await?;
    Ok(woken)
}

/// What was written off of each leg: only posting shows what of the credits was gone.
fn note_forgiven(world: &mut World, posted: &[Posted]) {
    for (movement, posted) in world.effects.movements.iter().zip(posted) {
        let source = &movement.source;
        let Some(payment) = world.payments.get_mut(&source.root_key) else { continue };
        let leg = payment.legs.get_mut(&(source.line.clone(), LegKind::of(movement.contra)));
        if let Some(leg) = leg.filter(|_| posted.forgiven != 0) {
            leg.forgiven = leg.forgiven.saturating_add(posted.forgiven);
            payment.dirty = true;
        }
    }
}

async fn merge(tx: &Tx, world: &World) -> Result<(), store::Error> {
    let merged: Vec<MergeRow> = world.effects.merged.iter().map(merge_row).collect();
    if merged.is_empty() {
        return Ok(());
    }
    tx.plan_anew().await?;
    payments::merge_in_tx(tx, world.tenant_id, &merged).await
}

/// What is written without waiting for answers, as its tables have it.
struct Rows {
    payments: Vec<PaymentRow>,
    legs: Vec<LegRow>,
    customers: Vec<CustomerRow>,
    unlinked: Vec<(CustomerKey, i64)>,
    links: Vec<LinkRow>,
    users: Vec<RegistrationRow>,
    entries: Vec<EntryRow>,
    decisions: Vec<DecisionRow>,
    messages: Vec<MessageRow>,
}

impl Rows {
    fn of(world: &World, posted: &[Posted]) -> Self {
        let effects = &world.effects;
        let dirty = || world.payments.iter().filter(|(_, payment)| payment.dirty);
        let customers =
            effects.customers.iter().filter_map(|key| Some((key, world.customers.get(key)?)));
        let customer = |(key, facts): (&String, &rules::customer::Facts)| CustomerRow {
            key: customer_key(key),
            facts: json(facts),
            pos: facts.pos,
        };
        let unlinked = effects.unlinked.iter();
        // Of several registrations of one user in the batch the newest counts.
        let newest: BTreeMap<&str, &(i64, Registration)> =
            effects.registrations.iter().map(|told| (told.1.user.as_str(), told)).collect();
        Self {
            payments: dirty().map(|(root_key, payment)| payment_row(root_key, payment)).collect(),
            legs: dirty().flat_map(|(root_key, payment)| leg_rows(root_key, payment)).collect(),
            customers: customers.map(customer).collect(),
            unlinked: unlinked.map(|(customer, pos)| (customer_key(customer), *pos)).collect(),
            links: effects.links.iter().map(link_row).collect(),
            users: newest.into_values().map(|(pos, told)| registration_row(*pos, told)).collect(),
            entries: effects.entries.iter().map(entry_row).collect(),
            decisions: effects.decisions.iter().map(decision_row).collect(),
            messages: messages::of(world, posted),
        }
    }

    /// Links end before others are made, and who was admitted may be registered as well.
    fn writes<'a>(&'a self, world: &'a World) -> impl Iterator<Item = Write<'a>> {
        let (tenant_id, now) = (world.tenant_id, world.now);
        let made = (RULES_VERSION, world.policy.clawback);
        let others = [
            evidence::customers_write(tenant_id, &self.customers),
            evidence::links_end(tenant_id, &self.unlinked),
            evidence::links_write(tenant_id, &self.links),
            evidence::users_add(tenant_id, &world.effects.admitted),
            evidence::users_write(tenant_id, &self.users),
            catalogue::write(tenant_id, &self.entries),
            decisions::write(tenant_id, made, now, &self.decisions),
            outbox::write(tenant_id, now, &self.messages),
        ];
        let payments = payments::writes(tenant_id, &self.payments, &self.legs);
        payments.into_iter().chain(others.into_iter().flatten())
    }
}

/// Cases, and the keys which cases wait for and facts brought, with the positions of those.
struct Waiting {
    cases: Vec<CaseRow>,
    woken: Vec<(String, i64)>,
}

impl Waiting {
    fn of(world: &World) -> Self {
        let dirty = world.cases.iter().filter(|(_, case)| case.dirty);
        let woken = world.effects.woken.iter();
        Self {
            cases: dirty.map(|(id, case)| case_row(id.0, case)).collect(),
            woken: woken.map(|(key, pos)| (key.clone(), *pos)).collect(),
        }
    }

    const fn is_empty(&self) -> bool {
        self.cases.is_empty() && self.woken.is_empty()
    }

    /// Writes what waits, and what it waits for, in the order of their locks; how many keys were satisfied that cases wait for.
    async fn save(&self, tx: &Tx, world: &World) -> Result<usize, store::Error> {
        let Self { cases, woken } = self;
        let tenant_id = world.tenant_id;
        if cases.is_empty() {
            let (planned, woken) = (tx.plan_anew(), woken::record_in_tx(tx, tenant_id, woken));
            return Ok(flight!(planned, woken)?.1);
        }
        tx.plan_anew().await?;
        cases::write_waits_in_tx(tx, tenant_id, cases).await?;
        let woken = woken::record_in_tx(tx, tenant_id, woken).await?;
        cases::lock_in_tx(tx, tenant_id, cases).await?;
        cases::write_in_tx(tx, tenant_id, world.now, cases).await?;
        Ok(woken)
    }
}

fn link_row(link: &Link) -> LinkRow {
    LinkRow {
        key: customer_key(&link.customer),
        user_id: link.user.clone(),
        from_pos: link.pos,
        to_pos: link.until,
    }
}

fn merge_row(merged: &Merged) -> MergeRow {
    MergeRow {
        root_key: merged.root_key.clone(),
        first_pos: merged.first_pos,
        into: merged.into.clone(),
    }
}

fn payment_row(root_key: &str, payment: &Payment) -> PaymentRow {
    let (paid, currency) = payment.facts.money();
    PaymentRow {
        root_key: root_key.to_owned(),
        owner_account: payment.owner.as_ref().map(|owner| owner.account_id().0),
        version: payment.version,
        claimant: payment.claimant.clone(),
        first_pos: payment.first_pos,
        status: payment.status.code(),
        facts: json(&payment.facts),
        merged_into: None,
        paid,
        currency: currency.map(str::to_owned),
    }
}

fn leg_rows(root_key: &str, payment: &Payment) -> Vec<LegRow> {
    let row = |((line, kind), leg): (&(String, LegKind), &rules::world::Leg)| LegRow {
        root_key: root_key.to_owned(),
        line: line.clone(),
        leg: kind.code(),
        unit: leg.unit.clone(),
        expected: leg.expected,
        target: leg.target,
        posted: leg.posted,
        forgiven: leg.forgiven,
        terms: leg.terms,
    };
    payment.legs.iter().map(row).collect()
}

fn decision_row(decision: &Decision) -> DecisionRow {
    let evidence: Vec<RankedEvidence> =
        decision.evidence.iter().map(RankedEvidence::from).collect();
    DecisionRow {
        pos: decision.pos,
        rev: decision.rev,
        slot: decision.slot,
        outcome: decision.reason.outcome().code(),
        reason: decision.reason.code(),
        root_key: decision.root_key.clone(),
        account_id: decision.account.map(|account| account.0),
        rank: decision.rank,
        catalogue_version: decision.catalogue_pos,
        evidence: (!evidence.is_empty()).then(|| json(&evidence)),
        cause_pos: decision.cause_pos,
    }
}

fn case_row(case_id: uuid::Uuid, case: &Case) -> CaseRow {
    CaseRow {
        case_id,
        pos: case.pos,
        root_key: case.root_key.clone(),
        reason: case.reason.code(),
        resolution: case.resolution.map(rules::world::Resolution::code),
        version: case.version,
        opened_at: case.opened_at,
        due: case.due,
        due_pos: case.due_pos,
        closed_pos: case.closed_pos,
        detail: json(&case.detail),
        waits_for: case.waits_for.iter().cloned().collect(),
        events: case
            .events
            .iter()
            .map(|(pos, attached)| (*pos, attached.rev, attached.slot))
            .collect(),
    }
}

fn registration_row(pos: i64, told: &Registration) -> RegistrationRow {
    let bytes = |hash: &Option<String>| hash.as_deref().and_then(|hash| hex::decode(hash).ok());
    RegistrationRow {
        user_id: told.user.clone(),
        email: told.email.clone(),
        email_hash: bytes(&told.email_hash),
        email_verified: told.email_verified,
        name: told.name.clone(),
        name_hash: bytes(&told.name_hash),
        metadata: told.metadata.clone(),
        pos,
    }
}

fn entry_row(version: &Version) -> EntryRow {
    let worth = match &version.entry {
        Entry::Credits(worth) => Some(worth),
        Entry::NotOurs => None,
    };
    EntryRow {
        price: version.key.clone(),
        from_pos: version.pos,
        valid_from: version.valid_from,
        credits: worth.map(|worth| worth.credits),
        unit: worth.map(|worth| worth.unit.clone()),
        expires: worth.and_then(|worth| worth.expires.as_ref()).map(ToString::to_string),
        priority: worth.map(|worth| worth.priority).unwrap_or_default(),
    }
}

/// JSON text. These types hold texts, numbers and lists of them: writing them cannot fail.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
