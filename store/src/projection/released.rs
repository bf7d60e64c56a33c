//! Released cases: those that a fact made due and that are to be decided anew, in lanes, so that several healers share
//! them.
//! writers: projector

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::cases::lock_these_in_tx;
use crate::error::Error;
use crate::statement::{Connection, Statement, execute, query, query_opt};

const MARK: Statement = Statement {
    sql: "-- released.mark
UPDATE review_case c SET due = $2, due_pos = k.pos
FROM unnest($3::uuid[], $4::bigint[]) AS k (case_id, pos)
WHERE c.tenant_id = $1 AND c.case_id = k.case_id AND c.state = 1 AND c.due_pos IS NULL",
    params: &[Type::INT4, Type::TIMESTAMPTZ, Type::UUID_ARRAY, Type::INT8_ARRAY],
    columns: &[],
};

// Ids are hashes, so any byte of them shares the cases out evenly; the first ones would not, because cases are marked in
// their order.
const LANES_DUE: Statement = Statement {
    sql: "-- released.lanes
SELECT l.lane, count(*)
FROM (
    SELECT get_byte(uuid_send(c.case_id), 15) % $3 AS lane FROM review_case c
    WHERE c.tenant_id = $1 AND c.state = 1 AND c.due_pos IS NOT NULL AND c.due <= $2
    ORDER BY c.due, c.case_id LIMIT $4
) l
GROUP BY l.lane ORDER BY l.lane",
    params: &[Type::INT4, Type::TIMESTAMPTZ, Type::INT4, Type::INT8],
    columns: &[Type::INT4, Type::INT8],
};

const LIST: Statement = Statement {
    sql: "-- released.list
SELECT c.case_id, c.pos, c.root_key FROM review_case c
WHERE c.tenant_id = $1 AND c.state = 1 AND c.due_pos IS NOT NULL AND c.due <= $2
  AND get_byte(uuid_send(c.case_id), 15) % $3 = $4
  AND NOT EXISTS (SELECT FROM attempt a WHERE a.tenant_id = $1 AND a.pos = c.pos AND a.tries > 0)
ORDER BY c.due, c.case_id LIMIT $5",
    params: &[Type::INT4, Type::TIMESTAMPTZ, Type::INT4, Type::INT4, Type::INT8],
    columns: &[Type::UUID, Type::INT8, Type::TEXT],
};

// The least tried first: they prove to be innocent, or else all are tried equally often.
const SUSPECT: Statement = Statement {
    sql: "-- released.suspect
SELECT c.case_id, c.pos, c.root_key
FROM attempt a JOIN review_case c ON c.tenant_id = a.tenant_id AND c.pos = a.pos
WHERE a.tenant_id = $1 AND a.tries > 0 AND c.state = 1 AND c.due_pos IS NOT NULL AND c.due <= $2
ORDER BY a.tries, c.due, c.case_id LIMIT 1",
    params: &[Type::INT4, Type::TIMESTAMPTZ],
    columns: &[Type::UUID, Type::INT8, Type::TEXT],
};

// No safety rests on it, only that two healers do not prepare the same work: payments' locks order what they decide.
const CLAIM_LANE: Statement = Statement {
    sql: "-- released.claim_lane
SELECT pg_try_advisory_xact_lock(hashtextextended($2, tenant_id)) FROM log_head WHERE tenant_id = $1",
    params: &[Type::INT4, Type::TEXT],
    columns: &[Type::BOOL],
};

const POSTPONE: Statement = Statement {
    sql: "-- released.postpone
UPDATE review_case SET due = $3 WHERE tenant_id = $1 AND case_id = $2 AND state = 1 AND due_pos IS NOT NULL",
    params: &[Type::INT4, Type::UUID, Type::TIMESTAMPTZ],
    columns: &[],
};

const GIVE_UP: Statement = Statement {
    sql: "-- released.give_up
UPDATE review_case SET due = NULL, due_pos = NULL, detail = detail || jsonb_build_object('error', $3::text)
WHERE tenant_id = $1 AND case_id = $2 AND state = 1",
    params: &[Type::INT4, Type::UUID, Type::TEXT],
    columns: &[],
};

pub(crate) const STATEMENTS: &[&Statement] =
    &[&MARK, &LANES_DUE, &LIST, &SUSPECT, &CLAIM_LANE, &POSTPONE, &GIVE_UP];

/// Number of lanes that released cases are shared out to.
pub const LANES: i32 = 8;

/// A case that is to be decided anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// Id.
    pub case_id: Uuid,
    /// Position of the event that opened it.
    pub pos: i64,
    /// Payment that it holds up; `None`: it holds the event alone.
    pub root_key: Option<String>,
}

/// A part of a tenant's released cases, by its number: an equal share of all ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lane(pub i32);

/// The lane of a tenant's suspects. They have but one, or what dies beside the one at fault would be taken for it.
pub const SUSPECTS: Lane = Lane(LANES);

/// Marks those of these cases as due that are open and not due already, each by the position of a fact; how many.
pub(super) async fn mark_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
    released: &BTreeMap<Uuid, i64>,
) -> Result<usize, Error> {
    if released.is_empty() {
        return Ok(0);
    }
    let (ids, positions): (Vec<Uuid>, Vec<i64>) = released.iter().unzip();
    lock_these_in_tx(tx, tenant_id, &ids).await?;
    let marked = execute(tx, &MARK, &[&tenant_id, &now, &ids, &positions]).await?;
    Ok(usize::try_from(marked).unwrap_or(usize::MAX))
}

/// Claims a lane until the transaction ends; false if another transaction has it. Nothing waits for it.
pub async fn claim_lane_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    lane: Lane,
) -> Result<bool, Error> {
    let name = format!("tally.healing_lane.{}", lane.0);
    let row = query_opt(tx, &CLAIM_LANE, &[&tenant_id, &name]).await?;
    Ok(row.is_some_and(|row| row.get(0)))
}

/// The lanes in which cases are due by now, with how many of the first `limit` cases each has.
pub async fn lanes(
    connection: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(Lane, i64)>, Error> {
    let rows = query(connection, &LANES_DUE, &[&tenant_id, &now, &LANES, &limit]).await?;
    Ok(rows.iter().map(|row| (Lane(row.get(0)), row.get(1))).collect())
}

/// Open cases of a lane that a fact released and that are due by now, longest first. Suspects are not among them.
pub async fn list(
    connection: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
    lane: Lane,
    limit: i64,
) -> Result<Vec<Released>, Error> {
    let rows = query(connection, &LIST, &[&tenant_id, &now, &LANES, &lane.0, &limit]).await?;
    Ok(rows.iter().map(released).collect())
}

/// The next suspect: a released case that is due and was in a batch that was begun and not finished, so that it may be what
/// kills.
pub async fn suspect(
    connection: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
) -> Result<Option<Released>, Error> {
    Ok(query_opt(connection, &SUSPECT, &[&tenant_id, &now]).await?.as_ref().map(released))
}

/// Decides a case anew no more, for this error, until a further fact or a person releases it.
pub async fn give_up_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    case_id: Uuid,
    error: &str,
) -> Result<(), Error> {
    execute(tx, &GIVE_UP, &[&tenant_id, &case_id, &error]).await.map(drop)
}

/// Puts a released case off that could not be decided, so that it does not stand before the others.
pub async fn postpone(
    connection: &impl Connection,
    tenant_id: i32,
    case_id: Uuid,
    until: Timestamp,
) -> Result<(), Error> {
    execute(connection, &POSTPONE, &[&tenant_id, &case_id, &until]).await.map(drop)
}

fn released(row: &tokio_postgres::Row) -> Released {
    Released { case_id: row.get(0), pos: row.get(1), root_key: row.get(2) }
}
