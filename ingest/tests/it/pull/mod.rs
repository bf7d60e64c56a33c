//! What cases wait to know from Stripe's API.

mod limits;
mod stripe;

use std::sync::Arc;
use std::time::Duration;

use ingest::pull::{Access, Limits, Tenant, start};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::log::{Event, Origin, Source, slot_of};
use tokio::sync::Barrier;

use self::stripe::{Answer, Stripe};
use crate::support::*;

/// A key such as Stripe's are.
const KEY: &str = "rk_test_51H8canaryThatNobodyMaySee";

/// A webhook, an API to pull from, and who pulls.
struct Pulling {
    world: World,
    stripe: Stripe,
}

impl Pulling {
    async fn new() -> Self {
        Self::with(Limits { timeout: testkit::WAIT_MAX, ..Limits::default() }).await
    }

    async fn with(limits: Limits) -> Self {
        let pulling = Self { world: World::new().await, stripe: Stripe::new().await };
        pulling.start(limits);
        pulling
    }

    /// Starts somebody who pulls for the test tenant.
    fn start(&self, limits: Limits) {
        let access = Access { base: self.stripe.base.clone(), key: KEY.into() };
        let tenant = Tenant { tenant_id: self.world.test_tenant, livemode: false, access };
        start(vec![tenant], limits, &self.world.outside, &self.world.shutdown).unwrap();
    }

    /// Opens a case of the test tenant that waits for these keys.
    async fn case_waits_for(&self, keys: &[&str]) {
        let client = self.world.superuser().await;
        let tenant = self.world.test_tenant;
        let case =
            "INSERT INTO review_case (tenant_id, case_id, pos, reason, state, version, opened_at)
                    VALUES ($1, gen_random_uuid(), 1, 40, 1, 1, now()) RETURNING case_id::text";
        let case: String = client.query_one(case, &[&tenant]).await.unwrap().get(0);
        let wait = "INSERT INTO case_wait (tenant_id, key, case_id)
                    SELECT $1, key, $3::text::uuid FROM unnest($2::text[]) key";
        client.execute(wait, &[&tenant, &keys, &case]).await.unwrap();
    }

    /// The event at a position, as soon as it is there.
    async fn event(&self, pos: usize) -> Event {
        testkit::wait_for("an event", async || {
            (self.world.stored(self.world.test_tenant).await >= pos).then_some(())
        })
        .await;
        self.world.event(i64::try_from(pos).unwrap()).await
    }

    /// Waits until Stripe was asked for a path so often.
    async fn asked(&self, path: &str, times: usize) {
        let what = format!("request {times} for {path}");
        testkit::wait_for(&what, async || (self.stripe.times(path) >= times).then_some(())).await;
    }

    /// Pulls something that is there, in a look that begins after all that is under way.
    async fn look_anew(&self, id: &str) {
        let path = format!("/v1/charges/{id}");
        self.stripe.answers(&path, [Answer::object(&charge(id))]);
        self.case_waits_for(&[&format!("pull:{path}")]).await;
        let source_id = format!("SELECT source_id FROM event WHERE source_id LIKE 'pull:{path}#%'");
        testkit::wait_for("another look", async || self.world.texts(&source_id).await.pop()).await;
    }

    /// What was stored, without the hashes.
    async fn stored(&self) -> Vec<String> {
        let sql = "SELECT split_part(source_id, '#', 1) FROM event ORDER BY pos";
        self.world.texts(sql).await
    }
}

fn charge(id: &str) -> Value {
    json!({"id": id, "object": "charge", "livemode": false, "payment_intent": format!("pi_{id}")})
}

#[tokio::test]
async fn what_a_case_waits_for_is_pulled_and_appended_as_it_came() {
    let pulling = Pulling::new().await;
    let session = json!({
        "id": "cs_1", "object": "checkout.session", "livemode": false, "payment_intent": {"id": "pi_1"},
        "line_items": {"object": "list", "has_more": false, "data": [{"id": "li_1"}]},
    });
    let path = "/v1/checkout/sessions/cs_1?expand%5B%5D=line_items&expand%5B%5D=payment_intent";
    let answer = Answer::object(&session).with_header("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
    pulling.stripe.answers(path, [answer]);
    let key = "pull:/v1/checkout/sessions/cs_1?expand[]=line_items&expand[]=payment_intent";
    pulling.case_waits_for(&["user:u_1", key]).await;

    let event = pulling.event(1).await;
    let body = serde_json::to_vec_pretty(&session).unwrap();
    let hash: [u8; 32] = Sha256::digest(&body).into();
    let mut digits = hex::encode(hash);
    digits.truncate(16);
    assert_eq!(event.body.as_deref(), Some(body.as_slice()));
    assert_eq!((event.body_sha256, event.source_id), (hash, format!("{key}#{digits}")));
    assert_eq!((event.origin, event.source), (Origin::Stripe, Source::Backfill));
    assert_eq!((event.event_type.as_str(), event.account.as_str()), ("tally.pulled", ""));
    assert_eq!((event.root_key.as_deref(), event.slot), (Some("pi_1"), slot_of("pi_1")));
    assert_eq!(event.livemode, Some(false));
    assert_eq!(event.api_version.as_deref(), Some("2026-10-28.endive"));
    let dated = (event.occurred_at.as_second(), event.received_at.as_second());
    assert_eq!(dated, (784_111_777, NOW), "by Stripe's clock and by ours");
    assert_eq!(event.signature, None);

    let headers = pulling.stripe.headers(path);
    assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(headers["stripe-version"], "2026-10-28.endive");
    assert!(!headers.contains_key("stripe-account"));

    pulling.look_anew("ch_next").await;
    assert_eq!(pulling.stripe.times(path), 1, "the case waits on, but the answer is known");
    assert!(!log().contains(KEY));
}

#[tokio::test]
async fn a_connected_account_is_asked_as_itself() {
    let pulling = Pulling::new().await;
    pulling.stripe.answers("/v1/charges/ch_1", [Answer::object(&charge("ch_1"))]);
    pulling.case_waits_for(&["pull:acct_1/v1/charges/ch_1"]).await;
    let event = pulling.event(1).await;
    assert_eq!(event.account, "acct_1");
    assert_eq!(event.root_key.as_deref(), Some("acct_1/pi_ch_1"));
    assert!(event.source_id.starts_with("pull:acct_1/v1/charges/ch_1#"), "{}", event.source_id);
    assert_eq!(pulling.stripe.headers("/v1/charges/ch_1")["stripe-account"], "acct_1");
}

#[tokio::test]
async fn an_object_that_changes_is_another_event_and_one_that_does_not_is_none() {
    let pulling = Pulling::new().await;
    let path = "/v1/charges/ch_1";
    let mut paid = charge("ch_1");
    paid["paid"] = json!(true);
    let answers = [charge("ch_1"), charge("ch_1"), paid].map(|object| Answer::object(&object));
    pulling.stripe.answers(path, answers);
    pulling.case_waits_for(&["pull:/v1/charges/ch_1"]).await;
    let first = pulling.event(1).await;
    pulling.world.hands.advance(SignedDuration::from_mins(1));
    pulling.asked(path, 2).await;
    pulling.look_anew("ch_next").await;
    assert_eq!(pulling.stored().await, ["pull:/v1/charges/ch_1", "pull:/v1/charges/ch_next"]);
    pulling.world.hands.advance(SignedDuration::from_mins(2));
    let changed = pulling.event(3).await;
    assert_ne!(first.source_id, changed.source_id);
    assert_eq!(changed.slot, first.slot);
}

#[tokio::test]
async fn each_thin_event_has_one_answer_of_its_own() {
    let pulling = Pulling::new().await;
    pulling.start(Limits { timeout: testkit::WAIT_MAX, ..Limits::default() });
    let path = "/v1/charges/ch_1";
    let mut paid = charge("ch_1");
    paid["paid"] = json!(true);
    let keys = ["pull:/v1/charges/ch_1@1", "pull:/v1/charges/ch_1@2"];
    // Two processes ask at the same time, and hear different things.
    let both = Arc::new(Barrier::new(2));
    let answers = [charge("ch_1"), paid.clone()];
    pulling.stripe.answers(path, answers.map(|object| Answer::object(&object).together(&both)));
    pulling.case_waits_for(&keys[..1]).await;
    let first = pulling.event(1).await;
    pulling.asked(path, 2).await;
    // The charge did not change since. The second event is answered all the same, and at once.
    let same: Value = serde_json::from_slice(&first.body.unwrap()).unwrap();
    pulling.stripe.answers(path, [Answer::object(&same)]);
    pulling.case_waits_for(&keys[1..]).await;
    let second = pulling.event(2).await;
    pulling.asked(path, 4).await;
    for n in 0..4 {
        pulling.look_anew(&format!("ch_next_{n}")).await;
    }
    assert_eq!((first.source_id.as_str(), second.source_id.as_str()), (keys[0], keys[1]));
    assert_eq!((first.body_sha256, first.slot), (second.body_sha256, second.slot));
    let stored = pulling.stored().await;
    assert_eq!(stored.iter().filter(|id| keys.contains(&id.as_str())).count(), 2, "{stored:?}");
}

#[tokio::test]
async fn a_list_that_is_cut_off_is_completed() {
    let pulling = Pulling::new().await;
    let line = |n: usize| json!({"id": format!("il_{n}"), "quantity": n});
    let list = |from: usize, to: usize, has_more: bool| {
        let data: Vec<Value> = (from..to).map(line).collect();
        json!({"object": "list", "url": "/v1/invoices/in_1/lines", "has_more": has_more, "data": data})
    };
    let invoice = |lines: Value| json!({"id": "in_1", "object": "invoice", "livemode": false, "lines": lines});
    let path = "/v1/invoices/in_1";
    pulling.stripe.answers(path, [Answer::object(&invoice(list(0, 10, true)))]);
    for (from, to, after) in
        [(0, 100, ""), (100, 200, "&starting_after=il_99"), (200, 250, "&starting_after=il_199")]
    {
        let page = format!("{path}/lines?limit=100{after}");
        pulling.stripe.answers(&page, [Answer::object(&list(from, to, to < 250))]);
    }
    pulling.case_waits_for(&["pull:/v1/invoices/in_1"]).await;
    let event = pulling.event(1).await;
    let body: Value = serde_json::from_slice(&event.body.unwrap()).unwrap();
    assert_eq!(body, invoice(list(0, 250, false)));
    assert_eq!((event.root_key.as_deref(), pulling.stripe.asked().len()), (Some("in_1"), 4));
}

#[tokio::test]
async fn a_refusal_is_told_once_and_not_repeated_for_a_while() {
    let pulling = Pulling::new().await;
    for (status, told) in [
        (404, "STRIPE_SECRET_KEY is of the account"),
        (403, "the right to read"),
        (400, "status 400"),
    ] {
        let path = format!("/v1/charges/ch_{status}");
        pulling.stripe.answers(&path, [Answer::status(status)]);
        pulling.case_waits_for(&[&format!("pull:{path}")]).await;
        pulling.asked(&path, 1).await;
        pulling.look_anew(&format!("ch_after_{status}")).await;
        assert_eq!(pulling.stripe.times(&path), 1, "{status}");
        pulling.world.hands.advance(SignedDuration::from_mins(1));
        pulling.asked(&path, 2).await;
        pulling.look_anew(&format!("ch_later_{status}")).await;
        let log = log();
        let lines = log.lines().filter(|line| line.contains(&path) && line.contains(told));
        assert_eq!(lines.count(), 1, "{status}: {log}");
    }
}

#[tokio::test]
async fn what_fails_for_now_is_asked_for_again() {
    let pulling = Pulling::new().await;
    for (n, failure) in [
        Answer::status(500),
        Answer::status(409),
        Answer::status(401),
        Answer::status(429).with_header("Retry-After", "120"),
        Answer::status(503).with_header("Retry-After", "999999999"),
    ]
    .into_iter()
    .enumerate()
    {
        let (path, pos) = (format!("/v1/charges/ch_{n}"), n.checked_add(1).unwrap());
        let found = Answer::object(&charge(&format!("ch_{n}")));
        pulling.stripe.answers(&path, [failure, found]);
        pulling.case_waits_for(&[&format!("pull:{path}")]).await;
        pulling.asked(&path, 1).await;
        // Only the clock says when: however long a pause is, it is over within ten minutes.
        testkit::wait_for("the object", async || {
            pulling.world.hands.advance(SignedDuration::from_secs(30));
            (pulling.world.stored(pulling.world.test_tenant).await == pos).then_some(())
        })
        .await;
        assert_eq!(pulling.stripe.times(&path), 2, "{n}");
    }
}

#[tokio::test]
async fn who_is_asked_to_wait_asks_nothing_at_all() {
    let pulling = Pulling::new().await;
    let throttled = Answer::status(429).with_header("Retry-After", "100");
    pulling.stripe.answers("/v1/charges/ch_1", [throttled, Answer::object(&charge("ch_1"))]);
    pulling.case_waits_for(&["pull:/v1/charges/ch_1"]).await;
    pulling.asked("/v1/charges/ch_1", 1).await;
    pulling.stripe.answers("/v1/charges/ch_0", [Answer::object(&charge("ch_0"))]);
    pulling.case_waits_for(&["pull:/v1/charges/ch_0"]).await;
    pulling.world.hands.advance(SignedDuration::from_secs(99));
    assert_eq!(pulling.stripe.asked(), ["/v1/charges/ch_1"]);
    pulling.world.hands.advance(SignedDuration::from_secs(1));
    assert_eq!(pulling.event(2).await.account, "");
}

#[tokio::test]
async fn two_who_pull_the_same_store_it_once() {
    let pulling = Pulling::new().await;
    pulling.start(Limits { timeout: testkit::WAIT_MAX, ..Limits::default() });
    let both = Arc::new(Barrier::new(2));
    let found = Answer::object(&charge("ch_1"));
    pulling.stripe.answers("/v1/charges/ch_1", [found.together(&both)]);
    pulling.case_waits_for(&["pull:/v1/charges/ch_1"]).await;
    pulling.asked("/v1/charges/ch_1", 2).await;
    for n in 0..4 {
        pulling.look_anew(&format!("ch_next_{n}")).await;
    }
    let stored = pulling.stored().await;
    assert_eq!(stored.iter().filter(|id| *id == "pull:/v1/charges/ch_1").count(), 1, "{stored:?}");
}

#[tokio::test]
async fn a_stripe_that_is_silent_holds_up_neither_the_webhook_nor_the_end() {
    let pulling = Pulling::new().await;
    pulling.stripe.answers("/v1/charges/ch_1", [Answer::status(200).never()]);
    pulling.case_waits_for(&["pull:/v1/charges/ch_1"]).await;
    pulling.asked("/v1/charges/ch_1", 1).await;
    let world = &pulling.world;
    assert_eq!(answer(world.post(event_body("evt_1"))).await, stored_at(1));
    world.shutdown.begin();
    world.shutdown.drained(Duration::from_secs(5)).await.unwrap();
}
