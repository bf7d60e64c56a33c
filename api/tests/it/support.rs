//! A world to ask questions in: a database with one tenant, a key of each role, the router, and a clock that stands still.

use std::collections::BTreeMap;

use api::{ApiState, router};
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use rules::reference::{SigningKeys, TenantKeys};
use serde_json::{Value, json};
use service::clock::{Clock, Hands};
use sha2::{Digest as _, Sha256};
use store::keys::{KeyRole, NewKey};
use store::log::{NewEvent, Origin, Source, append, slot_of};
use store::notify::{Listener, Notifier};
use store::tenant::Tenant;
use store::{PgUrl, Role, Store};
use testkit::{TestDatabase, database};
use tower::ServiceExt as _;

/// When all of this happens.
pub(crate) const NOW: &str = "2026-11-21T10:00:00Z";

/// A world.
pub(crate) struct World {
    /// Dropped with the world.
    _database: TestDatabase,
    pub(crate) tenant: Tenant,
    /// Looks at and writes anything.
    pub(crate) sql: tokio_postgres::Client,
    /// Acts as the login: makes keys and tenants.
    pub(crate) login: Store,
    pub(crate) hands: Hands,
    pub(crate) notifier: Notifier,
    api: Api,
    keys: BTreeMap<KeyRole, String>,
}

/// What is asked.
pub(crate) struct Api(Router);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = database().await;
        let url = PgUrl::parse(&database.url).unwrap();
        let login = Store::connect(&url, Role::Login, 4).unwrap();
        let now: Timestamp = NOW.parse().unwrap();
        let tenant = store::tenant::ensure(&login, "shop", false, now).await.unwrap();
        let (clock, hands) = Clock::manual(now);
        let notifier = Notifier::start(&url).unwrap();
        let api = Api::new(&url, clock, std::slice::from_ref(&tenant));
        let mut keys = BTreeMap::new();
        for role in KeyRole::ALL {
            keys.insert(role, make_key(&login, &tenant, role).await.1);
        }
        let sql = database.superuser().await;
        Self { _database: database, tenant, sql, login, hands, notifier, api, keys }
    }

    /// Asks as `role`.
    pub(crate) async fn ask(
        &self,
        role: KeyRole,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        self.send(Some(&self.keys[&role]), method, path, body).await
    }

    /// Asks with any key.
    pub(crate) async fn send(
        &self,
        key: Option<&str>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        self.api.send(key, method, path, body).await
    }

    /// GET as admin, who may everything.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(KeyRole::Admin, Method::GET, path, None).await
    }

    /// PUT as admin.
    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask(KeyRole::Admin, Method::PUT, path, Some(body)).await
    }

    /// POST as admin.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(KeyRole::Admin, Method::POST, path, Some(body)).await
    }

    /// Appends an event and returns its position.
    pub(crate) async fn tell(
        &self,
        origin: Origin,
        source_id: &str,
        kind: &str,
        body: &[u8],
    ) -> i64 {
        let now: Timestamp = NOW.parse().unwrap();
        let event = NewEvent {
            origin,
            source: if origin == Origin::Stripe { Source::Webhook } else { Source::Api },
            account: String::new(),
            source_id: source_id.to_owned(),
            event_type: kind.to_owned(),
            root_key: None,
            slot: slot_of(source_id),
            livemode: Some(false),
            api_version: None,
            endpoint: None,
            user_agent: None,
            peer: None,
            occurred_at: now,
            received_at: now,
            body_sha256: Sha256::digest(body).into(),
            body: bytes::Bytes::copy_from_slice(body),
            signature: (origin == Origin::Stripe).then(|| "t=1,v1=00".to_owned()),
            traceparent: None,
        };
        let told = append(&self.login, self.tenant.tenant_id, &[event]).await.unwrap();
        told[0].pos()
    }

    /// Runs one statement of SQL; `$1` is the tenant.
    pub(crate) async fn run(&self, sql: &str) {
        let sql = sql.replace("$1", &self.tenant.tenant_id.to_string());
        self.sql.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// Decides an event, as the projector would.
    pub(crate) async fn decide(
        &self,
        pos: i64,
        reason: ledger::decision::Reason,
        root_key: Option<&str>,
    ) {
        let (outcome, reason) = (reason.outcome().code(), reason.code());
        let root_key =
            root_key.map_or_else(|| "NULL".to_owned(), |root_key| format!("'{root_key}'"));
        self.run(&format!(
            "INSERT INTO decision (tenant_id, pos, rev, slot, outcome, reason, root_key, rules_version, decided_at)
             SELECT e.tenant_id, e.pos, 0, e.slot, {outcome}, {reason}, {root_key}, 1, '{NOW}'
             FROM event e WHERE e.tenant_id = $1 AND e.pos = {pos}"
        ))
        .await;
        self.notifier.notify_decided(self.tenant.tenant_id);
    }

    /// Registers a user, decided.
    pub(crate) async fn register(&self, user: &str) -> i64 {
        let body = json!({"object": "tally.event", "type": "tally.user.registered", "user": user});
        let id = format!("user:{user}:00000000-0000-7000-8000-000000000000");
        let body = body.to_string();
        let pos = self.tell(Origin::Directory, &id, "tally.user.registered", body.as_bytes()).await;
        self.run(&format!(
            "INSERT INTO app_user (tenant_id, user_id, first_pos, pos) VALUES ($1, '{user}', {pos}, {pos})"
        ))
        .await;
        self.decide(pos, ledger::decision::Reason::Registered, None).await;
        pos
    }
}

impl Api {
    /// One whose database cannot be reached.
    pub(crate) fn without_database() -> Self {
        // Nothing listens on this port, and nothing may.
        let url = PgUrl::parse("postgres://tally@127.0.0.1:1/tally?sslmode=disable").unwrap();
        Self::new(&url, Clock::system(), &[])
    }

    fn new(url: &PgUrl, clock: Clock, tenants: &[Tenant]) -> Self {
        let store = Store::connect(url, Role::Api, 8).unwrap();
        let notifier = Notifier::start(url).unwrap();
        let listener = Listener::start(url).unwrap();
        let keys = |tenant: &Tenant| (tenant.tenant_id, signing_keys(tenant));
        let state = ApiState::new(store, clock, tenants, notifier, listener)
            .with_signing_keys(tenants.iter().map(keys).collect());
        Self(router(state))
    }

    /// Asks with any key.
    pub(crate) async fn send(
        &self,
        key: Option<&str>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let response = self.0.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }
}

/// What checkout references of a tenant are signed with.
pub(crate) fn signing_keys(tenant: &Tenant) -> TenantKeys {
    let keys =
        SigningKeys::parse("k1:8d1f6c0b97a24e35f7c9d2ab60e4135897bd24c6f01ea3958c7d5b46e29f0a13");
    TenantKeys::new(keys.unwrap(), &tenant.name, tenant.livemode)
}

/// A new key and its text.
pub(crate) async fn make_key(login: &Store, tenant: &Tenant, role: KeyRole) -> (String, String) {
    let new = NewKey {
        tenant_id: tenant.tenant_id,
        livemode: tenant.livemode,
        role,
        name: format!("{} of {}", role.name(), tenant.name),
        expires_at: None,
    };
    let (key, text) = store::keys::create(login, &new, NOW.parse().unwrap()).await.unwrap();
    (key.key_id, text.expose().to_owned())
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.bytes)))
    }

    /// The body of a success.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()
    }

    /// Checks that it is this refusal, and returns it.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str, param: Option<&str>) -> Value {
        let body = self.json();
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json", "{body}");
        let seen = (self.status.as_u16(), body["code"].as_str(), body["param"].as_str());
        assert_eq!(seen, (status, Some(code), param), "{body}");
        assert_eq!(body["status"], status);
        body
    }

    /// The ids of a list's rows.
    #[track_caller]
    pub(crate) fn ids(&self) -> Vec<String> {
        let rows = self.ok()["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }
}
