//! Appending a batch: one call of the function `append_events`, which takes the head lock, finds out what is new, numbers
//! and stores it (its text stands in the migrations). One message goes and one comes back, so the lock is held for as long
//! as the server works and not for round trips; and if this future is dropped, no connection is left inside a transaction.

use tokio_postgres::types::Type;

use super::NewEvent;
use super::batch::{Batch, Columns};
use crate::connect::{Client, Store};
use crate::error::Error;
use crate::statement::{Statement, query_one};

/// Most events in one append: beyond it a batch gains nothing and only holds the lock longer.
pub const MAX_BATCH_EVENTS: usize = 256;

/// Most bytes of bodies in one append, not counting its last event: so one event of any size can be appended.
pub const MAX_BATCH_BYTES: usize = 1 << 20;

/// Longest `account` and `source_id` together, in bytes. An index entry must fit a third of a page (2,704 bytes).
pub const MAX_KEY_BYTES: usize = 2_000;

/// What became of one event of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Appended {
    /// It stands at this position now.
    Stored(i64),
    /// It was there already, at this position.
    Duplicate(i64),
}

impl Appended {
    /// Where the event stands.
    pub fn pos(self) -> i64 {
        match self {
            Self::Stored(pos) | Self::Duplicate(pos) => pos,
        }
    }
}

pub(super) const APPEND: Statement = Statement {
    sql: "-- log.append
SELECT log_end, positions FROM append_events(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
    params: &[
        Type::INT4,
        Type::INT2_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT2_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT2_ARRAY,
        Type::BOOL_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::BYTEA_ARRAY,
        Type::BYTEA_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
    ],
    columns: &[Type::INT8, Type::INT8_ARRAY],
};

/// Appends `events` to the log of one tenant, all or none, and says of each where it stands, in the order given.
///
/// Whoever is told a position may answer for it: it is committed. An error of kind `Unavailable` leaves open whether the
/// batch was stored; append it again, and what was stored comes back as a duplicate.
pub async fn append(
    store: &Store,
    tenant_id: i32,
    events: &[NewEvent],
) -> Result<Vec<Appended>, Error> {
    append_on(&store.get().await?, tenant_id, events).await
}

/// Does so on a connection of the caller's. Appends that are begun one after the other on one connection are done in this
/// order, and the later ones are sent without waiting for the earlier ones.
pub async fn append_on(
    client: &Client,
    tenant_id: i32,
    events: &[NewEvent],
) -> Result<Vec<Appended>, Error> {
    check_limits(events)?;
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let batch = Batch::of(events);
    let columns = Columns::of(batch.events());
    let row = query_one(client, &APPEND, &columns.all(&tenant_id)).await?;
    let (end, positions): (Option<i64>, Option<Vec<i64>>) = (row.get(0), row.get(1));
    let (Some(end), Some(positions)) = (end, positions) else {
        let what_to_do = format!("tenant {tenant_id} has no log; run tally migrate");
        return Err(Error::setting("appending to the log", what_to_do));
    };
    batch.outcome(tenant_id, end, &positions)
}

/// Refuses a batch that is too big, or a key that no index holds.
fn check_limits(events: &[NewEvent]) -> Result<(), Error> {
    let refuse = |what: &str| Err(Error::setting("appending to the log", what));
    let bytes: usize = events.iter().rev().skip(1).map(|event| event.body.len()).sum();
    if events.len() > MAX_BATCH_EVENTS || bytes > MAX_BATCH_BYTES {
        return refuse("the batch is larger than MAX_BATCH_EVENTS or MAX_BATCH_BYTES allows");
    }
    let too_long = |event: &NewEvent| {
        event.account.len().saturating_add(event.source_id.len()) > MAX_KEY_BYTES
    };
    if events.iter().any(too_long) {
        return refuse("the id of an event is longer than MAX_KEY_BYTES allows");
    }
    Ok(())
}
