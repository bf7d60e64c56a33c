//! What the projector concluded, with the revisions.

use jiff::Timestamp;
use ledger::decision::{Outcome, Reason};
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::error::Error;
use crate::statement::{Connection, Statement, query, query_one, query_opt};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&FIRST, &ARE_DECIDED, &OF_EVENT, &OF_PAYMENT];

/// Most decisions of one payment that are read: its story is told from its beginning.
const OF_PAYMENT_MAX: i64 = 500;

const FIRST: Statement = Statement {
    sql: "-- read.decision_first
SELECT d.outcome, d.reason FROM decision d WHERE d.tenant_id = $1 AND d.pos = $2 AND d.rev = 0",
    params: &[Type::INT4, Type::INT8],
    columns: &[Type::INT2, Type::INT2],
};

const ARE_DECIDED: Statement = Statement {
    sql:
        "-- read.decision_all_there
SELECT count(*) = 0 FROM unnest($2::bigint[]) AS k (pos)
WHERE (SELECT d.rev FROM decision d WHERE d.tenant_id = $1 AND d.pos = k.pos AND d.rev = 0) IS NULL",
    params: &[Type::INT4, Type::INT8_ARRAY],
    columns: &[Type::BOOL],
};

const OF_EVENT: Statement = Statement {
    sql: "-- read.decision_list_of_event
SELECT d.pos, d.rev, d.outcome, d.reason, d.root_key, d.account_id, d.rank, d.rules_version, d.catalogue_version,
       d.evidence, d.cause_pos, d.decided_at
FROM decision d WHERE d.tenant_id = $1 AND d.pos = $2 ORDER BY d.rev",
    params: &[Type::INT4, Type::INT8],
    columns: &[Type::INT8, Type::INT4, Type::INT2, Type::INT2, Type::TEXT, Type::UUID, Type::INT2, Type::INT4, Type::INT8, Type::JSONB, Type::INT8, Type::TIMESTAMPTZ],
};

const OF_PAYMENT: Statement = Statement {
    sql: "-- read.decision_list_of_payment
SELECT d.pos, d.rev, d.outcome, d.reason, d.root_key, d.account_id, d.rank, d.rules_version, d.catalogue_version,
       d.evidence, d.cause_pos, d.decided_at
FROM decision d WHERE d.tenant_id = $1 AND d.root_key = ANY($2) ORDER BY d.pos, d.rev LIMIT $3",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::INT8],
    columns: &[Type::INT8, Type::INT4, Type::INT2, Type::INT2, Type::TEXT, Type::UUID, Type::INT2, Type::INT4, Type::INT8, Type::JSONB, Type::INT8, Type::TIMESTAMPTZ],
};

/// Outcome and reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What became of the event.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
}

/// One decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Position of the event.
    pub pos: i64,
    /// 0 for the first decision; each later one counts up.
    pub rev: i32,
    /// Outcome and reason.
    pub verdict: Verdict,
    /// Payment that it concerns, as it was called then.
    pub root_key: Option<String>,
    /// Account that owned the payment after it.
    pub account_id: Option<Uuid>,
    /// Rank of the evidence that settled whose it is.
    pub rank: Option<i16>,
    /// Version of the rules that decided.
    pub rules_version: i32,
    /// Newest catalogue position that was in force.
    pub catalogue_version: Option<i64>,
    /// All evidence that was weighed.
    pub evidence: Option<Value>,
    /// For a revision: position of the event that released it.
    pub cause_pos: Option<i64>,
    /// When it was decided.
    pub decided_at: Timestamp,
}

/// What was first decided of the event at `pos`; `None` while nothing is.
pub async fn decision_first(
    connection: &impl Connection,
    tenant_id: i32,
    pos: i64,
) -> Result<Option<Verdict>, Error> {
    let row = query_opt(connection, &FIRST, &[&tenant_id, &pos]).await?;
    row.map(|row| Verdict::read(row.get("outcome"), row.get("reason"), pos)).transpose()
}

/// Whether all events at these positions are decided.
pub async fn are_decided(
    connection: &impl Connection,
    tenant_id: i32,
    positions: &[i64],
) -> Result<bool, Error> {
    Ok(query_one(connection, &ARE_DECIDED, &[&tenant_id, &positions]).await?.get(0))
}

/// All decisions of one event, the first one first.
pub async fn decision_list_of_event(
    connection: &impl Connection,
    tenant_id: i32,
    pos: i64,
) -> Result<Vec<Decision>, Error> {
    query(connection, &OF_EVENT, &[&tenant_id, &pos]).await?.iter().map(read).collect()
}

/// All decisions that concern a payment, whatever it was called then, in the order of positions and revisions.
pub async fn decision_list_of_payment(
    connection: &impl Connection,
    tenant_id: i32,
    roots: &[String],
) -> Result<Vec<Decision>, Error> {
    let rows = query(connection, &OF_PAYMENT, &[&tenant_id, &roots, &OF_PAYMENT_MAX]).await?;
    rows.iter().map(read).collect()
}

impl Verdict {
    /// The two numbers of a decision, understood.
    pub(super) fn read(outcome: i16, reason: i16, pos: i64) -> Result<Self, Error> {
        let wrong = |column| Error::inconsistent("decision", column, format!("position {pos}"));
        Ok(Self {
            outcome: Outcome::from_code(outcome).ok_or_else(|| wrong("outcome"))?,
            reason: Reason::from_code(reason).ok_or_else(|| wrong("reason"))?,
        })
    }
}

fn read(row: &Row) -> Result<Decision, Error> {
    let pos: i64 = row.get("pos");
    Ok(Decision {
        pos,
        rev: row.get("rev"),
        verdict: Verdict::read(row.get("outcome"), row.get("reason"), pos)?,
        root_key: row.get("root_key"),
        account_id: row.get("account_id"),
        rank: row.get("rank"),
        rules_version: row.get("rules_version"),
        catalogue_version: row.get("catalogue_version"),
        evidence: row.get("evidence"),
        cause_pos: row.get("cause_pos"),
        decided_at: row.get("decided_at"),
    })
}
