//! The log as staff look at it: envelopes with their latest decision. Bodies are read one at a time (`log::event_get`).

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::decisions::Verdict;
use super::page::{Found, Page};
use crate::error::Error;
use crate::log::{Origin, Source};
use crate::statement::{Connection, Statement, query, query_opt};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&OLDER, &NEWER, &AT, &POS];

/// Envelopes with their latest decision: what [`read`] takes.
macro_rules! envelopes {
    () => {
        "SELECT e.pos, e.origin, e.source, e.account, e.source_id, e.type, e.root_key, e.livemode, e.api_version,
       e.endpoint, e.occurred_at, e.received_at, e.body_sha256, octet_length(e.body) AS body_bytes,
       e.signature IS NOT NULL AS is_signed, d.outcome, d.reason
FROM event e LEFT JOIN LATERAL (
    SELECT l.outcome, l.reason FROM decision l
    WHERE l.tenant_id = e.tenant_id AND l.pos = e.pos ORDER BY l.rev DESC LIMIT 1) d ON true
"
    };
}

/// Types of [`envelopes`].
const ENVELOPE_TYPES: &[Type] = &[
    Type::INT8,
    Type::INT2,
    Type::INT2,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::BOOL,
    Type::TEXT,
    Type::TEXT,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::BYTEA,
    Type::INT4,
    Type::BOOL,
    Type::INT2,
    Type::INT2,
];

/// The filter of a list; 0 as outcome means that nothing is decided yet.
macro_rules! matching {
    () => {
        "
  AND ($3::text IS NULL OR e.type = $3)
  AND ($4::smallint IS NULL OR coalesce(d.outcome, 0) = $4) AND ($5::smallint IS NULL OR d.reason = $5)
  AND ($6::timestamptz IS NULL OR e.occurred_at >= $6) AND ($7::timestamptz IS NULL OR e.occurred_at < $7)"
    };
}

const LIST_PARAMS: &[Type] = &[
    Type::INT4,
    Type::INT8,
    Type::TEXT,
    Type::INT2,
    Type::INT2,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::INT8,
];

const OLDER: Statement = Statement {
    sql: concat!(
        "-- read.event_list_older\n",
        envelopes!(),
        "WHERE e.tenant_id = $1 AND e.pos < $2",
        matching!(),
        "\nORDER BY e.pos DESC LIMIT $8"
    ),
    params: LIST_PARAMS,
    columns: ENVELOPE_TYPES,
};

const NEWER: Statement = Statement {
    sql: concat!(
        "-- read.event_list_newer\n",
        envelopes!(),
        "WHERE e.tenant_id = $1 AND e.pos > $2",
        matching!(),
        "\nORDER BY e.pos LIMIT $8"
    ),
    params: LIST_PARAMS,
    columns: ENVELOPE_TYPES,
};

const AT: Statement = Statement {
    sql: concat!(
        "-- read.event_list_at\n",
        envelopes!(),
        "WHERE e.tenant_id = $1 AND e.pos = ANY($2)\nORDER BY e.pos"
    ),
    params: &[Type::INT4, Type::INT8_ARRAY],
    columns: ENVELOPE_TYPES,
};

// The key leads with origin and account, which a person who holds an id does not know. There are few of both, so each is
// looked up in turn: the recursion walks from one (origin, account) to the next through the key itself.
const POS: Statement = Statement {
    sql: "-- read.event_pos
WITH RECURSIVE speaker (origin, account) AS (
    (SELECT k.origin, k.account FROM event_key k WHERE k.tenant_id = $1 ORDER BY k.origin, k.account LIMIT 1)
    UNION ALL
    SELECT n.origin, n.account
    FROM speaker s CROSS JOIN LATERAL (
        SELECT k.origin, k.account FROM event_key k
        WHERE k.tenant_id = $1 AND (k.origin, k.account) > (s.origin, s.account)
        ORDER BY k.origin, k.account LIMIT 1) n
)
SELECT k.pos
FROM speaker s JOIN event_key k ON k.tenant_id = $1 AND k.origin = s.origin AND k.account = s.account AND k.source_id = $2
ORDER BY k.pos LIMIT 1",
    params: &[Type::INT4, Type::TEXT],
    columns: &[Type::INT8],
};

/// An event without its bytes, and what was decided of it last.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// Position.
    pub pos: i64,
    /// Who speaks.
    pub origin: Origin,
    /// The way it came in.
    pub source: Source,
    /// Stripe Connect account; empty for the own account.
    pub account: String,
    /// The speaker's own id of it.
    pub source_id: String,
    /// The speaker's type.
    pub event_type: String,
    /// Payment intent, invoice, session, charge or subscription that it names.
    pub root_key: Option<String>,
    /// Live or test, as the body claims.
    pub livemode: Option<bool>,
    /// Stripe's API version, as the body claims.
    pub api_version: Option<String>,
    /// Endpoint or operation that it came in by.
    pub endpoint: Option<String>,
    /// When it happened, as the speaker says.
    pub occurred_at: Timestamp,
    /// When it was received.
    pub received_at: Timestamp,
    /// SHA-256 of the bytes.
    pub body_sha256: Vec<u8>,
    /// Number of bytes; `None` after erasure.
    pub body_bytes: Option<i32>,
    /// Whether Stripe's signature is kept with it.
    pub is_signed: bool,
    /// The latest decision; `None` while nothing is decided.
    pub verdict: Option<Verdict>,
}

/// Which events a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of this type.
    pub event_type: Option<String>,
    /// Those whose latest decision has this outcome; 0: those that are not decided yet.
    pub outcome: Option<i16>,
    /// Those whose latest decision has this reason.
    pub reason: Option<i16>,
    /// Those that happened at this time or later.
    pub from: Option<Timestamp>,
    /// Those that happened before this time.
    pub until: Option<Timestamp>,
}

/// One page of the log; the key is the position.
pub async fn event_list(
    connection: &impl Connection,
    tenant_id: i32,
    filter: &Filter,
    page: &Page<i64>,
) -> Result<Found<Envelope>, Error> {
    let statement = if page.is_upward() { &NEWER } else { &OLDER };
    let rows = query(
        connection,
        statement,
        &[
            &tenant_id,
            &page.key(),
            &filter.event_type,
            &filter.outcome,
            &filter.reason,
            &filter.from,
            &filter.until,
            &page.rows_to_ask(),
        ],
    )
    .await?;
    let envelopes: Result<Vec<Envelope>, Error> = rows.iter().map(read).collect();
    Ok(page.cut(envelopes?))
}

/// The events at these positions, in order.
pub async fn event_list_at(
    connection: &impl Connection,
    tenant_id: i32,
    positions: &[i64],
) -> Result<Vec<Envelope>, Error> {
    query(connection, &AT, &[&tenant_id, &positions]).await?.iter().map(read).collect()
}

/// Where the event stands that its speaker calls `source_id`, whoever that is.
pub async fn event_pos(
    connection: &impl Connection,
    tenant_id: i32,
    source_id: &str,
) -> Result<Option<i64>, Error> {
    let row = query_opt(connection, &POS, &[&tenant_id, &source_id]).await?;
    Ok(row.map(|row| row.get("pos")))
}

fn read(row: &Row) -> Result<Envelope, Error> {
    let pos: i64 = row.get("pos");
    let wrong = |column| Error::inconsistent("event", column, format!("position {pos}"));
    let outcome: Option<i16> = row.get("outcome");
    let decided = outcome.zip(row.get("reason"));
    Ok(Envelope {
        pos,
        origin: Origin::from_number(row.get("origin")).ok_or_else(|| wrong("origin"))?,
        source: Source::from_number(row.get("source")).ok_or_else(|| wrong("source"))?,
        account: row.get("account"),
        source_id: row.get("source_id"),
        event_type: row.get("type"),
        root_key: row.get("root_key"),
        livemode: row.get("livemode"),
        api_version: row.get("api_version"),
        endpoint: row.get("endpoint"),
        occurred_at: row.get("occurred_at"),
        received_at: row.get("received_at"),
        body_sha256: row.get("body_sha256"),
        body_bytes: row.get("body_bytes"),
        is_signed: row.get("is_signed"),
        verdict: decided
            .map(|(outcome, reason)| Verdict::read(outcome, reason, pos))
            .transpose()?,
    })
}
