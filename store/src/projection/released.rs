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

const LIST: Statement = Statement {
    sql: "-- released.list
SELECT case_id FROM review_case
WHERE tenant_id = $1 AND state = 1 AND due_pos IS NOT NULL AND due <= $2 AND case_id BETWEEN $3 AND $4
ORDER BY due, case_id LIMIT $5",
    params: &[Type::INT4, Type::TIMESTAMPTZ, Type::UUID, Type::UUID, Type::INT8],
    columns: &[Type::UUID],
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

pub(crate) const STATEMENTS: &[&Statement] = &[&MARK, &LIST, &CLAIM_LANE, &POSTPONE];

/// Number of lanes that released cases are shared out to; a power of two.
pub const LANES: u32 = 8;

/// How far behind the lane's number the rest of a case's id begins.
const LANE_SHIFT: u32 = u128::BITS - LANES.ilog2();

/// A part of a tenant's released cases: an equal share of all ids, which are hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lane(u32);

impl Lane {
    /// The lane of this number; numbers beyond the last begin again.
    pub const fn new(number: u32) -> Self {
        Self(number % LANES)
    }

    /// The lane of a case.
    pub fn of(case_id: Uuid) -> Self {
        Self(u32::try_from(case_id.as_u128() >> LANE_SHIFT).unwrap_or_default())
    }

    /// The first and the last id that may be in it.
    fn bounds(self) -> (Uuid, Uuid) {
        let first = u128::from(self.0) << LANE_SHIFT;
        (Uuid::from_u128(first), Uuid::from_u128(first | !(u128::MAX << LANE_SHIFT)))
    }
}

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

/// Open cases that a fact released and that are due by now, longest first: of one lane, or of all.
pub async fn list(
    connection: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
    lane: Option<Lane>,
    limit: i64,
) -> Result<Vec<Uuid>, Error> {
    let (first, last) = lane.map_or((Uuid::nil(), Uuid::max()), Lane::bounds);
    let rows = query(connection, &LIST, &[&tenant_id, &now, &first, &last, &limit]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_case_is_in_one_lane() {
        for number in 0..LANES {
            let (first, last) = Lane::new(number).bounds();
            assert_eq!((Lane::of(first), Lane::of(last)), (Lane::new(number), Lane::new(number)));
            let next = Lane::new(number.wrapping_add(1)).bounds().0;
            assert!(next.is_nil() || last.as_u128().wrapping_add(1) == next.as_u128());
        }
        assert_eq!(Lane::new(0).bounds().0, Uuid::nil());
        assert_eq!(Lane::new(LANES.wrapping_sub(1)).bounds().1, Uuid::max());
    }
}
