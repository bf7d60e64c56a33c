//! The legs of payments: what each line is worth, and what of it is posted.

use ledger::account::Terms;
use tokio_postgres::types::Type;

use crate::error::Error;
use crate::projection::column;
use crate::statement::{Connection, Statement, Write, execute, params, query};

const LEGS: Statement = Statement {
    sql: "-- payments.legs
SELECT l.root_key, l.line, l.leg, l.unit, l.expected, l.target, l.posted, l.forgiven, l.priority,
       nullif(l.expires_at, 'infinity')
FROM unnest($2::text[]) AS k (root_key)
CROSS JOIN LATERAL (SELECT * FROM payment_leg x WHERE x.tenant_id = $1 AND x.root_key = k.root_key OFFSET 0) l",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: &[
        Type::TEXT,
        Type::TEXT,
        Type::INT2,
        Type::TEXT,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT2,
        Type::TIMESTAMPTZ,
    ],
};

const CLEAR: Statement = Statement {
    sql: "-- payments.legs_clear
DELETE FROM payment_leg WHERE tenant_id = $1 AND root_key = ANY($2)",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: &[],
};

const UPSERT: Statement = Statement {
    sql: "-- payments.legs_upsert
INSERT INTO payment_leg AS l
    (tenant_id, root_key, line, leg, unit, expected, target, posted, forgiven, priority, expires_at)
SELECT h.tenant_id, k.root_key, k.line, k.leg, k.unit, k.expected, k.target, k.posted, k.forgiven, k.priority,
       coalesce(k.expires_at, 'infinity')
FROM log_head h,
     (SELECT unnest($2::text[]) AS root_key, unnest($3::text[]) AS line, unnest($4::smallint[]) AS leg,
             unnest($5::text[]) AS unit, unnest($6::bigint[]) AS expected, unnest($7::bigint[]) AS target,
             unnest($8::bigint[]) AS posted, unnest($9::bigint[]) AS forgiven, unnest($10::smallint[]) AS priority,
             unnest($11::timestamptz[]) AS expires_at) k
WHERE h.tenant_id = $1
ON CONFLICT (tenant_id, root_key, line, leg) DO UPDATE
SET unit = excluded.unit, expected = excluded.expected, target = excluded.target, posted = excluded.posted,
    forgiven = excluded.forgiven, priority = excluded.priority, expires_at = excluded.expires_at
WHERE (l.unit, l.expected, l.target, l.posted, l.forgiven, l.priority, l.expires_at) IS DISTINCT FROM
      (excluded.unit, excluded.expected, excluded.target, excluded.posted, excluded.forgiven, excluded.priority,
       excluded.expires_at)",
    params: &[
        Type::INT4,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT2_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT2_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
    ],
    columns: &[],
};

pub(super) const STATEMENTS: &[&Statement] = &[&LEGS, &CLEAR, &UPSERT];

/// One leg of one line.
#[derive(Debug, Clone)]
pub struct LegRow {
    /// Payment.
    pub root_key: String,
    /// Line.
    pub line: String,
    /// 1 purchase, 2 refund, 3 dispute.
    pub leg: i16,
    /// Unit.
    pub unit: String,
    /// Credits that it is worth once it is paid.
    pub expected: i64,
    /// Credits that are due now.
    pub target: i64,
    /// Credits that are posted.
    pub posted: i64,
    /// Credits that were taken back and written off: they count as posted.
    pub forgiven: i64,
    /// Until when they can be spent, and before which others.
    pub terms: Terms,
}

/// The legs of these payments.
pub async fn legs(
    connection: &impl Connection,
    tenant_id: i32,
    roots: &[String],
) -> Result<Vec<LegRow>, Error> {
    if roots.is_empty() {
        return Ok(Vec::new());
    }
    let rows = query(connection, &LEGS, &[&tenant_id, &roots]).await?;
    let leg = |row: &tokio_postgres::Row| LegRow {
        root_key: row.get(0),
        line: row.get(1),
        leg: row.get(2),
        unit: row.get(3),
        expected: row.get(4),
        target: row.get(5),
        posted: row.get(6),
        forgiven: row.get(7),
        terms: Terms { priority: row.get(8), expires_at: row.get(9) },
    };
    Ok(rows.iter().map(leg).collect())
}

/// Legs of payments that are locked, as they are to be written.
pub(super) fn write(tenant_id: i32, legs: &[LegRow]) -> Option<Write<'_>> {
    let params = params![
        tenant_id,
        column!(legs, root_key),
        column!(legs, line),
        column!(legs, leg),
        column!(legs, unit),
        column!(legs, expected),
        column!(legs, target),
        column!(legs, posted),
        column!(legs, forgiven),
        column!(legs, terms.priority),
        column!(legs, terms.expires_at),
    ];
    Write::of(legs.len(), &UPSERT, params)
}

/// Forgets the legs of payments that are locked.
pub(super) async fn clear_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    roots: &[&String],
) -> Result<(), Error> {
    execute(tx, &CLEAR, &[&tenant_id, &roots]).await.map(drop)
}
