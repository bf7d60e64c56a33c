//! Reading single events back.

use bytes::Bytes;
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::{Origin, Source};
use crate::error::Error;
use crate::statement::{Connection, Statement, query_opt};

/// An event as it stands in the log.
#[derive(Debug, Clone)]
pub struct Event {
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
    /// The speaker's type; empty if there is none.
    pub event_type: String,
    /// Hint: the payment intent, invoice, session, charge or subscription that it names.
    pub root_key: Option<String>,
    /// Lane of projection.
    pub slot: i16,
    /// What the body claims.
    pub livemode: Option<bool>,
    /// Stripe's API version, as the body claims.
    pub api_version: Option<String>,
    /// Name of the webhook endpoint, or of the API operation.
    pub endpoint: Option<String>,
    /// User-Agent of the delivery.
    pub user_agent: Option<String>,
    /// Address of the other side.
    pub peer: Option<String>,
    /// When it happened, as the speaker says.
    pub occurred_at: Timestamp,
    /// When it was received.
    pub received_at: Timestamp,
    /// SHA-256 of the bytes; stays when they are erased.
    pub body_sha256: [u8; 32],
    /// The exact bytes; none after erasure.
    pub body: Option<Bytes>,
    /// The Stripe-Signature header.
    pub signature: Option<String>,
    /// W3C trace context of the delivery.
    pub traceparent: Option<String>,
}

/// Columns of an event, in the order in which [`Event::from_row`] reads them.
macro_rules! event_columns {
    () => {
        "e.pos, e.origin, e.source, e.account, e.source_id, e.type, e.root_key, e.slot, e.livemode, e.api_version, \
         e.endpoint, e.user_agent, e.peer, e.occurred_at, e.received_at, e.body_sha256, e.body, e.signature, \
         e.traceparent"
    };
}

/// Types of [`event_columns`].
const EVENT_TYPES: &[Type] = &[
    Type::INT8,
    Type::INT2,
    Type::INT2,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::INT2,
    Type::BOOL,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::BYTEA,
    Type::BYTEA,
    Type::TEXT,
    Type::TEXT,
];

pub(super) const GET: Statement = Statement {
    sql: concat!(
        "-- log.event_get\nSELECT ",
        event_columns!(),
        " FROM event e WHERE e.tenant_id = $1 AND e.pos = $2"
    ),
    params: &[Type::INT4, Type::INT8],
    columns: EVENT_TYPES,
};

/// The event at `pos`, if the log reaches that far.
pub async fn event_get(
    connection: &impl Connection,
    tenant_id: i32,
    pos: i64,
) -> Result<Option<Event>, Error> {
    let row = query_opt(connection, &GET, &[&tenant_id, &pos]).await?;
    row.as_ref().map(Event::from_row).transpose()
}

impl Event {
    /// Reads a row of [`event_columns`].
    pub(crate) fn from_row(row: &Row) -> Result<Self, Error> {
        let pos: i64 = row.get(0);
        let wrong = |column| Error::inconsistent("event", column, format!("position {pos}"));
        let hash: &[u8] = row.get(15);
        let body: Option<Vec<u8>> = row.get(16);
        Ok(Self {
            pos,
            origin: Origin::from_number(row.get(1)).ok_or_else(|| wrong("origin"))?,
            source: Source::from_number(row.get(2)).ok_or_else(|| wrong("source"))?,
            account: row.get(3),
            source_id: row.get(4),
            event_type: row.get(5),
            root_key: row.get(6),
            slot: row.get(7),
            livemode: row.get(8),
            api_version: row.get(9),
            endpoint: row.get(10),
            user_agent: row.get(11),
            peer: row.get(12),
            occurred_at: row.get(13),
            received_at: row.get(14),
            body_sha256: hash.try_into().map_err(|_| wrong("body_sha256"))?,
            body: body.map(Bytes::from),
            signature: row.get(17),
            traceparent: row.get(18),
        })
    }
}
