//! The loop: which keys cases wait for, which of them are due, what came of asking.

use std::time::Duration;

use futures_util::future::join_all;
use store::log::{Appended, NewEvent, append};
use store::read::pulls::{PREFIX, pull_list};

use super::api::Api;
use super::failure::Failure;
use super::memory::{Came, Memory};
use super::path::Wanted;
use super::rest::Rest;
use super::{event, object};
use crate::Outside;
use crate::batcher::slot_mask;

/// How often is looked for keys. A look costs one short query; whoever waits for his credits does not feel it.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Longest pause while the database does not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Keys that one look reads. Those behind them have their turn in the next one.
const PAGE_KEYS: usize = 1_000;

/// Requests at once. Stripe allows 25 a second in test mode, and the app needs some for itself.
const CONCURRENCY_MAX: usize = 4;

/// Pulls for one tenant.
pub(super) struct Worker {
    tenant_id: i32,
    livemode: bool,
    api: Api,
    outside: Outside,
    memory: Memory,
    /// The last key of the page before.
    after: String,
    rest: Rest,
}

impl Worker {
    pub(super) fn new(tenant_id: i32, livemode: bool, api: Api, outside: Outside) -> Self {
        let (memory, rest) = (Memory::default(), Rest::default());
        Self { tenant_id, livemode, api, outside, memory, after: PREFIX.to_owned(), rest }
    }

    /// Looks for as long as it is polled. It may be dropped at any instant: what was not stored is asked for again.
    pub(super) async fn run(mut self) {
        let mut pause = LOOK_EVERY;
        loop {
            pause = match self.look().await {
                Ok(()) => LOOK_EVERY,
                Err(error) => {
                    let tenant = self.tenant_id;
                    tracing::warn!(tenant.id = tenant, %error, "cannot read what to pull: {error}");
                    pause.saturating_mul(2).min(LONGEST_PAUSE)
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Reads a page of keys and asks for those that are due.
    async fn look(&mut self) -> Result<(), store::Error> {
        let now = self.outside.clock.now();
        if !self.rest.is_over(now) {
            return Ok(());
        }
        let limit = i64::try_from(PAGE_KEYS).unwrap_or(i64::MAX);
        // Given back before anything is asked for: one connection at a time.
        let client = self.outside.store.get().await?;
        let keys = pull_list(&client, self.tenant_id, &self.after, limit).await?;
        drop(client);
        let mut due: Vec<&str> = keys.iter().map(String::as_str).collect();
        due.retain(|key| self.memory.is_due(key, now));
        for keys in due.chunks(CONCURRENCY_MAX) {
            self.pull(keys).await;
            if !self.rest.is_over(self.outside.clock.now()) {
                // The rest of the page has its turn after that.
                return Ok(());
            }
        }
        if let Some(last) = keys.into_iter().nth(PAGE_KEYS.saturating_sub(1)) {
            self.after = last;
        } else {
            PREFIX.clone_into(&mut self.after);
            self.memory.end_walk();
        }
        Ok(())
    }

    /// Asks for these together, and appends what came one by one.
    async fn pull(&mut self, keys: &[&str]) {
        let fetched = join_all(keys.iter().map(|key| self.fetch(key))).await;
        let mut failures = Vec::new();
        for (key, fetched) in keys.iter().zip(fetched) {
            let outcome = match fetched {
                Ok(event) => self.append(event).await,
                Err(failure) => Err(failure),
            };
            self.note(key, &outcome);
            failures.extend(outcome.err());
        }
        let nothing_came = |failure: &Failure| failure.came() == Came::Nothing;
        let all_failed = failures.len() == keys.len() && failures.iter().all(nothing_came);
        if all_failed || failures.iter().any(Failure::concerns_all) {
            let asked = failures.iter().filter_map(Failure::retry_after).max();
            self.rest.begin(self.outside.clock.now(), asked);
        } else {
            self.rest.forget();
        }
    }

    async fn fetch(&self, key: &str) -> Result<NewEvent, Failure> {
        let wanted = Wanted::parse(key).ok_or(Failure::Path)?;
        let pulled = object::pull(&self.api, &wanted).await?;
        event::new_event(&wanted, pulled, self.livemode, self.outside.clock.now())
    }

    /// How the metrics call what became of it.
    async fn append(&self, event: NewEvent) -> Result<&'static str, Failure> {
        let events = [event];
        let appended = append(&self.outside.store, self.tenant_id, &events).await;
        if let [Appended::Stored(_)] = *appended.map_err(Failure::NotStored)? {
            self.outside.notifier.notify_events(self.tenant_id, slot_mask(&events));
            Ok("stored")
        } else {
            Ok("duplicate")
        }
    }

    /// Remembers, counts, and tells once what came.
    fn note(&mut self, key: &str, outcome: &Result<&'static str, Failure>) {
        let (came, counted) = match outcome {
            Ok(stored) => (Came::Answer, *stored),
            Err(failure) => (failure.came(), failure.outcome()),
        };
        metrics::counter!("tally_ingest_pulls_total", "outcome" => counted).increment(1);
        let is_new = self.memory.note(key, came, self.outside.clock.now());
        if let Err(failure) = outcome
            && is_new
        {
            tracing::warn!(tenant.id = self.tenant_id, key, "{key:?} is not pulled: {failure}");
        }
    }
}
