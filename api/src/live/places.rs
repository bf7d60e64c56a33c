//! Places for those who watch balances: bounded in all, and for each user, so that nobody takes the places of all others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger::ids::AccountId;
use service::problem::{Code, Problem};

use super::FULL_RETRY_AFTER_SECONDS;

/// Most streams of a process. A listener has some thousand connections, of which the rest are for those who ask.
const STREAMS_MAX: usize = 3_000;

/// Most streams of one user, in all units: so many pages and devices of his.
const STREAMS_OF_USER_MAX: usize = 16;

/// All places.
#[derive(Clone, Default)]
pub(super) struct Places(Arc<Mutex<Taken>>);

/// How many are taken.
#[derive(Default)]
struct Taken {
    in_all: usize,
    of_user: BTreeMap<(i32, AccountId), usize>,
}

/// One that is taken until it is dropped.
pub(super) struct Place {
    places: Places,
    whose: (i32, AccountId),
}

impl Places {
    /// Takes one, if there is one for this user.
    pub(super) fn take(&self, tenant_id: i32, account: AccountId) -> Result<Place, Problem> {
        let full = |code, max: usize, whose: &str| {
            let detail = format!("{max} streams {whose}are open here; ask for the balance.");
            Problem::new(code).detail(detail).retry_after(FULL_RETRY_AFTER_SECONDS)
        };
        let whose = (tenant_id, account);
        let mut taken = self.taken();
        if taken.in_all >= STREAMS_MAX {
            return Err(full(Code::Unavailable, STREAMS_MAX, ""));
        }
        let of_user = taken.of_user.entry(whose).or_default();
        if *of_user >= STREAMS_OF_USER_MAX {
            return Err(full(Code::RateLimited, STREAMS_OF_USER_MAX, "of this user "));
        }
        *of_user = of_user.saturating_add(1);
        taken.in_all = taken.in_all.saturating_add(1);
        Ok(Place { places: self.clone(), whose })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Whatever a panicking thread left there is still what is taken.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.in_all = taken.in_all.saturating_sub(1);
        if let Some(of_user) = taken.of_user.get_mut(&self.whose) {
            *of_user = of_user.saturating_sub(1);
            if *of_user == 0 {
                taken.of_user.remove(&self.whose);
            }
        }
    }
}
