//! What open cases want to know from Stripe's API.

use tokio_postgres::types::Type;

use crate::error::Error;
use crate::statement::{Connection, Statement, query};

/// How a key begins that names something of Stripe's API.
pub const PREFIX: &str = "pull:";

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&LIST];

// A semicolon is the character behind the colon.
const LIST: Statement = Statement {
    sql: "-- read.pull_list
SELECT DISTINCT w.key FROM case_wait w
WHERE w.tenant_id = $1 AND w.key > $2 AND w.key < 'pull;'
ORDER BY w.key LIMIT $3",
    params: &[Type::INT4, Type::TEXT, Type::INT8],
    columns: &[Type::TEXT],
};

/// Keys `pull:…` that open cases wait for, in order, those behind `after` ([`PREFIX`] for the first ones).
pub async fn pull_list(
    connection: &impl Connection,
    tenant_id: i32,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, Error> {
    let rows = query(connection, &LIST, &[&tenant_id, &after, &limit]).await?;
    Ok(rows.iter().map(|row| row.get("key")).collect())
}
