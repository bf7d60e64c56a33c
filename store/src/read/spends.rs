//! A spend, as the API shows it.

use jiff::Timestamp;
use ledger::ids::{AccountId, HoldId, SpendId};
use serde::Deserialize;
use tokio_postgres::types::Type;

use crate::commands::Note;
use crate::error::Error;
use crate::statement::{Connection, Statement, query_opt};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&FIND];

// A spend and the capture of a hold post to `spend` once; what a capture lets go may expire in further postings.
const FIND: Statement = Statement {
    sql: "-- read.spend_get
SELECT o.key, c.account_id, c.unit, c.step, c.recorded_at, c.body::text AS body, -p.amount AS amount,
       EXISTS (SELECT FROM reversal r WHERE r.tenant_id = $1 AND r.spend_id = $2) AS is_reversed,
       ARRAY(SELECT m.grant_id FROM grant_move m WHERE m.tenant_id = $1 AND m.account_id = p.account_id
             AND m.unit = p.unit AND m.seq = p.seq AND m.kind = 1 ORDER BY m.grant_id) AS grants,
       ARRAY(SELECT m.amount FROM grant_move m WHERE m.tenant_id = $1 AND m.account_id = p.account_id
             AND m.unit = p.unit AND m.seq = p.seq AND m.kind = 1 ORDER BY m.grant_id) AS drawn
FROM command c
JOIN owner o ON o.tenant_id = $1 AND o.account_id = c.account_id
JOIN posting p ON p.tenant_id = $1 AND p.account_id = c.account_id AND p.unit = c.unit
              AND p.seq > c.version_before AND p.seq <= c.version_after AND p.contra = 4
WHERE c.tenant_id = $1 AND c.command_id = $2 AND c.kind IN (1, 3)",
    params: &[Type::INT4, Type::UUID],
    columns: &[Type::TEXT, Type::UUID, Type::TEXT, Type::INT8, Type::TIMESTAMPTZ, Type::TEXT, Type::INT8, Type::BOOL, Type::INT8_ARRAY, Type::INT8_ARRAY],
};

/// A spend, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    /// Whose.
    pub user: String,
    /// His account.
    pub account: AccountId,
    /// Unit.
    pub unit: String,
    /// Credits.
    pub amount: i64,
    /// What the app said of it, or of the hold that was captured.
    pub note: Note,
    /// The hold that was captured, if it came of one.
    pub hold: Option<HoldId>,
    /// Whether it was given back.
    pub is_reversed: bool,
    /// Credits drawn from each grant, by grant id.
    pub drawn: Vec<(i64, i64)>,
    /// Which of the account's commands it was.
    pub step: i64,
    /// When.
    pub recorded_at: Timestamp,
}

/// What a capture's body says of the hold.
#[derive(Deserialize)]
struct Captured {
    hold: Option<String>,
}

/// A spend by its id.
pub async fn spend_get(
    connection: &impl Connection,
    tenant_id: i32,
    spend_id: SpendId,
) -> Result<Option<Spend>, Error> {
    let Some(row) = query_opt(connection, &FIND, &[&tenant_id, &spend_id.0]).await? else {
        return Ok(None);
    };
    let body: &str = row.get("body");
    let other = |_| Error::inconsistent("command", "body", spend_id);
    let captured: Captured = serde_json::from_str(body).map_err(other)?;
    let (grants, drawn): (Vec<i64>, Vec<i64>) = (row.get("grants"), row.get("drawn"));
    Ok(Some(Spend {
        user: row.get("key"),
        account: AccountId(row.get("account_id")),
        unit: row.get("unit"),
        amount: row.get("amount"),
        note: serde_json::from_str(body).map_err(other)?,
        hold: captured.hold.and_then(|hold| hold.parse().ok()),
        is_reversed: row.get("is_reversed"),
        drawn: grants.into_iter().zip(drawn).collect(),
        step: row.get("step"),
        recorded_at: row.get("recorded_at"),
    }))
}
