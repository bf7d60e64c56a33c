//! What the projector reads and writes: one module per group of tables.
//!
//! # The lock order, in full
//!
//! Whoever commits postings or moves a case takes its locks in this order, each class sorted by its key's bytes:
//!
//! 1. slots (`projection_slot`), or a lane of released cases ([`released::Lane`]); skipped when taken, never waited for,
//! 2. subjects ([`subjects`]): `case:…` of a case that holds an event alone, `customer:…`, `price:…`, `pull:…`, `user:…`,
//! 3. payments ([`payments`]): alias rows by inserting the missing ones, then root rows; a payment whose own alias was
//!    missing is locked by that, and its row is written once, at the end,
//! 4. accounts ([`crate::books`]): owner rows by inserting, then account rows,
//! 5. idempotency keys,
//! 6. wake-ups ([`woken`]): recorded by the fact, taken by the healer, who passes over those that are taken,
//! 7. cases ([`cases`]): rows are written last; a payment's lock or a `case:…` subject guards what was read of them,
//! 8. one tenant's log head (no transaction of the projector's takes it).
//!
//! Missing rows are first inserted with `ON CONFLICT DO NOTHING`, which waits for whoever is inserting the same, then
//! locked, and only then read, in a statement of its own: `FOR UPDATE` passes over rows that another transaction has
//! inserted and not committed, and a statement sees nothing that was committed after it began.
//!
//! # Plans
//!
//! A batch of events runs with plans that are kept ([`slots::begin_and_claim`]), made perhaps while the tables
//! were empty. So each key is looked up by itself, by all of its columns, behind a `LIMIT` or `OFFSET 0` that no planner sees
//! through; rows that are there are written by `ON CONFLICT DO UPDATE`, which goes by the primary key, where an `UPDATE` would
//! join. Cases, wake-ups and merges are seldom: they are written with plans for the tables as they are then.

pub mod attempts;
pub mod cases;
pub mod catalogue;
pub mod decisions;
pub mod evidence;
pub mod fetched;
pub mod outbox;
pub mod payments;
pub mod released;
pub mod slots;
pub mod subjects;
pub mod woken;

use crate::statement::Statement;

pub(crate) fn statements() -> Vec<&'static Statement> {
    [
        attempts::STATEMENTS,
        cases::STATEMENTS,
        catalogue::STATEMENTS,
        decisions::STATEMENTS,
        evidence::STATEMENTS,
        fetched::STATEMENTS,
        outbox::STATEMENTS,
        &payments::statements(),
        released::STATEMENTS,
        slots::STATEMENTS,
        subjects::STATEMENTS,
        woken::STATEMENTS,
    ]
    .concat()
}

/// One field of each row, as the array that `unnest` takes.
macro_rules! column {
    ($rows:expr, $($field:tt)+) => {
        $rows.iter().map(|row| &row.$($field)+).collect::<Vec<_>>()
    };
}
pub(crate) use column;
