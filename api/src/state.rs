//! What the handlers share.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use rules::hashing::EvidenceKey;
use rules::reference::TenantKeys;
use service::clock::Clock;
use service::shutdown::Shutdown;
use store::notify::{Listener, Notifier};
use store::tenant::Tenant;
use store::{Client, Store};

use crate::auth::{Issuer, IssuerError, Keys, Origins, RateLimit, RateLimits, Tokens};
use crate::checkout::Checkouts;
use crate::commands::Commands;
use crate::error::RouteError;
use crate::live::Live;
use crate::units::Units;
use crate::users::balance::past::Turns;
use crate::waiter::Waiter;
use crate::watch::Watch;

/// What the handlers share. Every layer that a request passes clones it, so it is one reference.
#[derive(Clone)]
pub struct ApiState(Arc<Shared>);

/// What is behind the reference.
#[derive(Clone)]
pub struct Shared {
    /// The database, as the API's role.
    pub(crate) store: Store,
    /// The same, for what is asked for most.
    pub(crate) reads: Store,
    /// What time it is.
    pub(crate) clock: Clock,
    /// Whose key is whose.
    pub(crate) keys: Arc<Keys>,
    /// Whose token is whose.
    pub(crate) tokens: Arc<Tokens>,
    /// How often each may ask.
    pub(crate) rate_limits: Arc<RateLimits>,
    /// Whose pages may read.
    pub(crate) origins: Origins,
    /// Tells the projector that something was appended.
    pub(crate) notifier: Notifier,
    /// Has credits moved.
    pub(crate) commands: Arc<Commands>,
    /// Waits for decisions.
    pub(crate) waiter: Arc<Waiter>,
    /// Balances as they change.
    pub(crate) live: Arc<Live>,
    /// Checkouts that somebody waits for.
    pub(crate) checkouts: Arc<Watch<Checkouts>>,
    /// Who reads balances of the past.
    pub(crate) past_balances: Arc<Turns>,
    /// Kinds of credits.
    pub(crate) units: Arc<Units>,
    /// Keys of the hashes of evidence, by tenant.
    pub(crate) evidence_keys: Arc<BTreeMap<i32, EvidenceKey>>,
    /// What checkout references are signed with, by tenant.
    pub(crate) signing_keys: Arc<BTreeMap<i32, TenantKeys>>,
    /// Ends whatever would go on for ever.
    shutdown: Shutdown,
}

/// Who is let in but the holders of keys, and how often anybody is. By default: nobody, and as often as one likes.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Whose tokens name users, by tenant. No two have both issuer and audience in common.
    pub issuers: Vec<(i32, Issuer)>,
    /// Whose pages may read what users may.
    pub origins: Origins,
    /// How often the holder of a key may ask.
    pub key_limit: Option<RateLimit>,
    /// How often a user with a token may ask.
    pub user_limit: Option<RateLimit>,
}

impl ApiState {
    /// `store` acts as `Role::Api`; `tenants` are those that are served: keys of others open nothing. What moves credits runs
    /// in tasks of its own, which the drain waits for.
    pub fn new(
        store: Store,
        clock: Clock,
        tenants: &[Tenant],
        notifier: Notifier,
        listener: Listener,
        shutdown: &Shutdown,
    ) -> Self {
        let waiter = Waiter::new(listener);
        let live = Live::start(&store, &clock, waiter.hints(), shutdown);
        let checkouts = awaited(&store, &clock, &waiter, shutdown);
        let commands = Commands::start(&store, &clock, &notifier, tenants, shutdown);
        let evidence_keys = tenants
            .iter()
            .map(|tenant| (tenant.tenant_id, EvidenceKey::new(&tenant.evidence_key)))
            .collect();
        Self(Arc::new(Shared {
            reads: store.clone(),
            store,
            clock,
            keys: Arc::new(Keys::new(tenants)),
            tokens: Arc::default(),
            rate_limits: Arc::default(),
            origins: Origins::default(),
            notifier,
            commands: Arc::new(commands),
            waiter: Arc::new(waiter),
            live: Arc::new(live),
            checkouts: Arc::new(checkouts),
            past_balances: Arc::default(),
            units: Arc::default(),
            evidence_keys: Arc::new(evidence_keys),
            signing_keys: Arc::default(),
            shutdown: shutdown.clone(),
        }))
    }

    /// The same but for what `change` does. Nobody else has it yet, so nothing is copied.
    fn with(mut self, change: impl FnOnce(&mut Shared)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// The same, reading what is asked for most through connections of its own: `Store::connect_for_reads`.
    #[must_use]
    pub fn with_reads(self, reads: Store) -> Self {
        let live = Live::start(&reads, &self.clock, self.waiter.hints(), &self.shutdown);
        let checkouts = awaited(&reads, &self.clock, &self.waiter, &self.shutdown);
        self.with(|shared| {
            shared.live = Arc::new(live);
            shared.checkouts = Arc::new(checkouts);
            shared.reads = reads;
        })
    }

    /// The same, able to sign checkout references for these tenants.
    #[must_use]
    pub fn with_signing_keys(self, signing_keys: BTreeMap<i32, TenantKeys>) -> Self {
        self.with(|shared| shared.signing_keys = Arc::new(signing_keys))
    }

    /// The same, letting in users, and limiting everybody.
    pub fn with_access(self, access: Access) -> Result<Self, IssuerError> {
        let Access { issuers, origins, key_limit, user_limit } = access;
        let tokens = Tokens::new(issuers)?;
        Ok(self.with(|shared| {
            shared.tokens = Arc::new(tokens);
            shared.rate_limits = Arc::new(RateLimits::new(key_limit, user_limit));
            shared.origins = origins;
        }))
    }

    /// A connection to the database, borrowed until it is dropped.
    pub(crate) async fn client(&self) -> Result<Client, RouteError> {
        Ok(self.store.get().await?)
    }
}

impl Deref for ApiState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

fn awaited(reads: &Store, clock: &Clock, waiter: &Waiter, shutdown: &Shutdown) -> Watch<Checkouts> {
    let checkouts = Checkouts { reads: reads.clone(), clock: clock.clone() };
    Watch::start(checkouts, waiter.hints(), shutdown)
}
