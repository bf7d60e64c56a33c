//! A tenant whose history has a bit of everything that moves credits in it.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use ledger::account::{ExpiredPolicy, SystemAccount, Terms};
use ledger::ids::{HoldId, SpendId};
use projector::{Projector, Tenant};
use rules::hashing::EvidenceKey;
use rules::policy::Policy;
use serde_json::{Value, json};
use service::clock::Clock;
use sha2::{Digest as _, Sha256};
use store::commands::{AccountKey, Command, Done, Note, Outcome, Request, execute};
use store::log::{Appended, NewEvent, Origin, Source, append, slot_of};
use store::notify::Notifier;
use store::verify::{Check, Extent, Vouched, verify};
use store::{PgUrl, Role, Store};
use stripe::signature::{self, Secret, SignatureError, Tolerance};
use testkit::TestDatabase;
use testkit::delivery::{SECRET, sign};
use testkit::events::{CREATED, Event, Purchase, metadata};
use uuid::Uuid;

/// Makes the ids of facts differ.
static NEXT: AtomicU64 = AtomicU64::new(1);

pub(crate) struct World {
    /// A superuser: may do what nobody may.
    pub(crate) sql: tokio_postgres::Client,
    pub(crate) projector: Projector,
    pub(crate) tenant: Tenant,
    api: Store,
    reader: Store,
    database: TestDatabase,
}

impl World {
    /// A tenant without a history.
    pub(crate) async fn new() -> Self {
        let database = testkit::database().await;
        let url = PgUrl::parse(&database.url).unwrap();
        let login = Store::connect(&url, Role::Login, 1).unwrap();
        let made =
            store::tenant::ensure(&login, "shop", false, Timestamp::UNIX_EPOCH).await.unwrap();
        Self {
            sql: database.superuser().await,
            projector: Projector {
                store: Store::connect(&url, Role::Projector, 2).unwrap(),
                notifier: Notifier::start(&url).unwrap(),
                clock: Clock::system(),
            },
            tenant: Tenant {
                tenant_id: made.tenant_id,
                policy: Policy::default(),
                evidence_key: EvidenceKey::new(&made.evidence_key),
            },
            api: Store::connect(&url, Role::Api, 2).unwrap(),
            reader: Store::connect(&url, Role::Reader, 1).unwrap(),
            database,
        }
    }

    /// Positions 4 and 5 tell of `pi_1`, which is `u_1`'s; `pi_2` was unclaimed until `u_late` came; `pi_3` was written off;
    /// `pi_4` waits in an open case. `u_2` was given credits, spent and holds some.
    pub(crate) async fn with_history() -> Self {
        let world = Self::new().await;
        world.register("u_1").await;
        world.register("u_2").await;
        let price = json!({"price": "price_1", "credits": 50, "unit": "credits", "actor": "test"});
        world.fact(Origin::Catalogue, "price:price_1", "tally.catalogue.set", price).await;
        let first = purchase("1", &[("user_id", "u_1"), ("price", "price_1")]);
        assert_eq!(world.deliver(&first.checkout_session_completed()).await, 4);
        world.deliver(&first.payment_intent_succeeded()).await;
        let late = purchase("2", &[("user_id", "u_late"), ("credits", "30")]);
        world.deliver(&late.checkout_session_completed()).await;
        world.drain().await;
        world.register("u_late").await;
        let nobodys = purchase("3", &[("credits", "5")]);
        world.deliver(&nobodys.checkout_session_completed()).await;
        world.drain().await;
        world.write_off().await;
        let open = purchase("4", &[("credits", "7")]);
        world.deliver(&open.checkout_session_completed()).await;
        world.drain().await;
        world.command().await;
        world
    }

    /// Commands on the account of `u_2`, six of them.
    async fn command(&self) {
        let account = || AccountKey { user: "u_2".to_owned(), unit: "credits".to_owned() };
        let (terms, contra) = (Terms::default(), SystemAccount::Promo);
        let reason = "welcome".to_owned();
        let hold = |amount| Command::Hold {
            account: account(),
            amount,
            expires_at: Timestamp::MAX,
            note: Note::default(),
        };
        self.does(1, Command::Grant { account: account(), amount: 11, terms, reason, contra })
            .await;
        self.does(2, hold(5)).await;
        let hold_id = HoldId(Uuid::from_u128(2));
        self.does(3, Command::Capture { hold_id, amount: Some(3) }).await;
        self.does(4, Command::Spend { account: account(), amount: 4, note: Note::default() }).await;
        let spend_id = SpendId(Uuid::from_u128(4));
        let expired = ExpiredPolicy::Lapse;
        self.does(5, Command::Reverse { spend_id, expired, terms }).await;
        self.does(6, hold(2)).await;
    }

    async fn does(&self, nr: u128, command: Command) {
        let command_id = Uuid::from_u128(nr);
        let request = [Request { command_id, idempotency: None, actor: "key_1".into(), command }];
        let (tenant_id, now) = (self.tenant.tenant_id, Timestamp::UNIX_EPOCH);
        let no_answer = |_: &Request, _: &Done| Vec::new();
        let outcomes = execute(&self.api, tenant_id, now, &request, &no_answer).await.unwrap();
        assert!(matches!(outcomes[0], Outcome::Done(_)), "{outcomes:?}");
    }

    /// Where the database is.
    pub(crate) fn url(&self) -> &str {
        &self.database.url
    }

    pub(crate) async fn drain(&self) {
        projector::drain(&self.projector, &self.tenant).await.unwrap();
    }

    pub(crate) async fn verify(&self, extent: Extent) -> Vec<Check> {
        self.verify_with(SECRET, extent).await
    }

    /// Every check, with this as the only secret that is configured.
    pub(crate) async fn verify_with(&self, secret: &str, extent: Extent) -> Vec<Check> {
        let secrets = [Secret::parse(secret).unwrap()];
        let vouch = |header: &str, body: &[u8]| match signature::verify(
            header.as_bytes(),
            body,
            &secrets,
            0,
            Tolerance::NotChecked,
        ) {
            Ok(_) => Vouched::Fits,
            Err(SignatureError::NoMatchingSignature) => Vouched::NoSecretFits,
            Err(_) => Vouched::Unreadable,
        };
        verify(&self.reader, self.tenant.tenant_id, extent, &vouch).await.unwrap()
    }

    async fn register(&self, user: &str) {
        let members = json!({ "user": user });
        let key = format!("user:{user}");
        self.fact(Origin::Directory, &key, "tally.user.registered", members).await;
    }

    /// Dismisses the only open case.
    async fn write_off(&self) {
        let open = "SELECT case_id::text, version FROM review_case WHERE state = 1";
        let row = self.sql.query_one(open, &[]).await.unwrap();
        let (case, version): (String, i32) = (row.get(0), row.get(1));
        let members = json!({"case": case, "version": version, "actor": "sam", "reason": "test", "write_off": true});
        let key = format!("case:{case}");
        self.fact(Origin::Operator, &key, "tally.case.dismissed", members).await;
    }

    async fn deliver(&self, event: &Event) -> i64 {
        let signature = sign(SECRET, CREATED, &event.body);
        let stored = new_event(Origin::Stripe, &event.id, &event.kind, event.body.clone());
        self.append(NewEvent { signature: Some(signature), ..stored }).await
    }

    async fn fact(&self, origin: Origin, key: &str, event_type: &str, members: Value) {
        let mut body = json!({"object": "tally.event", "type": event_type});
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let source_id = format!("{key}:{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let body = serde_json::to_vec(&body).unwrap();
        let stored = new_event(origin, &source_id, event_type, body);
        self.append(NewEvent { source: Source::Api, ..stored }).await;
    }

    async fn append(&self, event: NewEvent) -> i64 {
        match append(&self.api, self.tenant.tenant_id, &[event]).await.unwrap()[..] {
            [Appended::Stored(pos)] => pos,
            ref other => panic!("appended one event and got {other:?}"),
        }
    }
}

/// A paid purchase whose session has these metadata.
fn purchase(name: &str, pairs: &[(&str, &str)]) -> Purchase {
    Purchase { metadata: metadata(pairs), ..Purchase::new(name) }
}

/// A delivery without a signature. All are in one lane, so that their order is that of their positions.
fn new_event(origin: Origin, source_id: &str, event_type: &str, body: Vec<u8>) -> NewEvent {
    let now = Timestamp::from_second(CREATED).unwrap();
    NewEvent {
        origin,
        source: Source::Webhook,
        account: String::new(),
        source_id: source_id.to_owned(),
        event_type: event_type.to_owned(),
        root_key: None,
        slot: slot_of("one lane"),
        livemode: Some(false),
        api_version: None,
        endpoint: Some("default".to_owned()),
        user_agent: None,
        peer: None,
        occurred_at: now,
        received_at: now,
        body_sha256: Sha256::digest(&body).into(),
        body: body.into(),
        signature: None,
        traceparent: None,
    }
}
