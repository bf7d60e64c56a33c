//! A world to ask questions in: a database with one tenant, a key of each role, the router, and a clock that stands still.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use api::{Access, ApiState, router};
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{Method, Request, StatusCode, header, request};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use rules::reference::{SigningKeys, TenantKeys};
use serde_json::{Value, json};
use service::clock::{Clock, Hands};
use service::shutdown::Shutdown;
use sha2::{Digest as _, Sha256};
use store::keys::{KeyRole, NewKey};
use store::log::{NewEvent, Origin, Source, append, slot_of};
use store::notify::{Listener, Notifier};
use store::tenant::Tenant;
use store::{PgUrl, Role, Store};
use testkit::{TestDatabase, database};
use tower::ServiceExt as _;

pub(crate) use crate::answer::Answer;
use crate::described;

/// When all of this happens.
pub(crate) const NOW: &str = "2026-11-21T10:00:00Z";

/// A world.
pub(crate) struct World {
    /// Dropped with the world.
    database: TestDatabase,
    pub(crate) tenant: Tenant,
    /// Looks at and writes anything.
    pub(crate) sql: tokio_postgres::Client,
    /// Acts as the login: makes keys and tenants.
    pub(crate) login: Store,
    clock: Clock,
    pub(crate) hands: Hands,
    pub(crate) notifier: Notifier,
    api: Api,
    keys: BTreeMap<KeyRole, String>,
}

/// What is asked.
pub(crate) struct Api(Router, Shutdown);

impl World {
    pub(crate) async fn new() -> Self {
        let database = database().await;
        let url = PgUrl::parse(&database.url).unwrap();
        let login = Store::connect(&url, Role::Login, 4).unwrap();
        let now: Timestamp = NOW.parse().unwrap();
        let tenant = store::tenant::ensure(&login, "shop", false, now).await.unwrap();
        let (clock, hands) = Clock::manual(now);
        let notifier = Notifier::start(&url).unwrap();
        let api = Api::new(&url, clock.clone(), std::slice::from_ref(&tenant), Access::default());
        let mut keys = BTreeMap::new();
        for role in KeyRole::ALL {
            keys.insert(role, make_key(&login, &tenant, role).await.1);
        }
        let sql = database.superuser().await;
        Self { database, tenant, sql, login, clock, hands, notifier, api, keys }
    }

    /// Another tenant of test mode.
    pub(crate) async fn tenant(&self, name: &str) -> Tenant {
        store::tenant::ensure(&self.login, name, false, NOW.parse().unwrap()).await.unwrap()
    }

    /// Where its database is.
    pub(crate) fn url(&self) -> PgUrl {
        PgUrl::parse(&self.database.url).unwrap()
    }

    /// Another process on the same database, which serves these tenants and lets in whom it is told to.
    pub(crate) fn api(&self, tenants: &[Tenant], access: Access) -> Api {
        Api::new(&self.url(), self.clock.clone(), tenants, access)
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

    /// GET as whoever may only read, with these headers; the body of the answer may still go on.
    pub(crate) async fn open(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let key = format!("Bearer {}", self.keys[&KeyRole::Read]);
        let request = Request::builder().uri(path).header(header::AUTHORIZATION, key);
        let with =
            |request: request::Builder, (name, value): &(&str, &str)| request.header(*name, *value);
        let request = headers.iter().fold(request, with);
        self.api.respond(request.body(Body::empty()).unwrap()).await
    }

    /// Begins the end of the process.
    pub(crate) fn drain(&self) {
        self.api.1.begin();
    }

    /// PUT as admin.
    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask(KeyRole::Admin, Method::PUT, path, Some(body)).await
    }

    /// POST as admin.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(KeyRole::Admin, Method::POST, path, Some(body)).await
    }

    /// Another connection that looks at anything, while `sql` is in the middle of a transaction.
    pub(crate) async fn other_sql(&self) -> tokio_postgres::Client {
        self.database.superuser().await
    }

    /// Has a command carried out under this `Idempotency-Key`, as the app's server.
    pub(crate) async fn command(&self, key: &str, path: &str, body: Value) -> Answer {
        self.command_as(KeyRole::App, key, path, body).await
    }

    /// The same as another role.
    pub(crate) async fn command_as(
        &self,
        role: KeyRole,
        key: &str,
        path: &str,
        body: Value,
    ) -> Answer {
        let headers = [("idempotency-key", key), ("content-type", "application/json")];
        self.post_raw(role, &headers, path, body.to_string()).await
    }

    /// Has a command carried out with any headers and bytes, as the app's server.
    pub(crate) async fn command_with(
        &self,
        headers: &[(&str, &str)],
        path: &str,
        body: impl Into<Body>,
    ) -> Answer {
        self.post_raw(KeyRole::App, headers, path, body).await
    }

    /// Has another process carry out a command under this `Idempotency-Key`, as the app's server.
    pub(crate) async fn command_at(&self, api: &Api, key: &str, path: &str, body: Value) -> Answer {
        let headers = [("idempotency-key", key), ("content-type", "application/json")];
        api.post_raw(&self.keys[&KeyRole::App], &headers, path, body.to_string()).await
    }

    async fn post_raw(
        &self,
        role: KeyRole,
        headers: &[(&str, &str)],
        path: &str,
        body: impl Into<Body>,
    ) -> Answer {
        self.api.post_raw(&self.keys[&role], headers, path, body).await
    }

    /// Gives a registered user credits, for ever.
    pub(crate) async fn give(&self, user: &str, amount: i64) {
        let (key, path) = (new_key(), format!("/v1/users/{user}/grants"));
        let body = json!({"amount": amount, "reason": "to begin with"});
        let answer = self.command(&key, &path, body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }

    /// What a user has, in the default unit.
    pub(crate) async fn available(&self, user: &str) -> i64 {
        let balance = self.get(&format!("/v1/users/{user}/balance")).await.ok();
        balance["available"].as_i64().unwrap()
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
        self.notifier.notify_decided(self.tenant.tenant_id, []);
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
        Self::without_database_but(Access::default())
    }

    /// The same, which lets in whom it is told to.
    pub(crate) fn without_database_but(access: Access) -> Self {
        // Nothing listens on this port, and nothing may.
        let url = PgUrl::parse("postgres://tally@127.0.0.1:1/tally?sslmode=disable").unwrap();
        Self::new(&url, Clock::manual(NOW.parse().unwrap()).0, &[], access)
    }

    fn new(url: &PgUrl, clock: Clock, tenants: &[Tenant], access: Access) -> Self {
        let store = Store::connect(url, Role::Api, 8).unwrap();
        let notifier = Notifier::start(url).unwrap();
        let listener = Listener::start_with_accounts(url).unwrap();
        let keys = |tenant: &Tenant| (tenant.tenant_id, signing_keys(tenant));
        let shutdown = Shutdown::new();
        let state = ApiState::new(store, clock, tenants, notifier, listener, &shutdown)
            .with_reads(Store::connect_for_reads(url, Role::Api, 4).unwrap())
            .with_signing_keys(tenants.iter().map(keys).collect())
            .with_access(access);
        Self(router(state.unwrap()), shutdown)
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
        self.answer(request.body(body).unwrap()).await
    }

    /// Asks anything. What is answered has to be what the document describes.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Answer {
        let (asked, said) = request.into_parts();
        let said = said.collect().await.unwrap().to_bytes();
        let body = if said.is_empty() { Body::empty() } else { Body::from(said.clone()) };
        let response =
            self.0.clone().oneshot(Request::from_parts(asked.clone(), body)).await.unwrap();
        let (parts, mut body) = response.into_parts();
        let kind = parts.headers.get(header::CONTENT_TYPE);
        let bytes = if kind.is_some_and(|kind| kind == "text/event-stream") {
            // It has no end: what comes first is the answer.
            body.frame().await.unwrap().unwrap().into_data().unwrap().to_vec()
        } else {
            body.collect().await.unwrap().to_bytes().to_vec()
        };
        let answer = Answer { status: parts.status, headers: parts.headers, bytes };
        described::check(&asked, &said, &answer);
        answer
    }
}

impl Api {
    /// POST with any key, headers and bytes.
    pub(crate) async fn post_raw(
        &self,
        key: &str,
        headers: &[(&str, &str)],
        path: &str,
        body: impl Into<Body>,
    ) -> Answer {
        let request = Request::builder().method(Method::POST).uri(path);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        let with =
            |request: request::Builder, (name, value): &(&str, &str)| request.header(*name, *value);
        let request = headers.iter().fold(request, with);
        self.answer(request.body(body.into()).unwrap()).await
    }

    /// Asks anything; the body of the answer may still go on.
    async fn respond(&self, request: Request<Body>) -> Response {
        self.0.clone().oneshot(request).await.unwrap()
    }
}

/// An `Idempotency-Key` that nobody used.
pub(crate) fn new_key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("key {}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// What checkout references of a tenant are signed with.
pub(crate) fn signing_keys(tenant: &Tenant) -> TenantKeys {
    let keys =
        SigningKeys::parse("k1:8d1f6c0b97a24e35f7c9d2ab60e4135897bd24c6f01ea3958c7d5b46e29f0a13");
    TenantKeys::new(keys.unwrap(), &tenant.name, tenant.livemode)
}

/// A new key and its text.
pub(crate) async fn make_key(login: &Store, tenant: &Tenant, role: KeyRole) -> (String, String) {
    make_narrow_key(login, tenant, role, None).await
}

/// A new key of these scopes, and its text.
pub(crate) async fn make_narrow_key(
    login: &Store,
    tenant: &Tenant,
    role: KeyRole,
    scopes: Option<&[&str]>,
) -> (String, String) {
    let new = NewKey {
        tenant_id: tenant.tenant_id,
        livemode: tenant.livemode,
        role,
        scopes: scopes.map(|scopes| scopes.iter().map(|&scope| scope.to_owned()).collect()),
        name: format!("{} of {}", role.name(), tenant.name),
        expires_at: None,
    };
    let (key, text) = store::keys::create(login, &new, NOW.parse().unwrap()).await.unwrap();
    (key.key_id, text.expose().to_owned())
}
