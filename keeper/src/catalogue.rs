//! The catalogue as the configuration has it: whatever differs from what stands is told of as a fact.

use jiff::Timestamp;
use ledger::ids::derive_uuid;
use serde_json::{Map, json};
use store::Error;
use store::log::{Origin, Source};
use store::read::catalogue::{Worth, catalogue_versions};

use crate::Keeper;
use crate::facts::{FACTS_MAX, Fact};

/// Who says what the configuration says.
const ACTOR: &str = "configuration";

/// What one of a price is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceEntry {
    /// Stripe's `price_…` or `prod_…`, or `lookup_key:…`.
    pub key: String,
    /// What it is worth; `None`: purchases do not concern us.
    pub worth: Option<Worth>,
    /// Purchases that are paid from then on count by it; `None`: see [`Keeper::sync_catalogue`].
    pub valid_from: Option<Timestamp>,
}

impl Keeper {
    /// Tells of the entries that differ from what stands; how many were not told of before. Several processes that start
    /// together tell of an entry once. Where no moment is named, the first version of an entry counts from ever and a
    /// changed one from now on, as the rules have it.
    pub async fn sync_catalogue(
        &self,
        tenant_id: i32,
        entries: &[PriceEntry],
    ) -> Result<u64, Error> {
        let now = self.clock.now();
        let mut facts = Vec::new();
        for entry in entries {
            let client = self.store.get().await?;
            let versions = catalogue_versions(&client, tenant_id, &entry.key).await?;
            if versions.saying(entry.worth.as_ref(), entry.valid_from, now).is_none() {
                facts.push(entry.fact(versions.newest_pos()));
            }
        }
        let mut told = 0_u64;
        while !facts.is_empty() {
            let rest = facts.split_off(facts.len().min(FACTS_MAX));
            told = told.saturating_add(self.tell(tenant_id, facts).await?);
            facts = rest;
        }
        Ok(told)
    }
}

impl PriceEntry {
    /// The fact that is told after the one at `before_pos`.
    fn fact(&self, before_pos: i64) -> Fact {
        let mut members = Map::from_iter([
            ("price".to_owned(), json!(self.key)),
            ("actor".to_owned(), json!(ACTOR)),
        ]);
        let mut add = |name: &str, value| drop(members.insert(name.to_owned(), value));
        match &self.worth {
            Some(Worth { credits, unit, expires, priority }) => {
                add("credits", json!(credits));
                add("unit", json!(unit));
                add("expires", json!(expires));
                add("priority", json!(priority));
            }
            None => add("not_ours", json!(true)),
        }
        if let Some(valid_from) = self.valid_from {
            add("valid_from", json!(valid_from));
        }
        let content = json!(members).to_string();
        let parts = ["tally.catalogue.v1", &before_pos.to_string(), &content];
        let routing_key = format!("price:{}", self.key);
        Fact {
            origin: Origin::Catalogue,
            source: Source::Cli,
            event_type: "tally.catalogue.set",
            source_id: format!("{routing_key}:{}", derive_uuid(&parts)),
            routing_key,
            members,
        }
    }
}
