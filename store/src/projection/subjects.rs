//! Subjects: what a lookup hung on. The fact that would satisfy it locks the same row, so that no wake-up is lost between
//! them: whoever is second sees what the first one wrote.
//! writers: projector

use crate::flight;
use tokio_postgres::types::Type;

use crate::error::Error;
use crate::statement::{Connection, Params, Statement, execute};

const INSERT: Statement = Statement {
    sql: "-- subjects.insert
INSERT INTO subject AS s (tenant_id, key)
SELECT h.tenant_id, unnest($2::text[])
FROM log_head h
WHERE h.tenant_id = $1
ON CONFLICT DO NOTHING",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: &[],
};

// They are looked up, and locked, one after the other in the order given.
const LOCK: Statement = Statement {
    sql: "-- subjects.lock
SELECT s.key
FROM unnest($2::text[]) AS k (key)
CROSS JOIN LATERAL (SELECT x.key FROM subject x WHERE x.tenant_id = $1 AND x.key = k.key LIMIT 1 FOR UPDATE) s",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: &[Type::TEXT],
};

pub(crate) const STATEMENTS: &[&Statement] = &[&INSERT, &LOCK];

/// Locks the subjects, which must be sorted, until the transaction ends.
pub async fn lock_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    keys: &[String],
) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    debug_assert!(keys.is_sorted(), "subjects are locked in one order");
    let keys: Params<'_> = &[&tenant_id, &keys];
    flight!(execute(tx, &INSERT, keys), execute(tx, &LOCK, keys)).map(drop)
}
