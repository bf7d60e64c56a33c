//! A bounded trace of deliveries that were refused at the door.
//!
//! writers: ingest (`rejected_delivery`)

use jiff::Timestamp;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::connect::Store;
use crate::error::Error;
use crate::statement::{Params, Statement, execute, text};
use crate::tx::Tx;

/// How many are kept of each tenant; the oldest go first. Anyone can cause one, so there must be a limit.
pub const KEPT: i64 = 10_000;

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&INSERT, &TRIM];

/// Why a delivery was refused. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No signature header.
    NoHeader,
    /// A signature header that cannot be read.
    MalformedHeader,
    /// A time in it that is none.
    BadTime,
    /// Signed too long ago, or in the future.
    OutsideTolerance,
    /// No signature of ours among those in it.
    NoMatch,
    /// Signed for the other mode.
    WrongMode,
    /// Larger than a delivery may be.
    TooLarge,
    /// With a Content-Encoding.
    EncodedBody,
    /// More signatures than are looked at.
    TooManySignatures,
}

impl Reason {
    /// The number that is stored.
    pub fn number(self) -> i16 {
        match self {
            Self::NoHeader => 1,
            Self::MalformedHeader => 2,
            Self::BadTime => 3,
            Self::OutsideTolerance => 4,
            Self::NoMatch => 5,
            Self::WrongMode => 6,
            Self::TooLarge => 7,
            Self::EncodedBody => 8,
            Self::TooManySignatures => 9,
        }
    }
}

/// A delivery that was refused. Nothing of what it said is kept.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// Time-ordered id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Reason,
    /// Endpoint that was called.
    pub endpoint: Option<String>,
    /// User-Agent, as sent.
    pub user_agent: Option<String>,
    /// Address of the other side.
    pub peer: Option<String>,
    /// SHA-256 of the body, where it was read.
    pub body_sha256: Option<[u8; 32]>,
}

const INSERT: Statement = Statement {
    sql: "-- rejected.insert
INSERT INTO rejected_delivery (tenant_id, id, at, reason, endpoint, user_agent, peer, body_sha256)
SELECT h.tenant_id, i.id, i.at, i.reason, i.endpoint, i.user_agent, i.peer, i.body_sha256
FROM log_head h, unnest($2, $3, $4, $5, $6, $7, $8) i (id, at, reason, endpoint, user_agent, peer, body_sha256)
WHERE h.tenant_id = $1",
    params: &[
        Type::INT4,
        Type::UUID_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::INT2_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::BYTEA_ARRAY,
    ],
    columns: &[],
};

const TRIM: Statement = Statement {
    sql: "-- rejected.trim
DELETE FROM rejected_delivery
WHERE tenant_id = $1 AND (at, id) <= (SELECT at, id FROM rejected_delivery WHERE tenant_id = $1
                                      ORDER BY at DESC, id DESC OFFSET $2 LIMIT 1)",
    params: &[Type::INT4, Type::INT8],
    columns: &[],
};

/// Keeps a trace of `rejected`, and of all no more than the newest [`KEPT`].
pub async fn insert_batch(
    store: &Store,
    tenant_id: i32,
    rejected: &[Rejected],
) -> Result<(), Error> {
    let optional = |field: fn(&Rejected) -> &Option<String>| -> Vec<_> {
        rejected.iter().map(|one| field(one).as_deref().map(text)).collect()
    };
    let ids: Vec<_> = rejected.iter().map(|one| one.id).collect();
    let at: Vec<_> = rejected.iter().map(|one| one.at).collect();
    let reasons: Vec<_> = rejected.iter().map(|one| one.reason.number()).collect();
    let endpoints = optional(|one| &one.endpoint);
    let user_agents = optional(|one| &one.user_agent);
    let peers = optional(|one| &one.peer);
    let hashes: Vec<_> =
        rejected.iter().map(|one| one.body_sha256.as_ref().map(<[u8; 32]>::as_slice)).collect();

    let columns: Params<'_> =
        &[&tenant_id, &ids, &at, &reasons, &endpoints, &user_agents, &peers, &hashes];
    let insert = |tx: Tx| async move {
        execute(&tx, &INSERT, columns).await?;
        execute(&tx, &TRIM, &[&tenant_id, &KEPT]).await?;
        Ok((tx, ()))
    };
    store.run_tx("rejected_insert", insert).await
}
