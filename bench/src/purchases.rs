//! The events: purchases told by session, payment intent and charge, of the size and shape of Stripe's.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::log::{NewEvent, Origin, Source, slot_of};
use stripe::envelope;
use stripe::signature::{Secret, sign};

/// Users who buy.
pub(crate) const USERS: usize = 20_000;

/// What they buy.
const PRICE: &str = "price_benchmark";

/// Credits that it is worth.
const CREDITS: i64 = 100;

/// More than one user buys in any run.
const PER_USER: usize = 1_000_000;

/// The doors through which Stripe tells of a purchase.
const DOORS: [&str; 3] = [
    include_str!("bodies/session.json"),
    include_str!("bodies/payment_intent.json"),
    include_str!("bodies/charge.json"),
];

/// An endless row of different events.
#[derive(Debug)]
pub(crate) struct Purchases {
    /// How many of the doors tell: 1, the session alone, or all 3.
    doors: usize,
    /// The next event.
    next: usize,
    /// Who buys, if it is always the same user.
    user: Option<usize>,
}

impl Purchases {
    /// Purchases told by all doors, one after the other.
    pub(crate) fn by_all_doors() -> Self {
        Self { doors: DOORS.len(), next: 0, user: None }
    }

    /// Purchases told once each. They are others than those of [`Self::by_all_doors`].
    pub(crate) fn by_session() -> Self {
        Self { doors: 1, next: usize::MAX / 2, user: None }
    }

    /// Purchases of one user, told once each.
    pub(crate) fn of_user(user: usize) -> Self {
        let next = (usize::MAX / 4).saturating_add(user.saturating_mul(PER_USER));
        Self { doors: 1, next, user: Some(user) }
    }

    /// Checkout session of the next purchase, if its session tells of it.
    pub(crate) fn next_session(&self) -> String {
        let purchase = self.next.checked_div(self.doors).unwrap_or_default();
        format!("cs_test_{}", scattered("purchase", purchase).1)
    }
}

impl Iterator for Purchases {
    type Item = String;

    /// The next event's body. Ids look random, as Stripe's do, so that no index is filled in order.
    fn next(&mut self) -> Option<String> {
        let number = self.next;
        self.next = number.checked_add(1)?;
        let purchase = number.checked_div(self.doors)?;
        let template = DOORS.get(number.checked_rem(self.doors)?)?;
        let user = self.user.unwrap_or_else(|| scattered("user", purchase).0 % USERS);
        // Some come back under a new customer, as happens without a login.
        let customer = format!("{user}X{}", purchase % 3);
        let values = [
            ("@EVENT@", scattered("event", number).1),
            ("@PURCHASE@", scattered("purchase", purchase).1),
            ("@USER@", user_id(user)),
            ("@CUSTOMER@", customer),
        ];
        let body = values
            .iter()
            .fold((*template).to_owned(), |body, (name, value)| body.replace(name, value));
        Some(body)
    }
}

/// A whole HTTP/1.1 request that delivers these bytes, signed now.
pub(crate) fn request(secret: &Secret, now: Timestamp, body: &str) -> Vec<u8> {
    let signature = sign(secret, now.as_second(), body.as_bytes());
    let head = format!(
        "POST /v1/webhooks/stripe HTTP/1.1\r\nHost: localhost\r\n\
         User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\n\
         Content-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\n\
         Stripe-Signature: {signature}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

/// The same as ingest would append it.
pub(crate) fn delivered(now: Timestamp, body: String) -> anyhow::Result<NewEvent> {
    let envelope = envelope::peek(body.as_bytes())?;
    let routing_key = envelope.routing_key.unwrap_or_default();
    let event = new_event(now, Origin::Stripe, envelope.id, &routing_key, body);
    Ok(NewEvent { event_type: envelope.event_type, root_key: envelope.root_key, ..event })
}

/// What must be known before a purchase can be credited: its price, and every user.
pub(crate) fn known_before(now: Timestamp) -> impl Iterator<Item = NewEvent> {
    let price = json!({"object": "tally.event", "type": "tally.catalogue.set", "price": PRICE,
                       "credits": CREDITS, "unit": "credits", "actor": "bench"});
    let price = fact(now, Origin::Catalogue, &format!("price:{PRICE}"), &price);
    let user = move |number| {
        let user = user_id(number);
        let body = json!({"object": "tally.event", "type": "tally.user.registered",
                          "user": user, "email": format!("{user}@shop.example")});
        fact(now, Origin::Directory, &format!("user:{user}"), &body)
    };
    std::iter::once(price).chain((0..USERS).map(user))
}

fn fact(now: Timestamp, origin: Origin, about: &str, body: &Value) -> NewEvent {
    let event = new_event(now, origin, format!("{about}:bench"), about, body.to_string());
    let event_type = body.get("type").and_then(Value::as_str).unwrap_or_default();
    NewEvent { event_type: event_type.to_owned(), ..event }
}

fn new_event(
    now: Timestamp,
    origin: Origin,
    source_id: String,
    routing_key: &str,
    body: String,
) -> NewEvent {
    NewEvent {
        origin,
        source: Source::Import,
        account: String::new(),
        source_id,
        event_type: String::new(),
        root_key: None,
        slot: slot_of(routing_key),
        livemode: Some(false),
        api_version: None,
        endpoint: None,
        user_agent: None,
        peer: None,
        occurred_at: now,
        received_at: now,
        body_sha256: Sha256::digest(&body).into(),
        body: Bytes::from(body),
        signature: None,
        traceparent: None,
    }
}

/// Id of a user.
pub(crate) fn user_id(number: usize) -> String {
    format!("user-{number}")
}

/// A number and a text for an id that look random and are the same in every run.
fn scattered(what: &str, number: usize) -> (usize, String) {
    let hash = Sha256::digest(format!("{what} {number}"));
    let start = hash.iter().take(4).fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
    (start, hex::encode(hash.get(4..16).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jiff::Timestamp;

    use super::{Purchases, delivered};

    #[test]
    fn events_are_distinct_and_complete() {
        let events = Purchases::by_all_doors().take(30).chain(Purchases::by_session().take(10));
        let events: Vec<_> =
            events.map(|body| delivered(Timestamp::UNIX_EPOCH, body).unwrap()).collect();
        let ids: HashSet<_> = events.iter().map(|event| &event.source_id).collect();
        assert_eq!(ids.len(), 40);
        let roots: HashSet<_> = events.iter().map(|event| &event.root_key).collect();
        assert_eq!(roots.len(), 20, "three doors lead to one payment");
        assert!(events.iter().all(|event| (2_300..3_300).contains(&event.body.len())));
        let text = String::from_utf8(events[0].body.to_vec()).unwrap();
        assert!(!text.contains("@EVENT@") && !text.contains("@USER@"));
    }
}
