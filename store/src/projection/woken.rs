//! Wake-ups: which keys facts satisfied whose waiting cases are not marked as due yet.
//! writers: projector
//!
//! A fact may release any number of cases: a price that was missing for a week, a directory that is imported. Its own
//! transaction only records the key ([`record_in_tx`]). The healer then marks the cases, at most so many in a
//! transaction ([`mark_in_tx`]), in the order of their ids, and keeps in the row how far it came.
//!
//! # Why no wake-up is lost
//!
//! Whoever writes an open case holds the locks of the subjects of all keys that it waits for then, and read the world
//! under them; a fact holds the lock of the subject that it satisfies. So of a case and a fact that meet, one is first:
//!
//! - The case was committed before the fact got the lock. Then the fact sees that the key is awaited and records it, and
//!   the marking, which begins after the fact's commit, sees the case.
//! - The fact was committed before the case's batch got the lock. Then the batch decided in knowledge of it.
//!
//! The marking holds no subject's lock, so a batch may overwrite its mark, or have the case marked already when the
//! marking passes by. Either way that batch, or the one that is to come because of the mark, commits after the marking
//! saw the fact; if it leaves the case waiting for the key it got the lock after the fact, and decided in knowledge of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{column, released};
use crate::error::Error;
use crate::statement::{Connection, Statement, execute, query, query_one};

// A key that no case waits for is the usual case (a new user, a first purchase) and leaves no row. Each key is looked up by
// a scalar subquery: a join would let the planner read the whole table.
const RECORD: Statement = Statement {
    sql: "-- woken.record
INSERT INTO woken AS w (tenant_id, key, pos, after)
SELECT h.tenant_id, k.key, k.pos, $4
FROM log_head h, unnest($2::text[], $3::bigint[]) AS k (key, pos)
WHERE h.tenant_id = $1
  AND (SELECT c.case_id FROM case_wait c WHERE c.tenant_id = $1 AND c.key = k.key LIMIT 1) IS NOT NULL",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::INT8_ARRAY, Type::UUID],
    columns: &[],
};

// The newest first: a user who registers while a whole directory is worked off does not wait for all of it.
const TAKE: Statement = Statement {
    sql: "-- woken.take
SELECT nr, key, pos, after FROM woken WHERE tenant_id = $1 ORDER BY nr DESC LIMIT $2 FOR UPDATE SKIP LOCKED",
    params: &[Type::INT4, Type::INT8],
    columns: &[Type::INT8, Type::TEXT, Type::INT8, Type::UUID],
};

const WAITING: Statement = Statement {
    sql: "-- woken.waiting
SELECT w.ord, w.case_id, coalesce(c.state = 1 AND c.due_pos IS NULL, false)
FROM (
    SELECT k.ord, x.case_id
    FROM unnest($2::text[], $3::uuid[]) WITH ORDINALITY AS k (key, after, ord)
    CROSS JOIN LATERAL (
        SELECT y.case_id FROM case_wait y
        WHERE y.tenant_id = $1 AND y.key = k.key AND y.case_id > k.after
        ORDER BY y.case_id LIMIT $4
    ) x
    ORDER BY k.ord, x.case_id LIMIT $4
) w
LEFT JOIN review_case c ON c.tenant_id = $1 AND c.case_id = w.case_id
ORDER BY w.ord, w.case_id",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::UUID_ARRAY, Type::INT8],
    columns: &[Type::INT8, Type::UUID, Type::BOOL],
};

const FINISH: Statement = Statement {
    sql: "-- woken.finish
DELETE FROM woken WHERE tenant_id = $1 AND nr = ANY($2)",
    params: &[Type::INT4, Type::INT8_ARRAY],
    columns: &[],
};

const ADVANCE: Statement = Statement {
    sql: "-- woken.advance
UPDATE woken SET after = $3 WHERE tenant_id = $1 AND nr = $2",
    params: &[Type::INT4, Type::INT8, Type::UUID],
    columns: &[],
};

const ANY: Statement = Statement {
    sql: "-- woken.any
SELECT EXISTS (SELECT FROM woken WHERE tenant_id = $1)",
    params: &[Type::INT4],
    columns: &[Type::BOOL],
};

pub(crate) const STATEMENTS: &[&Statement] = &[&RECORD, &TAKE, &WAITING, &FINISH, &ADVANCE, &ANY];

/// A wake-up that was taken.
struct Taken {
    nr: i64,
    key: String,
    pos: i64,
    after: Uuid,
}

/// What one step of marking did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marked {
    /// Cases that are due now and were not before.
    pub cases: usize,
    /// Whether there was any fact to mark cases for.
    pub had_facts: bool,
}

/// Records those of these (key, position of the fact) pairs whose key cases wait for; how many that were. Call it after
/// the waits of the transaction's own cases were written, and before its cases are locked.
pub async fn record_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    woken: &[(String, i64)],
) -> Result<usize, Error> {
    if woken.is_empty() {
        return Ok(0);
    }
    let (keys, positions) = (column!(woken, 0), column!(woken, 1));
    let recorded = execute(tx, &RECORD, &[&tenant_id, &keys, &positions, &Uuid::nil()]).await?;
    Ok(usize::try_from(recorded).unwrap_or(usize::MAX))
}

/// Marks at most `limit` cases as due that wait for what facts satisfied, those of the newest facts first. Facts that
/// another transaction is at are passed over.
pub async fn mark_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
    limit: i64,
) -> Result<Marked, Error> {
    let taken = query(tx, &TAKE, &[&tenant_id, &limit]).await?;
    if taken.is_empty() {
        return Ok(Marked::default());
    }
    let taken: Vec<Taken> = taken
        .iter()
        .map(|row| Taken { nr: row.get(0), key: row.get(1), pos: row.get(2), after: row.get(3) })
        .collect();
    let (keys, afters) = (column!(taken, key), column!(taken, after));
    // In a statement of its own: it sees whatever was committed before the facts were.
    let waiting = query(tx, &WAITING, &[&tenant_id, &keys, &afters, &limit]).await?;
    let waiting: Vec<(usize, Uuid, bool)> =
        waiting.iter().map(|row| (index(row.get(0)), row.get(1), row.get(2))).collect();
    let mut due: BTreeMap<Uuid, i64> = BTreeMap::new();
    for (number, case_id, _) in waiting.iter().filter(|(_, _, is_to_mark)| *is_to_mark) {
        if let Some(Taken { pos, .. }) = taken.get(*number) {
            let first = due.entry(*case_id).or_insert(*pos);
            *first = (*first).min(*pos);
        }
    }
    let marked = released::mark_in_tx(tx, tenant_id, now, &due).await?;
    // The limit may have cut the cases of the last fact off, and all of those of the facts behind it.
    let is_full = i64::try_from(waiting.len()).is_ok_and(|found| found >= limit);
    let cut = waiting.last().filter(|_| is_full);
    let done = taken.get(..cut.map_or(taken.len(), |(number, _, _)| *number)).unwrap_or_default();
    if !done.is_empty() {
        execute(tx, &FINISH, &[&tenant_id, &column!(done, nr)]).await?;
    }
    if let Some((number, last, _)) = cut
        && let Some(Taken { nr, .. }) = taken.get(*number)
    {
        execute(tx, &ADVANCE, &[&tenant_id, nr, last]).await?;
    }
    Ok(Marked { cases: marked, had_facts: true })
}

/// Whether there are facts whose cases are not all marked yet.
pub async fn any(connection: &impl Connection, tenant_id: i32) -> Result<bool, Error> {
    Ok(query_one(connection, &ANY, &[&tenant_id]).await?.get(0))
}

/// Place in an array by its ordinality, which counts from one.
fn index(ordinality: i64) -> usize {
    usize::try_from(ordinality.saturating_sub(1)).unwrap_or_default()
}
