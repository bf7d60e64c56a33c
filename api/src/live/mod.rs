//! Balances as they change.

mod places;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ledger::chain::to_microseconds;
use ledger::ids::{AccountId, Owner};
use service::clock::Clock;
use service::problem::{Code, Problem};
use service::shutdown::Shutdown;
use store::notify::Hint;
use store::read::balance::{Parts, balance_list};
use store::units::Unit;
use store::{Error, Store};
use tokio::sync::broadcast::Receiver;

use crate::users::balance::{Balance, Version};
use crate::watch::{self, Sight, Watch, Watched};
use places::{Place, Places};

/// Seconds after which to come again when there are too many.
const FULL_RETRY_AFTER_SECONDS: u32 = 5;

/// Longest wait for the first look.
const FIRST_LOOK_MAX: Duration = Duration::from_secs(2);

/// What is watched, in a bounded number of places.
pub(crate) struct Live {
    balances: Watch<Balances>,
    places: Places,
}

/// How balances are read.
struct Balances {
    reads: Store,
    clock: Clock,
}

/// One account in one unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    tenant_id: i32,
    account: AccountId,
    unit: Unit,
    /// Whose account it is.
    user: String,
}

/// A balance as it was seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Whether anybody told of the user, and it was decided.
    pub(crate) is_known: bool,
    /// Which version it is.
    pub(crate) version: Version,
    /// The balance object.
    pub(crate) json: Arc<str>,
}

/// One who watches a balance.
pub(crate) struct Watching {
    balance: watch::Watching<Balances>,
    _place: Place,
}

impl Live {
    /// Starts to look at what will be watched; ends when it is dropped. Must be called within a Tokio runtime.
    pub(crate) fn start(
        reads: &Store,
        clock: &Clock,
        hints: Receiver<Hint>,
        shutdown: &Shutdown,
    ) -> Self {
        let balances = Balances { reads: reads.clone(), clock: clock.clone() };
        Self { balances: Watch::start(balances, hints, shutdown), places: Places::default() }
    }

    /// Watches a user's balance in a unit.
    pub(crate) fn watch(
        &self,
        tenant_id: i32,
        user: &str,
        unit: Unit,
    ) -> Result<Watching, Problem> {
        let account = Owner::User(user.to_owned()).account_id();
        let place = self.places.take(tenant_id, account)?;
        let key = Key { tenant_id, account, unit, user: user.to_owned() };
        Ok(Watching { balance: self.balances.on(key), _place: place })
    }
}

impl Watching {
    /// The balance as soon as it was seen at all.
    pub(crate) async fn first(&mut self) -> Result<Seen, Problem> {
        let seen = tokio::time::timeout(FIRST_LOOK_MAX, self.next()).await.ok().flatten();
        seen.ok_or_else(|| Problem::new(Code::Unavailable).retry_after(FULL_RETRY_AFTER_SECONDS))
    }

    /// The next other one; none once the process is to end.
    pub(crate) async fn next(&mut self) -> Option<Seen> {
        self.balance.next().await
    }
}

impl Sight for Balances {
    type Key = Key;
    type Seen = Seen;

    const NAME: &'static str = "balances";

    const LOOK_MAX: usize = 1_000;

    fn tenant_id(key: &Key) -> i32 {
        key.tenant_id
    }

    fn named<'a>(hint: &Hint, watched: &'a Watched<Self>) -> Option<Vec<&'a Key>> {
        match hint {
            Hint::Accounts { tenant_id, accounts } if !accounts.is_empty() => {
                let named = accounts.iter().flat_map(|account| of(watched, *tenant_id, *account));
                Some(named.collect())
            }
            Hint::Accounts { .. } | Hint::Reconnected => None,
            // Whoever decides names the accounts as well.
            Hint::Decided { .. } | Hint::Events { .. } | Hint::Pressed { .. } => Some(Vec::new()),
        }
    }

    async fn look(&self, tenant_id: i32, keys: &[&Key]) -> Result<Vec<Seen>, Error> {
        let now = to_microseconds(self.clock.now());
        let names: Vec<_> =
            keys.iter().map(|key| (key.user.as_str(), key.unit.name.as_str())).collect();
        let found = balance_list(&self.reads.get().await?, tenant_id, &names, now).await?;
        Ok(keys.iter().zip(found).map(|(key, parts)| seen(key, parts, now)).collect())
    }

    fn is_news(last: &Seen, seen: &Seen) -> bool {
        last.version != seen.version
    }
}

/// What is watched of an account.
fn of(
    watched: &Watched<Balances>,
    tenant_id: i32,
    account: AccountId,
) -> impl Iterator<Item = &Key> {
    let unit = Unit { name: String::new(), scale: 0, is_default: false };
    let own = move |key: &&Key| key.tenant_id == tenant_id && key.account == account;
    watched.from(Key { tenant_id, account, unit, user: String::new() }).take_while(own)
}

fn seen(key: &Key, parts: Option<Parts>, now: Timestamp) -> Seen {
    let is_known = parts.is_some();
    let balance = Balance::new(&key.user, &key.unit, &parts.unwrap_or_default(), now);
    // Texts and integers: there is nothing here that could fail to be written.
    let json = serde_json::to_string(&balance).unwrap_or_default().into();
    Seen { is_known, version: balance.version(), json }
}
