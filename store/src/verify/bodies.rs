//! The stored bytes: they are still what their SHA-256 says, and what Stripe signed.
//!
//! A signature outlives its secret: bytes that were signed before the secrets of today came into use cannot be judged, and
//! are counted as such. But once an endpoint has taken a delivery that fits, all later ones of it have to fit: one that
//! does not was changed.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::{Check, Extent, NEWEST_BODIES, Vouch, Vouched};
use crate::error::Error;
use crate::statement::{Connection, Statement, query, query_one};

/// Every statement of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&LAST, &PAGE];

/// Bodies that are read at a time: 64 MiB if all are as long as a delivery may be (1 MiB). What was pulled may be longer, up
/// to 4 MiB, but is rare.
const PAGE_ROWS: i64 = 64;

const LAST: Statement = Statement {
    sql: "-- verify.last_position
SELECT coalesce(max(pos), 0) FROM event WHERE tenant_id = $1",
    params: &[Type::INT4],
    columns: &[Type::INT8],
};

// Origin 1: stripe. Source 1: webhook. Origin 2: operator, who erases.
const PAGE: Statement = Statement {
    sql: "-- verify.bodies
SELECT e.pos, e.origin = 1 AND e.source = 1 AS is_delivery, e.endpoint, e.account <> '' AS is_connect, e.body_sha256, e.body,
       e.signature, EXISTS (SELECT FROM event_key k WHERE k.tenant_id = $1 AND k.origin = 2 AND k.account = ''
                            AND k.source_id = 'erase:' || e.pos) AS is_erased
FROM event e WHERE e.tenant_id = $1 AND e.pos > $2 ORDER BY e.pos LIMIT $3",
    params: &[Type::INT4, Type::INT8, Type::INT8],
    columns: &[
        Type::INT8,
        Type::BOOL,
        Type::TEXT,
        Type::BOOL,
        Type::BYTEA,
        Type::BYTEA,
        Type::TEXT,
        Type::BOOL,
    ],
};

/// What is found of the bodies, and of the signatures over them, on one way through the log.
struct Reader<'a> {
    bodies: Check,
    signatures: Check,
    vouch: Vouch<'a>,
    /// Endpoints that have taken a delivery which fits; own and Connect deliveries have secrets of their own.
    fitting: BTreeSet<(Option<String>, bool)>,
}

/// Reads the bytes of the newest events, or of all.
pub(super) async fn check(
    connection: &impl Connection,
    tenant_id: i32,
    extent: Extent,
    vouch: Vouch<'_>,
) -> Result<[Check; 2], Error> {
    let last: i64 = query_one(connection, &LAST, &[&tenant_id]).await?.get(0);
    let mut after = match extent {
        Extent::Newest => last.saturating_sub(NEWEST_BODIES).max(0),
        Extent::Full => 0,
    };
    let mut reader = Reader {
        bodies: Check { name: "bodies", ..Check::default() },
        signatures: Check { name: "signatures", ..Check::default() },
        vouch,
        fitting: BTreeSet::new(),
    };
    loop {
        let rows = query(connection, &PAGE, &[&tenant_id, &after, &PAGE_ROWS]).await?;
        let Some(newest) = rows.last() else { return Ok([reader.bodies, reader.signatures]) };
        after = newest.get("pos");
        for row in &rows {
            reader.read(row);
        }
    }
}

impl Reader<'_> {
    fn read(&mut self, row: &Row) {
        let pos: i64 = row.get("pos");
        let told: &[u8] = row.get("body_sha256");
        let body: Option<&[u8]> = row.get("body");
        self.bodies.saw(1);
        match body {
            Some(body) if Sha256::digest(body).as_slice() != told => {
                self.bodies.differs(format!("the bytes at position {pos} are not what was stored"));
            }
            None if !row.get::<_, bool>("is_erased") => {
                self.bodies.differs(format!(
                    "the bytes at position {pos} are gone, and nobody erased them"
                ));
            }
            Some(_) | None => {}
        }
        if row.get("is_delivery") {
            self.judge(pos, body, row);
        }
    }

    fn judge(&mut self, pos: i64, body: Option<&[u8]>, row: &Row) {
        self.signatures.saw(1);
        let Some(body) = body else {
            self.signatures.not_checkable = self.signatures.not_checkable.saturating_add(1);
            return;
        };
        let Some(signature) = row.get::<_, Option<&str>>("signature") else {
            self.signatures.differs(format!("the delivery at position {pos} has no signature"));
            return;
        };
        let door = (row.get("endpoint"), row.get("is_connect"));
        match (self.vouch)(signature, body) {
            Vouched::Fits => {
                self.fitting.insert(door);
            }
            Vouched::NoSecretFits if self.fitting.contains(&door) => {
                self.signatures.differs(format!(
                    "the signature at position {pos} does not fit its bytes, though earlier ones of the same endpoint fit \
                     theirs; if its secret was taken out of the configuration since, put it back to check this one"
                ));
            }
            Vouched::NoSecretFits => {
                self.signatures.not_checkable = self.signatures.not_checkable.saturating_add(1);
            }
            Vouched::Unreadable => {
                self.signatures.differs(format!("the signature at position {pos} is none"));
            }
        }
    }
}
