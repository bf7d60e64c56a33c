//! Cases whose time is over: a payment that waited long enough for the session that would make it ours.

use serde_json::{Map, json};
use store::Error;
use store::log::{Origin, Source};
use store::projection::cases;

use crate::Keeper;
use crate::facts::{FACTS_MAX, Fact};

impl Keeper {
    /// Tells of the tenant's cases that are due, the longest due first, at most `FACTS_MAX` of them: those behind follow
    /// once the projector has decided these. How many were not told of before.
    pub async fn tell_due(&self, tenant_id: i32) -> Result<u64, Error> {
        let limit = i64::try_from(FACTS_MAX).unwrap_or(i64::MAX);
        let client = self.store.get().await?;
        let overdue = cases::overdue(&client, tenant_id, self.clock.now(), limit).await?;
        // Given back before the append asks for one.
        drop(client);
        let facts = overdue.into_iter().map(|(case, version)| Fact {
            origin: Origin::Clock,
            source: Source::Import,
            event_type: "tally.case.due",
            // Of a version once: a case that changes meanwhile is due anew.
            source_id: format!("due:{case}:{version}"),
            routing_key: format!("case:{case}"),
            members: Map::from_iter([
                ("case".to_owned(), json!(case)),
                ("version".to_owned(), json!(version)),
            ]),
        });
        self.tell(tenant_id, facts.collect()).await
    }
}
