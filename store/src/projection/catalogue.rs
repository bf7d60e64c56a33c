//! The catalogue, as payments are valued by it.
//! writers: projector

use jiff::Timestamp;
use tokio_postgres::types::Type;

use super::column;
use crate::error::Error;
use crate::statement::{Connection, Statement, Write, params, query};

const VERSIONS: Statement = Statement {
    sql: "-- catalogue.versions
SELECT e.price, e.from_pos, nullif(e.valid_from, '-infinity'), e.credits, e.unit, e.expires, e.priority
FROM unnest($2::text[]) AS k (price)
CROSS JOIN LATERAL (SELECT * FROM catalogue_entry x WHERE x.tenant_id = $1 AND x.price = k.price OFFSET 0) e",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: &[
        Type::TEXT,
        Type::INT8,
        Type::TIMESTAMPTZ,
        Type::INT8,
        Type::TEXT,
        Type::TEXT,
        Type::INT2,
    ],
};

const INSERT: Statement = Statement {
    sql: "-- catalogue.insert
INSERT INTO catalogue_entry AS c (tenant_id, price, from_pos, valid_from, not_ours, credits, unit, expires, priority)
SELECT h.tenant_id, k.price, k.from_pos, coalesce(k.valid_from, '-infinity'), k.credits IS NULL, k.credits, k.unit,
       k.expires, k.priority
FROM log_head h,
     unnest($2::text[], $3::bigint[], $4::timestamptz[], $5::bigint[], $6::text[], $7::text[], $8::smallint[])
     AS k (price, from_pos, valid_from, credits, unit, expires, priority)
WHERE h.tenant_id = $1",
    params: &[
        Type::INT4,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::INT8_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT2_ARRAY,
    ],
    columns: &[],
};

pub(crate) const STATEMENTS: &[&Statement] = &[&VERSIONS, &INSERT];

/// One version of a catalogue entry. Without credits: not ours.
#[derive(Debug, Clone)]
pub struct EntryRow {
    /// Price, product or lookup key that it is for.
    pub price: String,
    /// Position of the event.
    pub from_pos: i64,
    /// Purchases from then on are counted by it; `None`: from ever.
    pub valid_from: Option<Timestamp>,
    /// Credits per quantity of one.
    pub credits: Option<i64>,
    /// Unit.
    pub unit: Option<String>,
    /// How long they last, or `period_end`; `None`: for ever.
    pub expires: Option<String>,
    /// Lower is drawn first.
    pub priority: i16,
}

/// All versions of the entries under these keys.
pub async fn versions(
    connection: &impl Connection,
    tenant_id: i32,
    keys: &[String],
) -> Result<Vec<EntryRow>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows = query(connection, &VERSIONS, &[&tenant_id, &keys]).await?;
    let entry = |row: &tokio_postgres::Row| EntryRow {
        price: row.get(0),
        from_pos: row.get(1),
        valid_from: row.get(2),
        credits: row.get(3),
        unit: row.get(4),
        expires: row.get(5),
        priority: row.get(6),
    };
    Ok(rows.iter().map(entry).collect())
}

/// Versions of catalogue entries as they are to be added.
pub fn write(tenant_id: i32, rows: &[EntryRow]) -> Option<Write<'_>> {
    let params = params![
        tenant_id,
        column!(rows, price),
        column!(rows, from_pos),
        column!(rows, valid_from),
        column!(rows, credits),
        column!(rows, unit),
        column!(rows, expires),
        column!(rows, priority),
    ];
    Write::of(rows.len(), &INSERT, params)
}
