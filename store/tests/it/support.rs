//! A database with one tenant, stores of every role, and events to append.

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use store::log::{NewEvent, Origin, Source, slot_of};
use store::tenant::{self, Tenant};
use store::{PgUrl, Role, Store};
use testkit::TestDatabase;

/// Connections of a store in these tests, unless a test is about that number.
const POOL: usize = 4;

/// Password of the logins that tests make.
const PASSWORD: &str = "for-tests";

/// All that a test needs; the database goes when this is dropped.
pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) tenant: Tenant,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = testkit::database().await;
        let admin = store_at(&database.url, Role::Login);
        let tenant = tenant::ensure(&admin, "shop", false, Timestamp::UNIX_EPOCH).await.unwrap();
        Self { database, tenant }
    }

    pub(crate) fn store(&self, role: Role) -> Store {
        store_at(&self.database.url, role)
    }

    pub(crate) fn url(&self) -> PgUrl {
        PgUrl::parse(&self.database.url).unwrap()
    }
}

/// The URL of a login that may act as `role` and as nobody else, as an operator would make it.
pub(crate) async fn login_for(database: &TestDatabase, role: Role) -> String {
    let login = format!("{}_{}", database.name, role.name().unwrap());
    let sql = format!(
        "CREATE ROLE {login} LOGIN PASSWORD '{PASSWORD}'; GRANT {} TO {login}",
        role.name().unwrap()
    );
    database.superuser().await.batch_execute(&sql).await.unwrap();
    let (_, server) = database.url.split_once('@').unwrap();
    format!("postgres://{login}:{PASSWORD}@{server}")
}

pub(crate) fn store_at(url: &str, role: Role) -> Store {
    let url = PgUrl::parse(url).unwrap();
    Store::connect(&url, role, POOL).unwrap().allow_unsafe_settings()
}

/// An event of Stripe's whose body is its id.
pub(crate) fn event(id: &str) -> NewEvent {
    NewEvent {
        origin: Origin::Stripe,
        source: Source::Webhook,
        account: String::new(),
        source_id: id.to_owned(),
        event_type: "charge.succeeded".to_owned(),
        root_key: None,
        slot: slot_of(id),
        livemode: Some(false),
        api_version: None,
        endpoint: None,
        user_agent: None,
        peer: None,
        occurred_at: Timestamp::UNIX_EPOCH,
        received_at: Timestamp::UNIX_EPOCH,
        body_sha256: Sha256::digest(id).into(),
        body: Bytes::copy_from_slice(id.as_bytes()),
        signature: None,
        traceparent: None,
    }
}

pub(crate) fn events(ids: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<NewEvent> {
    ids.into_iter().map(|id| event(id.as_ref())).collect()
}
