//! The catalogue as it stands: the newest entry of a price counts.

use jiff::Timestamp;
use tokio_postgres::types::Type;

use crate::error::Error;
use crate::statement::{Connection, Statement, query_opt};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&FIND];

const FIND: Statement = Statement {
    sql: "-- read.catalogue_get
SELECT c.from_pos, c.not_ours, c.credits, c.unit, e.received_at AS created_at
FROM catalogue_entry c JOIN event e ON e.tenant_id = c.tenant_id AND e.pos = c.from_pos
WHERE c.tenant_id = $1 AND c.price = $2
ORDER BY c.from_pos DESC LIMIT 1",
    params: &[Type::INT4, Type::TEXT],
    columns: &[Type::INT8, Type::BOOL, Type::INT8, Type::TEXT, Type::TIMESTAMPTZ],
};

/// What one of a price is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Position that it holds from.
    pub from_pos: i64,
    /// Credits per quantity of one and their unit; `None`: purchases of this price do not concern us.
    pub worth: Option<(i64, String)>,
    /// When it was set.
    pub created_at: Timestamp,
}

/// The entry of a price that is in force.
pub async fn catalogue_get(
    connection: &impl Connection,
    tenant_id: i32,
    price: &str,
) -> Result<Option<Entry>, Error> {
    let Some(row) = query_opt(connection, &FIND, &[&tenant_id, &price]).await? else {
        return Ok(None);
    };
    let credits: Option<i64> = row.get("credits");
    Ok(Some(Entry {
        from_pos: row.get("from_pos"),
        worth: credits.zip(row.get("unit")),
        created_at: row.get("created_at"),
    }))
}
