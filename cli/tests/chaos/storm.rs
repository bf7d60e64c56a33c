//! What is delivered: purchases of many kinds, each told through its doors, a fifth of it twice, all mixed up.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::log::{NewEvent, Origin, Source, slot_of};
use testkit::events::{Event, Metadata, Purchase};

use crate::model::Bought;

/// Users whom the directory knows from the beginning.
pub(crate) const EARLY_USERS: usize = 30;

/// Users who register during the storm.
pub(crate) const LATE_USERS: usize = 10;

/// Deliveries in a hundred that are made twice.
const DUPLICATES_IN_100: u32 = 20;

/// Deliveries and what they were made from, without end or up to a number.
pub(crate) struct Storm {
    rng: StdRng,
    /// What waits to be delivered, taken out at random.
    waiting: Vec<Event>,
    /// So many wait, as long as there is more to come: how far events are out of order.
    disorder: usize,
    /// How many more purchases there will be.
    to_come: usize,
    /// All purchases so far.
    pub(crate) purchases: Vec<Bought>,
    /// All bytes with which an event was made, by its id.
    pub(crate) bodies: BTreeMap<String, Vec<Vec<u8>>>,
    /// How many deliveries were handed out.
    pub(crate) handed_out: usize,
}

impl Storm {
    /// A storm of so many purchases, of which so many deliveries are mixed up at a time.
    pub(crate) fn new(seed: u64, purchases: usize, disorder: usize) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            waiting: Vec::new(),
            disorder,
            to_come: purchases,
            purchases: Vec::new(),
            bodies: BTreeMap::new(),
            handed_out: 0,
        }
    }

    /// The next delivery; none once everything was handed out.
    pub(crate) fn next(&mut self) -> Option<Event> {
        while self.to_come > 0 && self.waiting.len() < self.disorder {
            self.to_come -= 1;
            self.buy();
        }
        if self.waiting.is_empty() {
            return None;
        }
        let place = self.rng.random_range(0..self.waiting.len());
        self.handed_out += 1;
        Some(self.waiting.swap_remove(place))
    }

    /// Lets no further purchases come; what was begun is told to its end.
    pub(crate) fn abate(&mut self) {
        self.to_come = 0;
    }

    /// Who is in the directory in the end.
    pub(crate) fn registered() -> BTreeSet<String> {
        (0..EARLY_USERS + LATE_USERS).map(user).collect()
    }

    /// A purchase of a random kind, put among what waits.
    fn buy(&mut self) {
        let number = self.purchases.len();
        // Every purchase has other credits, so that a double one shows in the sum.
        let credits = i64::try_from(1_000 + number).unwrap();
        let (somebody, other) = (self.somebody(), self.somebody());
        let mut purchase = Purchase::new(&format!("n{number}"));
        let mut has_session = true;
        let mut users = vec![somebody.clone()];
        match self.rng.random_range(0..10_u32) {
            // Known by the session alone: payment intent and charge name nothing.
            0 | 1 => {}
            // The customer comes back, with a name or without: a link tells who it is.
            2 | 3 => purchase.customer = Some(format!("cus_{somebody}")),
            4 => {
                purchase.customer = Some(format!("cus_{somebody}"));
                users.clear();
            }
            5 => users = vec![format!("stranger{number}")],
            6 => users.clear(),
            // A stale session: two names that differ.
            7 if other != somebody => users.push(other),
            8 => has_session = false,
            _ => purchase.payment_metadata = metadata(credits, &users),
        }
        purchase.metadata = metadata(credits, &users);
        if !has_session {
            // Of somebody else's shop, on the same Stripe account.
            users.clear();
        }
        self.purchases.push(Bought {
            credits,
            named: users.into_iter().collect(),
            customer: purchase.customer.clone(),
            has_session,
        });
        let session = has_session.then(|| purchase.checkout_session_completed());
        let doors = [purchase.payment_intent_succeeded(), purchase.charge_succeeded()];
        for event in doors.into_iter().chain(session) {
            self.add(event);
        }
    }

    fn add(&mut self, event: Event) {
        let bodies = self.bodies.entry(event.id.clone()).or_default();
        bodies.push(event.body.clone());
        if self.rng.random_ratio(DUPLICATES_IN_100, 100) {
            let again = event.delivered_again();
            bodies.push(again.body.clone());
            self.waiting.push(again);
        }
        self.waiting.push(event);
    }

    fn somebody(&mut self) -> String {
        user(self.rng.random_range(0..EARLY_USERS + LATE_USERS))
    }
}

/// What the app says of these users, once. Said again it is a duplicate.
pub(crate) fn registrations(users: Range<usize>) -> Vec<NewEvent> {
    users.map(|number| registration(&user(number))).collect()
}

fn registration(user: &str) -> NewEvent {
    let body = json!({"object": "tally.event", "type": "tally.user.registered", "user": user});
    let source_id = format!("user:{user}:chaos");
    new_event(Origin::Directory, "tally.user.registered", source_id, body.to_string().into())
}

/// An event as whoever appends it sees it, without a delivery.
pub(crate) fn new_event(
    origin: Origin,
    event_type: &str,
    source_id: String,
    body: Vec<u8>,
) -> NewEvent {
    NewEvent {
        origin,
        source: Source::Import,
        account: String::new(),
        slot: slot_of(&source_id),
        source_id,
        event_type: event_type.to_owned(),
        root_key: None,
        livemode: None,
        api_version: None,
        endpoint: None,
        user_agent: None,
        peer: None,
        occurred_at: Timestamp::UNIX_EPOCH,
        received_at: Timestamp::UNIX_EPOCH,
        body_sha256: Sha256::digest(&body).into(),
        body: body.into(),
        signature: None,
        traceparent: None,
    }
}

/// Id of a user.
pub(crate) fn user(number: usize) -> String {
    format!("user{number}")
}

fn metadata(credits: i64, users: &[String]) -> Metadata {
    let keys = ["user_id", "session_user_id"];
    let named = keys.into_iter().zip(users).map(|(key, user)| (key.to_owned(), user.clone()));
    let worth = [("credits".to_owned(), credits.to_string())];
    named.chain(worth).collect()
}
