//! What stands there, counted: events and what became of them, cases, and the books from both sides (DESIGN, section 9).
//!
//! Each statement is one snapshot, so the sums of one answer fit together. They read whole tables: for people and for
//! proofs, not for every request.

use jiff::Timestamp;
use ledger::decision::Reason;
use tokio_postgres::types::Type;

use crate::error::Error;
use crate::statement::{Connection, Statement, query, query_one};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&COUNTS, &BOOKS, &OPEN_CASES, &SERVER];

const COUNTS: Statement = Statement {
    sql: "-- status.counts
SELECT e.received, e.received - d.decided, d.applied, d.ignored, d.deferred, d.in_review, c.opened, c.closed
FROM (SELECT count(*) AS received FROM event WHERE tenant_id = $1) e,
     (SELECT count(*) AS decided,
             count(*) FILTER (WHERE l.outcome = 1) AS applied, count(*) FILTER (WHERE l.outcome = 2) AS ignored,
             count(*) FILTER (WHERE l.outcome = 3) AS deferred, count(*) FILTER (WHERE l.outcome = 4) AS in_review
      FROM (SELECT DISTINCT ON (pos) outcome FROM decision WHERE tenant_id = $1 ORDER BY pos, rev DESC) l) d,
     (SELECT count(*) AS opened, count(*) FILTER (WHERE state = 2) AS closed FROM review_case WHERE tenant_id = $1) c",
    params: &[Type::INT4],
    columns: &[
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT8,
    ],
};

// Contras: 1 sale, 2 refund, 3 dispute, 7 adjustment, 8 unclaimed, 9 write_off. Owners: 1 user, 2 unclaimed payment. What was
// forgiven of a user's (write_off) was taken back all the same: the business bears it. Of adjustments, those that decisions
// made (cause kind 1) are of payments: reassigned, or carried over from another system.
const BOOKS: Statement = Statement {
    sql: "-- status.books
SELECT k.unit, sum(k.bought)::bigint, sum(k.granted)::bigint, sum(k.unclaimed)::bigint, sum(k.written_off)::bigint
FROM (SELECT unit, target AS bought, 0 AS granted, 0 AS unclaimed, 0 AS written_off
      FROM payment_leg WHERE tenant_id = $1
      UNION ALL
      SELECT p.unit, 0, CASE WHEN o.kind = 1 AND (p.contra IN (1, 2, 3, 8) OR p.contra = 7 AND p.cause_kind = 1) THEN p.amount ELSE 0 END,
             CASE WHEN o.kind = 2 THEN p.amount ELSE 0 END, CASE WHEN o.kind = 2 AND p.contra = 9 THEN -p.amount ELSE 0 END
      FROM posting p JOIN owner o ON o.tenant_id = $1 AND o.account_id = p.account_id
      WHERE p.tenant_id = $1) k
GROUP BY k.unit ORDER BY k.unit",
    params: &[Type::INT4],
    columns: &[Type::TEXT, Type::INT8, Type::INT8, Type::INT8, Type::INT8],
};

const OPEN_CASES: Statement = Statement {
    sql: "-- status.open_cases
SELECT reason, count(*), min(opened_at) FROM review_case WHERE tenant_id = $1 AND state = 1 GROUP BY reason ORDER BY reason",
    params: &[Type::INT4],
    columns: &[Type::INT2, Type::INT8, Type::TIMESTAMPTZ],
};

const SERVER: Statement = Statement {
    sql: "-- status.server
SELECT current_setting('server_version'), current_setting('fsync'), current_setting('full_page_writes'),
       current_setting('synchronous_commit'), clock_timestamp()",
    params: &[],
    columns: &[Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::TIMESTAMPTZ],
};

/// What became of a tenant's events, by their latest decisions. `received` is the sum of the five below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events in the log.
    pub received: i64,
    /// Events that are not decided yet.
    pub pending: i64,
    /// Events that are part of the books.
    pub applied: i64,
    /// Events that concern nobody's credits.
    pub ignored: i64,
    /// Events that these rules do not understand yet.
    pub deferred: i64,
    /// Events that a case holds.
    pub in_review: i64,
    /// Cases that were ever opened.
    pub cases_opened: i64,
    /// Cases that are closed.
    pub cases_closed: i64,
}

/// A tenant's books in one unit. The left side is summed from what the payments' facts say is due, the right side from
/// postings; they are equal at every commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitBooks {
    /// Unit.
    pub unit: String,
    /// Credits that paid payments are worth, less what refunds and disputes took back.
    pub bought: i64,
    /// Credits of them that stand, or stood until they were spent, with users.
    pub granted: i64,
    /// Credits of them that wait for their owner.
    pub unclaimed: i64,
    /// Credits of them that an approver gave up.
    pub written_off: i64,
}

/// Open cases of one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenCases {
    /// Why they are open.
    pub reason: Reason,
    /// How many.
    pub count: i64,
    /// When the oldest was opened.
    pub oldest: Timestamp,
}

/// A server, as a person wants to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Version.
    pub version: String,
    /// Settings that must not be `off`, with their values.
    pub durability: [(&'static str, String); 3],
    /// What time it is there.
    pub now: Timestamp,
}

impl UnitBooks {
    /// Whether both sides are equal.
    pub fn adds_up(&self) -> bool {
        let parts = self.granted.checked_add(self.unclaimed);
        parts.and_then(|sum| sum.checked_add(self.written_off)) == Some(self.bought)
    }
}

/// Counts a tenant's events and cases.
pub async fn counts(connection: &impl Connection, tenant_id: i32) -> Result<Counts, Error> {
    let row = query_one(connection, &COUNTS, &[&tenant_id]).await?;
    Ok(Counts {
        received: row.get(0),
        pending: row.get(1),
        applied: row.get(2),
        ignored: row.get(3),
        deferred: row.get(4),
        in_review: row.get(5),
        cases_opened: row.get(6),
        cases_closed: row.get(7),
    })
}

/// A tenant's books, one row for each unit.
pub async fn books(connection: &impl Connection, tenant_id: i32) -> Result<Vec<UnitBooks>, Error> {
    let rows = query(connection, &BOOKS, &[&tenant_id]).await?;
    let books = rows.iter().map(|row| UnitBooks {
        unit: row.get(0),
        bought: row.get(1),
        granted: row.get(2),
        unclaimed: row.get(3),
        written_off: row.get(4),
    });
    Ok(books.collect())
}

/// A tenant's open cases by reason.
pub async fn open_cases(
    connection: &impl Connection,
    tenant_id: i32,
) -> Result<Vec<OpenCases>, Error> {
    let rows = query(connection, &OPEN_CASES, &[&tenant_id]).await?;
    let cases = rows.iter().map(|row| {
        let wrong = || Error::inconsistent("review_case", "reason", format!("tenant {tenant_id}"));
        let reason = Reason::from_code(row.get(0)).ok_or_else(wrong)?;
        Ok(OpenCases { reason, count: row.get(1), oldest: row.get(2) })
    });
    cases.collect()
}

/// What the server says of itself.
pub async fn server(connection: &impl Connection) -> Result<Server, Error> {
    let row = query_one(connection, &SERVER, &[]).await?;
    Ok(Server {
        version: row.get(0),
        durability: [
            ("fsync", row.get(1)),
            ("full_page_writes", row.get(2)),
            ("synchronous_commit", row.get(3)),
        ],
        now: row.get(4),
    })
}
