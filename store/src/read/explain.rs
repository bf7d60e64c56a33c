//! What only a story needs: our own facts with their words, and the payments of a user.

use jiff::Timestamp;
use ledger::ids::{Owner, PostingId};
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::error::Error;
use crate::log::Origin;
use crate::statement::{Connection, Statement, query, query_opt};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&FACTS, &SAID, &ACTS, &PAYMENTS, &POSTING];

/// Most payments of a user whose story is told at once, the newest ones.
const PAYMENTS_MAX: i64 = 50;

const FACTS: Statement = Statement {
    sql: "-- read.explain_fact_list
SELECT e.pos, e.type, e.received_at, e.body
FROM event e WHERE e.tenant_id = $1 AND e.pos = ANY($2) AND e.origin <> 1 ORDER BY e.pos",
    params: &[Type::INT4, Type::INT8_ARRAY],
    columns: &[Type::INT8, Type::TEXT, Type::TIMESTAMPTZ, Type::BYTEA],
};

/// Largest body of Stripe's that is read for a story. Those of refunds and disputes have some kilobytes.
const SAID_MAX_BYTES: i32 = 1 << 16;

const SAID: Statement = Statement {
    sql: "-- read.explain_said_list
SELECT e.pos, e.body
FROM event e
WHERE e.tenant_id = $1 AND e.pos = ANY($2) AND e.origin = 1 AND octet_length(e.body) <= $3
  AND (e.type LIKE 'refund.%' OR e.type LIKE 'charge.refund%' OR e.type LIKE 'charge.dispute.%' OR e.type = 'tally.pulled')
ORDER BY e.pos",
    params: &[Type::INT4, Type::INT8_ARRAY, Type::INT4],
    columns: &[Type::INT8, Type::BYTEA],
};

const ACTS: Statement = Statement {
    sql: "-- read.explain_act_list
SELECT k.pos FROM event_key k
WHERE k.tenant_id = $1 AND k.origin = $2 AND k.account = '' AND k.source_id = ANY($3) ORDER BY k.pos",
    params: &[Type::INT4, Type::INT2, Type::TEXT_ARRAY],
    columns: &[Type::INT8],
};

const PAYMENTS: Statement = Statement {
    sql: "-- read.explain_payment_list
SELECT p.root_key FROM payment p
WHERE p.tenant_id = $1 AND p.merged_into IS NULL AND (p.owner_account = $2 OR p.claimant = $3)
ORDER BY p.first_pos DESC LIMIT $4",
    params: &[Type::INT4, Type::UUID, Type::TEXT, Type::INT8],
    columns: &[Type::TEXT],
};

const POSTING: Statement = Statement {
    sql: "-- read.explain_posting_payment
SELECT p.root_key FROM posting p
WHERE p.tenant_id = $1 AND p.account_id = $2 AND p.unit = $3 AND p.seq = $4 AND p.root_key IS NOT NULL",
    params: &[Type::INT4, Type::UUID, Type::TEXT, Type::INT8],
    columns: &[Type::TEXT],
};

/// A fact of our own: what an operator, the app, the catalogue or the clock said.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Position of its event.
    pub pos: i64,
    /// Type of its event.
    pub event_type: String,
    /// When.
    pub received_at: Timestamp,
    /// All that was said; null once it is erased.
    pub body: Value,
}

/// The facts of our own among these positions.
pub async fn explain_fact_list(
    connection: &impl Connection,
    tenant_id: i32,
    positions: &[i64],
) -> Result<Vec<Fact>, Error> {
    query(connection, &FACTS, &[&tenant_id, &positions]).await?.iter().map(read).collect()
}

/// The objects that Stripe told of at these positions, as far as they are about money that goes back, or were pulled.
pub async fn explain_said_list(
    connection: &impl Connection,
    tenant_id: i32,
    positions: &[i64],
) -> Result<Vec<(i64, Value)>, Error> {
    let rows = query(connection, &SAID, &[&tenant_id, &positions, &SAID_MAX_BYTES]).await?;
    let said = rows.iter().filter_map(|row| {
        // What is no JSON says nothing that could be told.
        let mut body: Value = serde_json::from_slice(row.get("body")).ok()?;
        let object = body.pointer_mut("/data/object").map(Value::take);
        Some((row.get("pos"), object.unwrap_or(body)))
    });
    Ok(said.collect())
}

/// Where the facts stand that `origin` gave these ids.
pub async fn explain_act_list(
    connection: &impl Connection,
    tenant_id: i32,
    origin: Origin,
    source_ids: &[String],
) -> Result<Vec<i64>, Error> {
    let rows = query(connection, &ACTS, &[&tenant_id, &origin.number(), &source_ids]).await?;
    Ok(rows.iter().map(|row| row.get("pos")).collect())
}

/// Names of the payments that are a user's, or that name this user alone, the newest first.
pub async fn explain_payment_list(
    connection: &impl Connection,
    tenant_id: i32,
    user: &str,
) -> Result<Vec<String>, Error> {
    let account = Owner::User(user.to_owned()).account_id().0;
    let rows = query(connection, &PAYMENTS, &[&tenant_id, &account, &user, &PAYMENTS_MAX]).await?;
    Ok(rows.iter().map(|row| row.get("root_key")).collect())
}

/// The payment that a posting belongs to, if there is such a posting and it belongs to one.
pub async fn explain_posting_payment(
    connection: &impl Connection,
    tenant_id: i32,
    id: &PostingId,
) -> Result<Option<String>, Error> {
    let row =
        query_opt(connection, &POSTING, &[&tenant_id, &id.account.0, &id.unit, &id.seq]).await?;
    Ok(row.map(|row| row.get("root_key")))
}

fn read(row: &Row) -> Result<Fact, Error> {
    let pos: i64 = row.get("pos");
    let body: Option<&[u8]> = row.get("body");
    Ok(Fact {
        pos,
        event_type: row.get("type"),
        received_at: row.get("received_at"),
        body: body
            .map_or(Ok(Value::Null), serde_json::from_slice)
            .map_err(|_| Error::inconsistent("event", "body", format!("position {pos}")))?,
    })
}
