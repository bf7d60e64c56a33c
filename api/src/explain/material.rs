//! What is recorded about a payment, or about an event that belongs to none: everything that its story is told from.

use std::collections::{BTreeMap, BTreeSet};

use ledger::decision::Outcome;
use ledger::ids::CaseId;
use serde_json::Value;
use store::Client;
use store::keys::names as key_names;
use store::log::Origin;
use store::read::cases::{Case, case_get, case_list_of_payment, case_wait_list};
use store::read::decisions::{Decision, decision_list_of_event, decision_list_of_payment};
use store::read::events::{Envelope, event_list_at};
use store::read::explain::{Fact, explain_act_list, explain_fact_list, explain_said_list};
use store::read::payments::{Leg, Movement, Payment, payment_leg_list, payment_movement_list};

use crate::error::RouteError;
use crate::payments::show::names;

/// Most versions of one case whose acts are looked for.
const CASE_VERSIONS_MAX: i32 = 100;

/// The records.
#[derive(Clone, Debug, Default)]
pub(super) struct Material {
    /// The payment, if it is of one.
    pub(super) payment: Option<Payment>,
    /// What is due of it.
    pub(super) legs: Vec<Leg>,
    /// Events that are told of, by position.
    pub(super) events: BTreeMap<i64, Envelope>,
    /// The words of our own facts among them.
    pub(super) facts: BTreeMap<i64, Fact>,
    /// Objects that Stripe told of, of those that are about money that goes back or were pulled.
    pub(super) said: BTreeMap<i64, Value>,
    /// Decisions, in the order of positions and revisions.
    pub(super) decisions: Vec<Decision>,
    /// Cases.
    pub(super) cases: Vec<Case>,
    /// What the open ones wait for.
    pub(super) waits: Vec<(CaseId, String)>,
    /// What moved.
    pub(super) movements: Vec<Movement>,
    /// Names of the keys that acted, by their id.
    pub(super) actors: BTreeMap<String, String>,
}

impl Material {
    /// The records of a payment.
    pub(super) async fn of_payment(
        client: &Client,
        tenant_id: i32,
        payment: Payment,
    ) -> Result<Self, RouteError> {
        let names = names(client, tenant_id, &payment).await?;
        let mut material = Self {
            legs: payment_leg_list(client, tenant_id, &payment.root_key).await?,
            decisions: decision_list_of_payment(client, tenant_id, &names).await?,
            cases: case_list_of_payment(client, tenant_id, &names).await?,
            movements: payment_movement_list(client, tenant_id, &names).await?,
            payment: Some(payment),
            ..Self::default()
        };
        material.complete(client, tenant_id, BTreeSet::new()).await?;
        Ok(material)
    }

    /// The records of an event that belongs to no payment.
    pub(super) async fn of_event(
        client: &Client,
        tenant_id: i32,
        pos: i64,
    ) -> Result<Self, RouteError> {
        let decisions = decision_list_of_event(client, tenant_id, pos).await?;
        let in_review = |decision: &&Decision| decision.verdict.outcome == Outcome::InReview;
        let mut cases = Vec::new();
        for decision in decisions.iter().filter(in_review) {
            // The case of an event alone is named after its position.
            let id =
                CaseId::derive(tenant_id, &format!("pos:{pos}"), decision.verdict.reason.name());
            cases.extend(case_get(client, tenant_id, id).await?);
        }
        cases.dedup_by_key(|case| case.id);
        let mut material = Self { decisions, cases, ..Self::default() };
        material.complete(client, tenant_id, BTreeSet::from([pos])).await?;
        Ok(material)
    }

    /// Reads what the decisions and cases lead to.
    async fn complete(
        &mut self,
        client: &Client,
        tenant_id: i32,
        mut positions: BTreeSet<i64>,
    ) -> Result<(), RouteError> {
        let ids: Vec<_> = self.cases.iter().map(|case| case.id.0).collect();
        self.waits = case_wait_list(client, tenant_id, &ids).await?;
        let acts: Vec<String> = self.cases.iter().flat_map(ids_of_acts).collect();
        positions.extend(explain_act_list(client, tenant_id, Origin::Operator, &acts).await?);
        positions.extend(self.decisions.iter().map(|decision| decision.pos));
        positions.extend(self.decisions.iter().filter_map(|decision| decision.cause_pos));
        positions.extend(self.cases.iter().filter_map(|case| case.closed_pos));
        let positions: Vec<i64> = positions.into_iter().collect();
        let events = event_list_at(client, tenant_id, &positions).await?;
        self.events = events.into_iter().map(|event| (event.pos, event)).collect();
        let facts = explain_fact_list(client, tenant_id, &positions).await?;
        self.facts = facts.into_iter().map(|fact| (fact.pos, fact)).collect();
        let said = explain_said_list(client, tenant_id, &positions).await?;
        self.said = said.into_iter().collect();
        let actors = self.facts.values().filter_map(|fact| fact.body.get("actor"));
        let actors: Vec<String> = actors.filter_map(Value::as_str).map(str::to_owned).collect();
        self.actors = key_names(client, tenant_id, &actors).await?.into_iter().collect();
        Ok(())
    }

    /// The open case, if there is one.
    pub(super) fn open_case(&self) -> Option<&Case> {
        self.cases.iter().find(|case| case.resolution.is_none())
    }

    /// What a case waits for.
    pub(super) fn waits_of(&self, case: &Case) -> Vec<&str> {
        let own = self.waits.iter().filter(|(id, _)| *id == case.id);
        own.map(|(_, key)| key.as_str()).collect()
    }

    /// What moved in the name of a decision.
    pub(super) fn movements_of(&self, decision: &Decision) -> Vec<&Movement> {
        let own = |movement: &&Movement| movement.decision == Some((decision.pos, decision.rev));
        self.movements.iter().filter(own).collect()
    }
}

/// Ids under which people acted on a case.
fn ids_of_acts(case: &Case) -> impl Iterator<Item = String> {
    let id = case.id.0;
    (1..=case.version.min(CASE_VERSIONS_MAX)).map(move |version| format!("case:{id}:{version}"))
}
