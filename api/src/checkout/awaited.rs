//! Checkouts that somebody waits for: all of them are looked at together.

use jiff::Timestamp;
use service::clock::Clock;
use store::notify::Hint;
use store::read::checkout::{Checkout, checkout_list};
use store::{Error, Store};

use crate::watch::{Sight, Watched};

/// How checkouts are read.
pub(crate) struct Checkouts {
    /// Through connections that keep their plans.
    pub(crate) reads: Store,
    /// What time it is.
    pub(crate) clock: Clock,
}

/// What the facts and the books said of a session.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(super) checkout: Option<Checkout>,
    pub(super) as_of: Timestamp,
}

impl Sight for Checkouts {
    /// Tenant and session.
    type Key = (i32, String);
    type Seen = Seen;

    const NAME: &'static str = "checkouts";

    const LOOK_MAX: usize = 1_000;

    fn tenant_id(key: &Self::Key) -> i32 {
        key.0
    }

    fn named<'a>(hint: &Hint, watched: &'a Watched<Self>) -> Option<Vec<&'a Self::Key>> {
        match hint {
            // It does not say of what.
            Hint::Decided { tenant_id } => {
                let own = |key: &&Self::Key| key.0 == *tenant_id;
                Some(watched.from((*tenant_id, String::new())).take_while(own).collect())
            }
            Hint::Reconnected => None,
            Hint::Events { .. } | Hint::Accounts { .. } | Hint::Pressed { .. } => Some(Vec::new()),
        }
    }

    async fn look(&self, tenant_id: i32, keys: &[&Self::Key]) -> Result<Vec<Seen>, Error> {
        let as_of = self.clock.now();
        let sessions: Vec<&str> = keys.iter().map(|key| key.1.as_str()).collect();
        let found = checkout_list(&self.reads.get().await?, tenant_id, &sessions).await?;
        Ok(found.into_iter().map(|checkout| Seen { checkout, as_of }).collect())
    }

    fn is_news(last: &Seen, seen: &Seen) -> bool {
        last.checkout != seen.checkout
    }
}
