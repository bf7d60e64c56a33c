//! The outbox: messages to other systems, written in the transaction of what they tell.
//! writers: projector

use jiff::Timestamp;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::column;
use crate::statement::{Statement, Write, params};

const INSERT: Statement = Statement {
    sql: "-- outbox.insert
INSERT INTO outbox AS o (tenant_id, id, topic, key, payload, created_at)
SELECT h.tenant_id, unnest($3::uuid[]), unnest($4::text[]), unnest($5::text[]), unnest($6::bytea[]), $2
FROM log_head h
WHERE h.tenant_id = $1",
    params: &[Type::INT4, Type::TIMESTAMPTZ, Type::UUID_ARRAY, Type::TEXT_ARRAY, Type::TEXT_ARRAY, Type::BYTEA_ARRAY],
    columns: &[],
};

pub(crate) const STATEMENTS: &[&Statement] = &[&INSERT];

/// A message.
#[derive(Debug, Clone)]
pub struct MessageRow {
    /// Derived from its cause.
    pub id: Uuid,
    /// `CloudEvents` type.
    pub topic: &'static str,
    /// What it concerns.
    pub key: String,
    /// `CloudEvents` JSON.
    pub payload: Vec<u8>,
}

/// Messages as they are to be written.
pub fn write(tenant_id: i32, now: Timestamp, rows: &[MessageRow]) -> Option<Write<'_>> {
    let (ids, topics) = (column!(rows, id), column!(rows, topic));
    let (keys, payloads) = (column!(rows, key), column!(rows, payload));
    Write::of(rows.len(), &INSERT, params![tenant_id, now, ids, topics, keys, payloads])
}
