//! A hold, as the API shows it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::account::{Hold, HoldState};
use ledger::ids::{AccountId, HoldId};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::commands::Note;
use crate::error::Error;
use crate::statement::{Connection, Statement, query_opt};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&FIND];

// The command that ended it names it in its body; what a capture drew is told by the posting against `spend`.
const FIND: Statement = Statement {
    sql: "-- read.hold_get
SELECT o.key, h.account_id, h.unit, h.amount, h.captured, h.state, h.expires_at, h.reserved::text AS reserved,
       c.body::text AS body, c.step, e.command_id AS end_id, e.step AS end_step, e.recorded_at AS end_at,
       ARRAY(SELECT m.grant_id FROM posting p JOIN grant_move m ON m.tenant_id = $1 AND m.account_id = p.account_id
                                                                AND m.unit = p.unit AND m.seq = p.seq
             WHERE p.tenant_id = $1 AND p.account_id = h.account_id AND p.unit = h.unit AND p.seq > e.version_before
               AND p.seq <= e.version_after AND p.contra = 4 AND m.kind = 1 ORDER BY m.grant_id) AS grants,
       ARRAY(SELECT m.amount FROM posting p JOIN grant_move m ON m.tenant_id = $1 AND m.account_id = p.account_id
                                                              AND m.unit = p.unit AND m.seq = p.seq
             WHERE p.tenant_id = $1 AND p.account_id = h.account_id AND p.unit = h.unit AND p.seq > e.version_before
               AND p.seq <= e.version_after AND p.contra = 4 AND m.kind = 1 ORDER BY m.grant_id) AS drawn
FROM hold h
JOIN command c ON c.tenant_id = $1 AND c.command_id = $2
JOIN owner o ON o.tenant_id = $1 AND o.account_id = h.account_id
LEFT JOIN command e ON e.tenant_id = $1 AND e.body->>'hold' = $3 AND e.kind IN (3, 4, 10)
WHERE h.tenant_id = $1 AND h.hold_id = $2",
    params: &[Type::INT4, Type::UUID, Type::TEXT],
    columns: &[Type::TEXT, Type::UUID, Type::TEXT, Type::INT8, Type::INT8, Type::INT2, Type::TIMESTAMPTZ, Type::TEXT, Type::TEXT, Type::INT8, Type::UUID, Type::INT8, Type::TIMESTAMPTZ, Type::INT8_ARRAY, Type::INT8_ARRAY],
};

/// A hold, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Whose.
    pub user: String,
    /// His account.
    pub account: AccountId,
    /// Unit.
    pub unit: String,
    /// The hold.
    pub hold: Hold,
    /// What the app said of it.
    pub note: Note,
    /// Credits that its capture drew from each grant, by grant id.
    pub drawn: Vec<(i64, i64)>,
    /// Which of the account's commands made it.
    pub step: i64,
    /// How it ended.
    pub end: Option<End>,
}

/// The command that ended a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The command: that of the spend, if it captured.
    pub command_id: Uuid,
    /// Which of the account's commands it was.
    pub step: i64,
    /// When.
    pub recorded_at: Timestamp,
}

/// A hold by its id.
pub async fn hold_get(
    connection: &impl Connection,
    tenant_id: i32,
    hold_id: HoldId,
) -> Result<Option<Shown>, Error> {
    let outward = hold_id.to_string();
    let row = query_opt(connection, &FIND, &[&tenant_id, &hold_id.0, &outward]).await?;
    row.map(|row| read(&row, hold_id)).transpose()
}

fn read(row: &Row, hold_id: HoldId) -> Result<Shown, Error> {
    let state = HoldState::from_code(row.get("state"));
    let reserved: Option<BTreeMap<i64, i64>> = serde_json::from_str(row.get("reserved")).ok();
    let end_id: Option<Uuid> = row.get("end_id");
    let (grants, drawn): (Vec<i64>, Vec<i64>) = (row.get("grants"), row.get("drawn"));
    let note = serde_json::from_str(row.get("body"));
    Ok(Shown {
        user: row.get("key"),
        account: AccountId(row.get("account_id")),
        unit: row.get("unit"),
        hold: Hold {
            hold_id,
            amount: row.get("amount"),
            captured: row.get("captured"),
            state: state.ok_or_else(|| Error::inconsistent("hold", "state", hold_id))?,
            expires_at: row.get("expires_at"),
            reserved: reserved.ok_or_else(|| Error::inconsistent("hold", "reserved", hold_id))?,
        },
        note: note.map_err(|_| Error::inconsistent("command", "body", hold_id))?,
        drawn: grants.into_iter().zip(drawn).collect(),
        step: row.get("step"),
        end: end_id.map(|command_id| End {
            command_id,
            step: row.get("end_step"),
            recorded_at: row.get("end_at"),
        }),
    })
}
