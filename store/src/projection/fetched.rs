//! What Stripe answered when it was asked for what a thin event names: whether the log has it. The event's source id is the
//! key that the case waits for, so each thin event has one answer.

use tokio_postgres::types::Type;

use crate::error::Error;
use crate::log::Origin;
use crate::statement::{Connection, Statement, query};

const KNOWN: Statement = Statement {
    sql: "-- fetched.known
SELECT w.key
FROM unnest($3::text[], $4::text[]) AS w (account, key)
WHERE (SELECT k.pos FROM event_key k
       WHERE k.tenant_id = $1 AND k.origin = $2 AND k.account = w.account AND k.source_id = w.key LIMIT 1) IS NOT NULL",
    params: &[Type::INT4, Type::INT2, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
    columns: &[Type::TEXT],
};

pub(crate) const STATEMENTS: &[&Statement] = &[&KNOWN];

/// Those of these keys, each with its Connect account (empty for the own one), that were answered.
pub async fn known(
    connection: &impl Connection,
    tenant_id: i32,
    keys: &[(&str, &str)],
) -> Result<Vec<String>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (accounts, keys): (Vec<&str>, Vec<&str>) = keys.iter().copied().unzip();
    let origin = Origin::Stripe.number();
    let rows = query(connection, &KNOWN, &[&tenant_id, &origin, &accounts, &keys]).await?;
    Ok(rows.iter().map(|row| row.get("key")).collect())
}
