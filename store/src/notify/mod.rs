//! Hints between processes: "there is something to read". They travel by NOTIFY, outside of the transactions that they tell
//! of, and any of them may be lost: whoever is hinted polls as well, so a hint only saves waiting.

mod listener;
mod notifier;
#[cfg(test)]
mod tests;

use std::str::FromStr;
use std::sync::Arc;

use ledger::ids::AccountId;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::statement::Statement;

pub use listener::Listener;
pub use notifier::{Notifier, TELLING_IN_A_RUSH};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&notifier::SEND];

/// Channel that tells of appended events; payload `<tenant>:<slots as a hexadecimal mask>`.
const EVENT_CHANNEL: &str = "tally_event";

/// Channel that tells of decisions; payload `<tenant>`.
const DECIDED_CHANNEL: &str = "tally_decided";

/// Channel that tells of deliveries that wait; payload `<tenant>`.
const PRESSED_CHANNEL: &str = "tally_pressed";

/// Channel that tells of accounts whose balances changed; payload `<tenant>:<account>,<account>…`, or `<tenant>:` if they
/// are too many to be named.
const ACCOUNT_CHANNEL: &str = "tally_account";

/// What a process is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// Events were appended to these slots of the tenant: bit n stands for slot n.
    Events {
        /// Whose log.
        tenant_id: i32,
        /// The slots.
        slots: u64,
    },
    /// Decisions were committed for the tenant.
    Decided {
        /// Whose.
        tenant_id: i32,
    },
    /// So many deliveries come in that they wait for each other: who can wait better lets them go first.
    Pressed {
        /// To whom.
        tenant_id: i32,
    },
    /// Balances of these accounts changed.
    Accounts {
        /// Whose books they are in.
        tenant_id: i32,
        /// Which ones; none: too many to be named, so it may be any.
        accounts: Arc<[AccountId]>,
    },
    /// The connection is new: hints may have been lost, so anything may be there to read.
    Reconnected,
}

impl Hint {
    /// Reads what came on one of our channels; another program's messages are none of ours.
    fn read(channel: &str, payload: &str) -> Option<Self> {
        match channel {
            EVENT_CHANNEL => {
                let (tenant, slots) = payload.split_once(':')?;
                let slots = u64::from_str_radix(slots, 16).ok()?;
                Some(Self::Events { tenant_id: i32::from_str(tenant).ok()?, slots })
            }
            DECIDED_CHANNEL => Some(Self::Decided { tenant_id: i32::from_str(payload).ok()? }),
            PRESSED_CHANNEL => Some(Self::Pressed { tenant_id: i32::from_str(payload).ok()? }),
            ACCOUNT_CHANNEL => {
                let (tenant, accounts) = payload.split_once(':')?;
                let named = accounts.split(',').filter(|account| !account.is_empty());
                let named = named.map(|account| Uuid::parse_str(account).map(AccountId));
                let accounts = named.collect::<Result<_, _>>().ok()?;
                Some(Self::Accounts { tenant_id: i32::from_str(tenant).ok()?, accounts })
            }
            _ => None,
        }
    }
}

/// A task that ends when this is dropped.
struct Background(JoinHandle<()>);

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}
