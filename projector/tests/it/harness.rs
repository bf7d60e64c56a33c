//! A tenant of its own with a log to append to and projectors to run.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use projector::{Projector, Tenant};
use rules::hashing::EvidenceKey;
use rules::policy::Policy;
use serde_json::{Value, json};
use service::clock::Clock;
use sha2::{Digest as _, Sha256};
use store::log::{Appended, NewEvent, Origin, Source, append, slot_of};
use store::messages::Topic;
use store::notify::Notifier;
use store::{PgUrl, Role, Store};
use testkit::TestDatabase;

/// A database, a tenant in it, and what acts on them.
pub(crate) struct Harness {
    pub(crate) database: TestDatabase,
    pub(crate) tenant: Tenant,
    pub(crate) projector: Projector,
    /// Whoever appends.
    pub(crate) api: Store,
    pub(crate) sql: tokio_postgres::Client,
}

static NEXT: AtomicU64 = AtomicU64::new(1);

impl Harness {
    pub(crate) async fn new() -> Self {
        let database = testkit::database().await;
        let url = PgUrl::parse(&database.url).unwrap();
        let login = Store::connect(&url, Role::Login, 2).unwrap();
        let made =
            store::tenant::ensure(&login, "test", false, Timestamp::UNIX_EPOCH).await.unwrap();
        let tenant = Tenant {
            tenant_id: made.tenant_id,
            policy: Policy::default(),
            evidence_key: EvidenceKey::new(&made.evidence_key),
        };
        let projector = projector(&url);
        let api = Store::connect(&url, Role::Api, 8).unwrap();
        let sql = database.superuser().await;
        Self { database, tenant, projector, api, sql }
    }

    /// Another projector on the same database, with connections of its own.
    pub(crate) fn another_projector(&self) -> Projector {
        projector(&PgUrl::parse(&self.database.url).unwrap())
    }

    pub(crate) async fn drain(&self) {
        projector::drain(&self.projector, &self.tenant).await.unwrap();
    }

    /// Appends an event of Stripe's; its position.
    pub(crate) async fn stripe(&self, body: &Value) -> i64 {
        let event = new_event(Origin::Stripe, body["id"].as_str().unwrap(), body);
        self.append(event).await
    }

    /// Appends a fact of our own; its position.
    pub(crate) async fn fact(&self, origin: Origin, source_id: &str, body: &Value) -> i64 {
        self.append(new_event(origin, source_id, body)).await
    }

    pub(crate) async fn register(&self, user: &str) -> i64 {
        self.register_with(user, &json!({})).await
    }

    pub(crate) async fn register_with(&self, user: &str, more: &Value) -> i64 {
        let mut body = registration(user);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.fact(Origin::Directory, &unique(&format!("user:{user}")), &body).await
    }

    pub(crate) async fn set_price(&self, price: &str, credits: i64) -> i64 {
        let body = price_set(price, credits);
        self.fact(Origin::Catalogue, &unique(&format!("price:{price}")), &body).await
    }

    /// An act on the only open case.
    pub(crate) async fn act(&self, event_type: &str, more: &Value) -> i64 {
        let row = self
            .sql
            .query_one(
                "SELECT case_id::text, version FROM review_case WHERE tenant_id = $1 AND state = 1",
                &[&self.tenant.tenant_id],
            )
            .await
            .unwrap();
        let (case, version): (String, i32) = (row.get(0), row.get(1));
        let mut body = json!({"object": "tally.event", "type": event_type, "case": case, "version": version, "actor": "sam",
                              "reason": "test"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.fact(Origin::Operator, &unique(&format!("case:{case}")), &body).await
    }

    async fn append(&self, event: NewEvent) -> i64 {
        match append(&self.api, self.tenant.tenant_id, &[event]).await.unwrap()[..] {
            [Appended::Stored(pos) | Appended::Duplicate(pos)] => pos,
            ref other => panic!("appended one event and got {other:?}"),
        }
    }

    /// Has events be deferred by rules that are older than these.
    pub(crate) async fn defer(&self, positions: &[i64]) {
        let sql = "INSERT INTO decision (tenant_id, pos, slot, outcome, reason, rules_version, decided_at)
                   SELECT tenant_id, pos, slot, 3, $3, 0, received_at FROM event WHERE tenant_id = $1 AND pos = ANY($2)";
        let reason = ledger::decision::Reason::NotUnderstoodYet.code();
        self.sql.execute(sql, &[&self.tenant.tenant_id, &positions, &reason]).await.unwrap();
    }

    /// A connection in whose transaction the slot of an event is locked.
    pub(crate) async fn hold_slot_of(&self, pos: i64) -> tokio_postgres::Client {
        let client = self.database.superuser().await;
        let sql = "SELECT s.slot FROM projection_slot s JOIN event e USING (tenant_id, slot) WHERE e.pos = $1
                   FOR UPDATE OF s";
        client.batch_execute("BEGIN").await.unwrap();
        assert_eq!(client.query(sql, &[&pos]).await.unwrap().len(), 1);
        client
    }

    /// Slot of the event at a position.
    pub(crate) async fn slot_of(&self, pos: i64) -> i16 {
        let sql = "SELECT slot FROM event WHERE tenant_id = $1 AND pos = $2";
        self.sql.query_one(sql, &[&self.tenant.tenant_id, &pos]).await.unwrap().get(0)
    }

    /// Outcome and reason of the latest decision of each position.
    pub(crate) async fn decisions(&self) -> Vec<(i64, String)> {
        let rows = self
            .sql
            .query(
                "SELECT DISTINCT ON (pos) pos, reason FROM decision WHERE tenant_id = $1 ORDER BY pos, rev DESC",
                &[&self.tenant.tenant_id],
            )
            .await
            .unwrap();
        let name = |code: i16| ledger::decision::Reason::from_code(code).unwrap().name().to_owned();
        rows.iter().map(|row| (row.get(0), name(row.get(1)))).collect()
    }

    pub(crate) async fn reason_of(&self, pos: i64) -> String {
        self.decisions()
            .await
            .into_iter()
            .find(|(at, _)| *at == pos)
            .map(|(_, reason)| reason)
            .unwrap_or_default()
    }

    /// What each owner has, by kind (1 user, 2 unclaimed) and key; zero balances are left out.
    pub(crate) async fn balances(&self) -> Vec<(i16, String, i64)> {
        let rows = self
            .sql
            .query(
                "SELECT o.kind, o.key, a.posted FROM account a JOIN owner o USING (tenant_id, account_id)
                 WHERE a.tenant_id = $1 AND a.posted <> 0 ORDER BY 1, 2",
                &[&self.tenant.tenant_id],
            )
            .await
            .unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    }

    pub(crate) async fn balance(&self, user: &str) -> i64 {
        let balances = self.balances().await;
        balances
            .into_iter()
            .find(|(kind, key, _)| *kind == 1 && key == user)
            .map_or(0, |(_, _, posted)| posted)
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.sql.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// What must always hold, whatever was decided (DESIGN, section 9).
    pub(crate) async fn check_invariants(&self) {
        let tenant = self.tenant.tenant_id;
        let none = [
            ("a position has no first decision or two", format!(
                "SELECT count(*) FROM event e WHERE tenant_id = {tenant} AND 1 <> (SELECT count(*) FROM decision d
                 WHERE d.tenant_id = e.tenant_id AND d.pos = e.pos AND d.rev = 0)")),
            (
                "an account is not the sum of its postings",
                format!(
                    "SELECT count(*) FROM account a CROSS JOIN LATERAL
                     (SELECT coalesce(sum(amount), 0) AS total, coalesce(max(seq), 0) AS last FROM posting p
                      WHERE p.tenant_id = a.tenant_id AND p.account_id = a.account_id AND p.unit = a.unit) p
                     WHERE a.tenant_id = {tenant} AND (a.posted <> p.total OR a.version <> p.last)"
                ),
            ),
            (
                "an account's grants do not hold its balance", format!(
                "SELECT count(*) FROM account a WHERE tenant_id = {tenant} AND greatest(posted, 0) <>
                 (SELECT coalesce(sum(remaining), 0) FROM credit_grant g
                  WHERE g.tenant_id = a.tenant_id AND g.account_id = a.account_id AND g.unit = a.unit)")),
            ("bought is not granted, unclaimed and written off", format!(
                "SELECT (SELECT coalesce(sum(target), 0) FROM payment_leg WHERE tenant_id = {tenant})
                      - (SELECT coalesce(sum(amount), 0) FROM posting WHERE tenant_id = {tenant} AND contra NOT IN (4, 5, 6, 9))")),
            ("an open grant has other terms than its line", format!(
                "SELECT count(*) FROM credit_grant g JOIN payment_leg l ON l.tenant_id = g.tenant_id
                 AND l.root_key = g.root_key AND l.line = g.line AND l.leg = 1
                 WHERE g.tenant_id = {tenant} AND g.is_open AND (g.expires_at, g.priority) <> (l.expires_at, l.priority)")),
            ("an alias leads to no payment, or its root leads to another", format!(
                "SELECT count(*) FROM payment_alias a WHERE tenant_id = {tenant} AND (NOT EXISTS (SELECT FROM payment p
                 WHERE p.tenant_id = a.tenant_id AND p.root_key = a.root_key) OR NOT EXISTS (SELECT FROM payment_alias r
                 WHERE r.tenant_id = a.tenant_id AND r.alias = a.root_key AND r.root_key = r.alias))")),
            ("an open case holds no event", format!(
                "SELECT count(*) FROM review_case c WHERE tenant_id = {tenant} AND state = 1
                 AND NOT EXISTS (SELECT FROM case_event e WHERE e.tenant_id = c.tenant_id AND e.case_id = c.case_id)")),
            ("an event in review hangs on no open case", format!(
                "SELECT count(*) FROM (SELECT DISTINCT ON (pos) pos, outcome FROM decision WHERE tenant_id = {tenant}
                 ORDER BY pos, rev DESC) d WHERE outcome = 4 AND NOT EXISTS (SELECT FROM case_event e
                 JOIN review_case c USING (tenant_id, case_id) WHERE e.tenant_id = {tenant} AND e.pos = d.pos AND c.state = 1)")),
        ];
        for (what, sql) in none {
            let sql = format!("SELECT ({sql})::bigint");
            assert_eq!(self.count(&sql).await, 0, "{what}");
        }
        self.check_messages().await;
    }

    /// What the outbox tells is what its schemas say.
    async fn check_messages(&self) {
        let sql = "SELECT topic, payload FROM outbox WHERE tenant_id = $1";
        for row in self.sql.query(sql, &[&self.tenant.tenant_id]).await.unwrap() {
            let (name, payload): (String, Vec<u8>) = (row.get(0), row.get(1));
            let topic = Topic::ALL.into_iter().find(|topic| topic.name() == name).unwrap();
            let mut schema = topic.schema().to_value();
            // No subscriber may rely on what is not described; so nothing is told that is not.
            schema["additionalProperties"] = json!(false);
            schema["properties"]["data"]["additionalProperties"] = json!(false);
            let message = serde_json::from_slice(&payload).unwrap();
            let refusal = jsonschema::validate(&schema, &message).err();
            assert!(refusal.is_none(), "{name}: {refusal:?}\n{message:#}");
        }
    }
}

fn projector(url: &PgUrl) -> Projector {
    Projector {
        store: Store::connect(url, Role::Projector, 4).unwrap(),
        notifier: Notifier::start(url).unwrap(),
        clock: Clock::system(),
    }
}

pub(crate) fn new_event(origin: Origin, source_id: &str, body: &Value) -> NewEvent {
    let bytes = serde_json::to_vec_pretty(body).unwrap();
    let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
    let routing = body["data"]["object"]["payment_intent"].as_str().unwrap_or(source_id);
    NewEvent {
        origin,
        source: Source::Webhook,
        account: String::new(),
        source_id: source_id.to_owned(),
        event_type: body["type"].as_str().unwrap_or_default().to_owned(),
        root_key: None,
        slot: slot_of(routing),
        livemode: Some(false),
        api_version: None,
        endpoint: None,
        user_agent: None,
        peer: None,
        occurred_at: now,
        received_at: now,
        body_sha256: Sha256::digest(&bytes).into(),
        body: bytes.into(),
        signature: None,
        traceparent: None,
    }
}

/// What tells of a user.
pub(crate) fn registration(user: &str) -> Value {
    json!({"object": "tally.event", "type": "tally.user.registered", "user": user})
}

/// What tells of a price, for whatever was bought of it whenever.
pub(crate) fn price_set(price: &str, credits: i64) -> Value {
    json!({"object": "tally.event", "type": "tally.catalogue.set", "price": price, "credits": credits,
           "unit": "credits", "actor": "test", "valid_from": "1970-01-01T00:00:00Z"})
}

pub(crate) fn unique(prefix: &str) -> String {
    format!("{prefix}:{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// An event of Stripe's around an object.
pub(crate) fn event(event_type: &str, object: &Value) -> Value {
    json!({"id": unique("evt"), "object": "event", "type": event_type, "created": 1_700_000_000, "livemode": false,
           "data": {"object": object}})
}

/// A session that is paid, for a payment `n`.
pub(crate) fn session(n: &str, metadata: &Value) -> Value {
    event(
        "checkout.session.completed",
        &json!({
        "id": format!("cs_{n}"), "object": "checkout.session", "mode": "payment", "status": "complete",
        "payment_status": "paid", "payment_intent": format!("pi_{n}"), "customer": format!("cus_{n}"),
        "amount_total": 990, "currency": "eur", "metadata": metadata}),
    )
}

/// Its payment intent.
pub(crate) fn payment_intent(n: &str, metadata: &Value) -> Value {
    event(
        "payment_intent.succeeded",
        &json!({
        "id": format!("pi_{n}"), "object": "payment_intent", "status": "succeeded", "amount": 990, "amount_received": 990,
        "currency": "eur", "customer": format!("cus_{n}"), "latest_charge": format!("ch_{n}"), "metadata": metadata}),
    )
}

/// Its charge.
pub(crate) fn charge(n: &str, metadata: &Value) -> Value {
    event(
        "charge.succeeded",
        &json!({
        "id": format!("ch_{n}"), "object": "charge", "status": "succeeded", "paid": true, "captured": true, "amount": 990,
        "currency": "eur", "payment_intent": format!("pi_{n}"), "metadata": metadata}),
    )
}
