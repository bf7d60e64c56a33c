//! How many cases are open, and since when: what an operator wants to be told of before a user tells him.

use ledger::decision::{Outcome, Reason};
use store::Error;
use store::status::open_cases;

use crate::Keeper;

impl Keeper {
    /// Measures the tenant's open cases: `tally_cases_open{tenant, reason}`, `tally_cases_oldest_age_seconds{tenant}`.
    /// Tells no facts.
    pub async fn measure_cases(&self, tenant_id: i32) -> Result<u64, Error> {
        let open = open_cases(&self.store.get().await?, tenant_id).await?;
        let tenant = tenant_id.to_string();
        for reason in Reason::ALL.into_iter().filter(|one| one.outcome() == Outcome::InReview) {
            let count = open.iter().find(|one| one.reason == reason).map_or(0, |one| one.count);
            let labels = [("tenant", tenant.clone()), ("reason", reason.name().to_owned())];
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            metrics::gauge!("tally_cases_open", &labels).set(f64::from(count));
        }
        let oldest = open.iter().map(|one| one.oldest).min();
        let age = oldest.map(|oldest| self.clock.now().duration_since(oldest).as_secs_f64());
        metrics::gauge!("tally_cases_oldest_age_seconds", "tenant" => tenant)
            .set(age.unwrap_or_default().max(0.0));
        Ok(0)
    }
}
