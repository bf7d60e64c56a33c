//! What ran out of time and is still to be closed, for the clock to ask for.
//!
//! Listed without locks: whoever carries it out looks again under the account's lock. What of a grant a hold reserves stays
//! with the hold. Unclaimed payments are left out: their credits end once it is known whose they are.

use jiff::Timestamp;
use ledger::ids::HoldId;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{AccountKey, Command};
use crate::error::Error;
use crate::statement::{Connection, Statement, query};

/// Every statement of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&GRANTS, &HOLDS];

const GRANTS: Statement = Statement {
    sql: "-- commands.due_grant_list
SELECT o.key, g.unit, g.grant_id
FROM credit_grant g
CROSS JOIN LATERAL (SELECT * FROM owner x WHERE x.tenant_id = $1 AND x.account_id = g.account_id LIMIT 1) o
WHERE o.kind = 1 AND g.tenant_id = $1 AND g.is_open AND g.expires_at < 'infinity' AND g.expires_at <= $2 AND g.remaining > g.held
ORDER BY g.expires_at
LIMIT $3",
    params: &[Type::INT4, Type::TIMESTAMPTZ, Type::INT8],
    columns: &[Type::TEXT, Type::TEXT, Type::INT8],
};

const HOLDS: Statement = Statement {
    sql: "-- commands.due_hold_list
SELECT h.hold_id FROM hold h WHERE h.tenant_id = $1 AND h.state = 1 AND h.expires_at <= $2 ORDER BY h.expires_at LIMIT $3",
    params: &[Type::INT4, Type::TIMESTAMPTZ, Type::INT8],
    columns: &[Type::UUID],
};

/// What is due at `now`, the longest due first: at most so many holds, and so many grants.
pub async fn due_list(
    connection: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Command>, Error> {
    let holds = query(connection, &HOLDS, &[&tenant_id, &now, &limit]).await?;
    let grants = query(connection, &GRANTS, &[&tenant_id, &now, &limit]).await?;
    let holds = holds.iter().map(|row| {
        let hold_id: Uuid = row.get("hold_id");
        Command::ExpireHold { hold_id: HoldId(hold_id) }
    });
    let grants = grants.iter().map(|row| Command::ExpireGrant {
        account: AccountKey { user: row.get("key"), unit: row.get("unit") },
        grant_id: row.get("grant_id"),
    });
    Ok(holds.chain(grants).collect())
}
