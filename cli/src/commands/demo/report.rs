//! What became of it: read from the database and the API, and proved.

use std::collections::BTreeMap;

use anyhow::Context as _;
use ledger::decision::Reason;
use serde::Serialize;
use store::log::event_get;
use store::proof::{Chains, chains};
use store::read::cases::{Case, Filter};
use store::read::decisions::{Verdict, decision_list_of_event};
use store::status::{Counts, UnitBooks, books, counts};

use super::stage::Stage;
use super::story::{Delivery, USERS, list_cases};
use crate::output::table;

/// What became of all that was told.
pub(super) struct Report {
    deliveries: Vec<(Delivery, Verdict)>,
    cases: Vec<(Case, String)>,
    balances: Vec<Balance>,
    counts: Counts,
    books: Vec<UnitBooks>,
    chains: Chains,
}

/// What a user has.
#[derive(Clone, Debug, Serialize)]
struct Balance {
    user: String,
    unit: String,
    available: i64,
}

/// The answer for scripts.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    received: i64,
    pending: i64,
    applied: i64,
    ignored: i64,
    deferred: i64,
    in_review: i64,
    duplicates: usize,
    cases_opened: i64,
    cases_closed: i64,
    balances: Vec<Balance>,
    bought: i64,
    granted: i64,
    unclaimed: i64,
    written_off: i64,
    books: &'static str,
}

/// Reads it.
pub(super) async fn make(stage: &Stage, told: Vec<Delivery>) -> anyhow::Result<Report> {
    let (client, tenant_id) = (stage.store.get().await?, stage.tenant.tenant_id);
    let mut deliveries = Vec::new();
    for delivery in told {
        let decisions = decision_list_of_event(&client, tenant_id, delivery.pos).await?;
        let last = decisions.last().context("a delivery has no decision")?.verdict;
        deliveries.push((delivery, last));
    }
    let mut cases = Vec::new();
    for case in list_cases(stage, &Filter::default()).await?.into_iter().rev() {
        let by = match case.closed_pos {
            Some(pos) => event_get(&client, tenant_id, pos).await?.map(|event| event.event_type),
            None => None,
        };
        cases.push((case, by.unwrap_or_default()));
    }
    let (counts, books) = (counts(&client, tenant_id).await?, books(&client, tenant_id).await?);
    drop(client);
    let mut balances = Vec::new();
    for user in USERS {
        balances.push(balance(stage, user).await?);
    }
    let chains = chains(&stage.store, tenant_id).await?;
    Ok(Report { deliveries, cases, balances, counts, books, chains })
}

/// What the app's frontend is told.
async fn balance(stage: &Stage, user: &str) -> anyhow::Result<Balance> {
    let balance = stage.app.get(&format!("/v1/users/{user}/balance")).await?;
    let member =
        |name: &str| balance.get(name).with_context(|| format!("a balance without {name}"));
    Ok(Balance {
        user: user.to_owned(),
        unit: member("unit")?.as_str().unwrap_or_default().to_owned(),
        available: member("available")?.as_i64().unwrap_or_default(),
    })
}

impl Report {
    /// Whether everything is decided, the books add up, and every chain is whole.
    pub(super) fn is_proved(&self) -> bool {
        self.counts.pending == 0
            && self.books.iter().all(UnitBooks::adds_up)
            && self.chains.faults.is_empty()
    }

    /// The answer for scripts.
    pub(super) fn summary(&self) -> Summary {
        let Counts { received, pending, applied, ignored, deferred, in_review, .. } = self.counts;
        let sum = |part: fn(&UnitBooks) -> i64| self.books.iter().map(part).sum();
        Summary {
            received,
            pending,
            applied,
            ignored,
            deferred,
            in_review,
            duplicates: self.deliveries.iter().filter(|(told, _)| told.is_duplicate).count(),
            cases_opened: self.counts.cases_opened,
            cases_closed: self.counts.cases_closed,
            balances: self.balances.clone(),
            bought: sum(|unit| unit.bought),
            granted: sum(|unit| unit.granted),
            unclaimed: sum(|unit| unit.unclaimed),
            written_off: sum(|unit| unit.written_off),
            books: if self.is_proved() { "ok" } else { "differ" },
        }
    }

    /// The answer for people.
    pub(super) fn text(&self) -> String {
        [self.deliveries_text(), self.cases_text(), self.balances_text(), self.proof_text()]
            .join("\n")
    }

    fn deliveries_text(&self) -> String {
        let rows = self
            .deliveries
            .iter()
            .map(|(told, last)| [told.what.to_owned(), told.kind.to_owned(), became(told, *last)]);
        table(["WHAT HAPPENED", "STRIPE'S EVENT", "WHAT BECAME OF IT"], rows, &[])
    }

    fn cases_text(&self) -> String {
        let rows = self.cases.iter().map(|(case, by)| {
            let how = case.resolution.map_or("open", |resolution| resolution.name());
            let by = match by.as_str() {
                "" => String::new(),
                by => format!("by {by}"),
            };
            [case.reason.name().to_owned(), about(case.reason).to_owned(), how.to_owned(), by]
        });
        table(["CASE", "BECAUSE", "CLOSED", ""], rows, &[])
    }

    fn balances_text(&self) -> String {
        let rows = self
            .balances
            .iter()
            .map(|one| [one.user.clone(), one.available.to_string(), one.unit.clone()]);
        table(["USER", "AVAILABLE", "UNIT"], rows, &[1])
    }

    fn proof_text(&self) -> String {
        let Counts { received, pending, applied, ignored, deferred, in_review, .. } = self.counts;
        let mut lines = vec![format!(
            "log     {received} received = {applied} applied + {ignored} ignored + {deferred} deferred \
             + {in_review} in review + {pending} pending"
        )];
        for UnitBooks { unit, bought, granted, unclaimed, written_off } in &self.books {
            lines.push(format!(
                "books   {bought} {unit} bought = {granted} granted + {unclaimed} unclaimed + {written_off} written off"
            ));
        }
        let Chains { accounts, postings, faults } = &self.chains;
        lines.push(format!(
            "chains  {postings} postings on {accounts} accounts, every hash computed again"
        ));
        lines.extend(faults.iter().map(|fault| format!("        {fault}")));
        lines.push(format!("proof   {}", if self.is_proved() { "ok" } else { "THE BOOKS DIFFER" }));
        lines.join("\n")
    }
}

fn became(told: &Delivery, last: Verdict) -> String {
    let name = |verdict: Verdict| format!("{} ({})", verdict.outcome.name(), verdict.reason.name());
    if told.is_duplicate {
        format!("duplicate of position {}", told.pos)
    } else if told.first == last {
        name(last)
    } else {
        format!("{}, then {}", name(told.first), name(last))
    }
}

/// Why such a case is opened, in words; those of the demonstration.
fn about(reason: Reason) -> &'static str {
    let known = BTreeMap::from([
        (Reason::UnknownUser, "the user is not in the directory"),
        (Reason::Conflict, "the evidence names two users"),
        (Reason::UnknownPrice, "the catalogue does not have the price"),
    ]);
    known.get(&reason).copied().unwrap_or_default()
}
