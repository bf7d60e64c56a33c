//! Prices as the configuration has them: whatever differs from the catalogue that is in force is told of as a fact.

use ledger::ids::derive_uuid;
use serde_json::{Map, json};
use store::Error;
use store::log::{Origin, Source};
use store::read::catalogue::catalogue_get;

use crate::Keeper;
use crate::facts::{FACTS_MAX, Fact};

/// Who says what the configuration says.
const ACTOR: &str = "configuration";

/// What one of a price is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceEntry {
    /// Stripe's `price_…`.
    pub price: String,
    /// Credits per quantity of one and their unit; `None`: purchases of this price do not concern us.
    pub worth: Option<(i64, String)>,
}

impl Keeper {
    /// Tells of the entries that differ from those in force; how many were not told of before. Several processes that
    /// start together tell of an entry once.
    pub async fn sync_catalogue(
        &self,
        tenant_id: i32,
        entries: &[PriceEntry],
    ) -> Result<u64, Error> {
        let mut facts = Vec::new();
        for entry in entries {
            let client = self.store.get().await?;
            let stored = catalogue_get(&client, tenant_id, &entry.price).await?;
            if stored.as_ref().is_none_or(|stored| stored.worth != entry.worth) {
                facts.push(entry.fact(stored.map_or(0, |stored| stored.from_pos)));
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
    /// The fact that takes the place of the entry at `replaced_pos`.
    fn fact(&self, replaced_pos: i64) -> Fact {
        let PriceEntry { price, worth } = self;
        let mut members = Map::from_iter([
            ("price".to_owned(), json!(price)),
            ("actor".to_owned(), json!(ACTOR)),
        ]);
        match worth {
            Some((credits, unit)) => {
                members.insert("credits".to_owned(), json!(credits));
                members.insert("unit".to_owned(), json!(unit));
            }
            None => {
                members.insert("not_ours".to_owned(), json!(true));
            }
        }
        let content = json!(members).to_string();
        let parts = ["tally.catalogue.v1", &replaced_pos.to_string(), &content];
        let routing_key = format!("price:{price}");
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
