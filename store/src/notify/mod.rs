//! Hints between processes: "there is something to read". They travel by NOTIFY, outside of the transactions that they tell
//! of, and any of them may be lost: whoever is hinted polls as well, so a hint only saves waiting.

mod listener;
mod notifier;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use tokio::task::JoinHandle;

use crate::statement::Statement;

pub use listener::Listener;
pub use notifier::Notifier;

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&notifier::SEND];

/// Channel that tells of appended events; payload `<tenant>:<slots as a hexadecimal mask>`.
const EVENT_CHANNEL: &str = "tally_event";

/// Channel that tells of decisions; payload `<tenant>`.
const DECIDED_CHANNEL: &str = "tally_decided";

/// What a process is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
