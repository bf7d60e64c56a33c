//! Clockwork: what is due by time, and what is looked up on a beat.
//!
//! The keeper decides nothing. Whatever it finds it appends to the log as a fact, which the projector then decides
//! like every other, or commands what the clock has settled already; so any number of keepers may run, and any may be killed at
//! any instant: a fact that two of them tell has one id, and what has ended ends once.
//!
//! | module | what |
//! |---|---|
//! | [`due`] | cases whose time is over |
//! | [`expiry`] | credits and holds whose time is over |
//! | [`directory`] | users whom cases wait for, looked up in the app's own table |
//! | [`catalogue`] | prices as the configuration has them |
//! | [`gauges`] | how many cases are open |
//! | `facts` | how a fact becomes an event |
//! | `beat` | when a task looks again |

mod beat;
pub mod catalogue;
pub mod directory;
pub mod due;
pub mod expiry;
mod facts;
pub mod gauges;

use service::clock::Clock;
use service::shutdown::Shutdown;
use store::Store;
use store::directory::Directory;
use store::notify::Notifier;

use crate::beat::Beat;
use crate::directory::Reader;

/// What the keeper works with.
#[derive(Clone)]
pub struct Keeper {
    /// The database, as the role `keeper`.
    pub store: Store,
    /// Whom to tell that something was appended.
    pub notifier: Notifier,
    /// The time.
    pub clock: Clock,
}

/// A tenant to keep the clock of.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Whose.
    pub tenant_id: i32,
    /// The app's own table of users, if it may be read.
    pub directory: Option<Directory>,
}

/// Starts the keeper's tasks; they end when the shutdown begins.
pub fn run(keeper: &Keeper, tenants: Vec<Tenant>, shutdown: &Shutdown) {
    for Tenant { tenant_id, directory } in tenants {
        let (own, mut beat) = (keeper.clone(), Beat::new("due cases", tenant_id, shutdown));
        shutdown.spawn("keep due cases", async move {
            while beat.after(own.tell_due(tenant_id).await).await {}
        });
        let (own, mut beat) = (keeper.clone(), Beat::new("expiry", tenant_id, shutdown));
        shutdown.spawn("post what expired", async move {
            while beat.after(own.expire_due(tenant_id).await).await {}
        });
        let (own, mut beat) = (keeper.clone(), Beat::new("open cases", tenant_id, shutdown));
        shutdown.spawn("measure open cases", async move {
            while beat.after(own.measure_cases(tenant_id).await).await {}
        });
        let Some(mut reader) = directory.map(Reader::new) else { continue };
        let (own, mut beat) = (keeper.clone(), Beat::new("directory", tenant_id, shutdown));
        shutdown.spawn("read the directory", async move {
            while beat.after(reader.look_up(&own, tenant_id).await).await {}
        });
    }
}
