//! A tenant with its log, a keeper, a projector, and the hands of the clock that both go by.

use jiff::Timestamp;
use keeper::Keeper;
use ledger::decision::Reason;
use projector::Projector;
use rules::hashing::EvidenceKey;
use rules::policy::Policy;
use serde_json::Value;
use service::clock::{Clock, Hands};
use sha2::{Digest as _, Sha256};
use store::log::{NewEvent, Origin, Source, append, slot_of};
use store::notify::Notifier;
use store::read::decisions::decision_list_of_event;
use store::read::users::registration_id;
use store::{PgUrl, Role, Store};
use testkit::TestDatabase;
use testkit::events::{CREATED, Event};

/// Connections of each store.
const POOL: usize = 4;

/// All that a test needs; the database goes when this is dropped.
pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) tenant_id: i32,
    pub(crate) keeper: Keeper,
    pub(crate) hands: Hands,
    projector: Projector,
    tenant: projector::Tenant,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = testkit::database().await;
        let url = PgUrl::parse(&database.url).unwrap();
        let (clock, hands) = Clock::manual(Timestamp::from_second(CREATED).unwrap());
        let store = |role| Store::connect(&url, role, POOL).unwrap();
        let login = store(Role::Login);
        let made = store::tenant::ensure(&login, "shop", false, clock.now()).await.unwrap();
        let notifier = Notifier::start(&url).unwrap();
        let tenant = projector::Tenant {
            tenant_id: made.tenant_id,
            policy: Policy::default(),
            evidence_key: EvidenceKey::new(&made.evidence_key),
        };
        let keeper =
            Keeper { store: store(Role::Keeper), notifier: notifier.clone(), clock: clock.clone() };
        let projector = Projector { store: store(Role::Projector), notifier, clock };
        Self { database, tenant_id: made.tenant_id, keeper, hands, projector, tenant }
    }

    pub(crate) fn url(&self) -> PgUrl {
        PgUrl::parse(&self.database.url).unwrap()
    }

    /// Decides everything that there is.
    pub(crate) async fn drain(&self) {
        projector::drain(&self.projector, &self.tenant).await.unwrap();
    }

    /// Appends an event of Stripe's; its position.
    pub(crate) async fn deliver(&self, event: Event) -> i64 {
        self.append(Origin::Stripe, slot_of(&event.id), event).await
    }

    /// Appends what the app says of a user of whom nobody told before; its position.
    pub(crate) async fn register(&self, user: &str, mut fact: Value) -> i64 {
        let kind = "tally.user.registered";
        fact["type"] = kind.into();
        fact["user"] = user.into();
        let (id, body) = (registration_id(user, 0), fact.to_string().into_bytes());
        let event = Event { id, kind: kind.to_owned(), body };
        self.append(Origin::Directory, slot_of(&format!("user:{user}")), event).await
    }

    async fn append(&self, origin: Origin, slot: i16, event: Event) -> i64 {
        let now = self.keeper.clock.now();
        let event = NewEvent {
            origin,
            source: Source::Webhook,
            account: String::new(),
            slot,
            source_id: event.id,
            event_type: event.kind,
            root_key: None,
            livemode: Some(false),
            api_version: None,
            endpoint: None,
            user_agent: None,
            peer: None,
            occurred_at: now,
            received_at: now,
            body_sha256: Sha256::digest(&event.body).into(),
            body: event.body.into(),
            signature: None,
            traceparent: None,
        };
        let appended = append(&self.keeper.store, self.tenant_id, &[event]).await.unwrap();
        appended.first().unwrap().pos()
    }

    /// Reasons of all decisions of one event, the first one first.
    pub(crate) async fn reasons(&self, pos: i64) -> Vec<Reason> {
        let client = self.keeper.store.get().await.unwrap();
        let decisions = decision_list_of_event(&client, self.tenant_id, pos).await.unwrap();
        decisions.iter().map(|decision| decision.verdict.reason).collect()
    }
}
