//! Attempts: batches begun and not finished, counted before they are tried, so that an event that kills the process is
//! found out by whoever comes next. A batch of events is counted by its first position, cases each by that of their own
//! (their event has its first decision, so the two do not meet).
//! writers: projector

use tokio_postgres::types::Type;

use crate::error::Error;
use crate::statement::{Connection, Statement, Write, execute, params, query, query_opt};

const COUNT: Statement = Statement {
    sql: "-- attempts.count
INSERT INTO attempt AS a (tenant_id, pos, tries)
SELECT h.tenant_id, k.pos, 1 FROM log_head h, (SELECT DISTINCT u.pos FROM unnest($2::bigint[]) AS u (pos) ORDER BY u.pos) k
WHERE h.tenant_id = $1
ON CONFLICT (tenant_id, pos) DO UPDATE SET tries = least(a.tries + 1, 1000)
RETURNING a.tries",
    params: &[Type::INT4, Type::INT8_ARRAY],
    columns: &[Type::INT2],
};

const FAILED: Statement = Statement {
    sql: "-- attempts.failed
UPDATE attempt SET error = $3 WHERE tenant_id = $1 AND pos = ANY($2)",
    params: &[Type::INT4, Type::INT8_ARRAY, Type::TEXT],
    columns: &[],
};

const FORGIVE: Statement = Statement {
    sql: "-- attempts.forgive
UPDATE attempt SET tries = greatest(tries - 1, 0) WHERE tenant_id = $1 AND pos = ANY($2)",
    params: &[Type::INT4, Type::INT8_ARRAY],
    columns: &[],
};

const LAST_ERROR: Statement = Statement {
    sql: "-- attempts.last_error
SELECT error FROM attempt WHERE tenant_id = $1 AND pos = $2",
    params: &[Type::INT4, Type::INT8],
    columns: &[Type::TEXT],
};

const FINISH: Statement = Statement {
    sql: "-- attempts.finish
DELETE FROM attempt WHERE tenant_id = $1 AND pos = ANY($2)",
    params: &[Type::INT4, Type::INT8_ARRAY],
    columns: &[],
};

pub(crate) const STATEMENTS: &[&Statement] = &[&COUNT, &FAILED, &FORGIVE, &LAST_ERROR, &FINISH];

/// Counts one more try at each of these positions; how many that makes at the one that was tried most. Commit it before
/// the batch.
pub async fn count(
    connection: &impl Connection,
    tenant_id: i32,
    positions: &[i64],
) -> Result<i16, Error> {
    let rows = query(connection, &COUNT, &[&tenant_id, &positions]).await?;
    Ok(rows.iter().map(|row| row.get(0)).max().unwrap_or_default())
}

/// Notes what the newest try failed with.
pub async fn failed(
    connection: &impl Connection,
    tenant_id: i32,
    positions: &[i64],
    error: &str,
) -> Result<(), Error> {
    execute(connection, &FAILED, &[&tenant_id, &positions, &error]).await.map(drop)
}

/// Takes the newest try back: it failed for a reason that is not the events'.
pub async fn forgive(
    connection: &impl Connection,
    tenant_id: i32,
    positions: &[i64],
) -> Result<(), Error> {
    execute(connection, &FORGIVE, &[&tenant_id, &positions]).await.map(drop)
}

/// What the newest try failed with; `None` if the process did not live to say so.
pub async fn last_error(
    connection: &impl Connection,
    tenant_id: i32,
    pos: i64,
) -> Result<Option<String>, Error> {
    let row = query_opt(connection, &LAST_ERROR, &[&tenant_id, &pos]).await?;
    Ok(row.and_then(|row| row.get(0)))
}

/// Forgets the tries of batches that are done.
pub fn finish(tenant_id: i32, positions: &[i64]) -> Option<Write<'_>> {
    Write::of(positions.len(), &FINISH, params![tenant_id, positions])
}
