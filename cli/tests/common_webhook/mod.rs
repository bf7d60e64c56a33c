//! A webhook that serves, and a projector beside it, on a database of their own.

use std::net::SocketAddr;

use ingest::{Config, Endpoint, Limits, Outside, Tenants};
use jiff::Timestamp;
use projector::{Projector, Tenant};
use rules::hashing::EvidenceKey;
use rules::policy::Policy;
use service::clock::Clock;
use service::shutdown::Shutdown;
use store::notify::Notifier;
use store::read::decisions::decision_list_of_event;
use store::{PgUrl, Role, Store};
use stripe::signature::Secret;
use testkit::TestDatabase;
use tokio::net::TcpListener;

/// The time, all through: 2026-11-21T12:00:00Z, in seconds since 1970.
pub(crate) const NOW: i64 = 1_795_262_400;

/// Connections of each role: a batch that counts its try takes a second one, and a test may run eight at a time.
const POOL_SIZE: usize = 16;

/// The two processes, in this one.
pub(crate) struct Webhook {
    pub(crate) database: TestDatabase,
    pub(crate) address: SocketAddr,
    pub(crate) projector: Projector,
    shutdown: Shutdown,
}

impl Webhook {
    /// Serves these endpoints on a port of this machine.
    pub(crate) async fn serve(
        database: TestDatabase,
        endpoints: Vec<Endpoint>,
        limits: Limits,
        http: service::http::Limits,
    ) -> Self {
        let (clock, _hands) = Clock::manual(Timestamp::from_second(NOW).unwrap());
        let notifier = Notifier::start(&PgUrl::parse(&database.url).unwrap()).unwrap();
        let outside = Outside {
            store: store_as(&database, Role::Ingest),
            notifier: notifier.clone(),
            clock: clock.clone(),
        };
        let store = store_as(&database, Role::Projector);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let stop = shutdown.clone();
        let config = Config { endpoints, alias_root: false, limits };
        shutdown.spawn("ingest", async move {
            ingest::run(listener, config, &outside, http, &stop).await.unwrap();
        });
        Self { database, address, projector: Projector { store, notifier, clock }, shutdown }
    }

    /// Outcome and reason of the latest decision on the event at `pos`; empty if there is none.
    pub(crate) async fn verdict(&self, tenant_id: i32, pos: i64) -> String {
        let client = self.projector.store.get().await.unwrap();
        let decisions = decision_list_of_event(&client, tenant_id, pos).await.unwrap();
        decisions.last().map_or_else(String::new, |latest| {
            format!("{} {}", latest.verdict.outcome.name(), latest.verdict.reason.name())
        })
    }

    /// Ends as a signal would end it. That nothing had begun the drain before shows that no task panicked.
    pub(crate) async fn stop(self) {
        assert!(!self.shutdown.has_begun(), "a task ended by itself");
        self.shutdown.begin();
        self.shutdown.drained(testkit::WAIT_MAX).await.unwrap();
    }
}

/// Connections that act as `role`.
pub(crate) fn store_as(database: &TestDatabase, role: Role) -> Store {
    Store::connect(&PgUrl::parse(&database.url).unwrap(), role, POOL_SIZE).unwrap()
}

/// A tenant of its own.
pub(crate) async fn tenant(login: &Store, name: &str, livemode: bool) -> Tenant {
    let made = store::tenant::ensure(login, name, livemode, Timestamp::UNIX_EPOCH).await.unwrap();
    Tenant {
        tenant_id: made.tenant_id,
        policy: Policy::default(),
        evidence_key: EvidenceKey::new(&made.evidence_key),
    }
}

/// An endpoint under `name`.
pub(crate) fn endpoint(name: Option<&str>, tenants: Tenants, secrets: &[&str]) -> Endpoint {
    let secrets = secrets.iter().map(|secret| Secret::parse(secret).unwrap()).collect();
    Endpoint { name: name.map(ToOwned::to_owned), tenants, secrets }
}

/// The standard limits, but for the time of an answer: a test waits for facts, on a machine that may be busy.
pub(crate) fn patient() -> Limits {
    Limits { answer_timeout: testkit::WAIT_MAX, ..Limits::default() }
}
