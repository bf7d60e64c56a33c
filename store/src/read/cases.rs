//! Cases: what waits for a fact or for a person.

use jiff::Timestamp;
use ledger::decision::Reason;
use ledger::ids::CaseId;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::page::{Found, From, Page};
use crate::error::Error;
use crate::statement::{Connection, Statement, query, query_opt};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&OLDER, &NEWER, &GET, &OF_PAYMENT, &WAITS, &EVENTS];

/// Most keys that a case is shown to wait for, and most events that hang on it.
const ATTACHED_MAX: i64 = 200;

/// Most cases of one payment that are read.
const OF_PAYMENT_MAX: i64 = 100;

/// Cases with what their payment says: what [`read`] takes.
macro_rules! cases {
    () => {
        "SELECT c.case_id, c.pos, c.root_key, c.reason, c.state, c.resolution, c.version, c.opened_at, c.due, c.closed_at,
       c.closed_pos, c.detail
FROM review_case c
"
    };
}

/// Types of [`cases`].
const CASE_TYPES: &[Type] = &[
    Type::UUID,
    Type::INT8,
    Type::TEXT,
    Type::INT2,
    Type::INT2,
    Type::INT2,
    Type::INT4,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::INT8,
    Type::JSONB,
];

/// The filter of a list. A user is one whom the evidence names; `q` is any id that occurs in the case.
macro_rules! matching {
    () => {
        "
  AND ($4::smallint IS NULL OR c.state = $4) AND ($5::smallint IS NULL OR c.reason = $5)
  AND ($6::text IS NULL
       OR c.detail->'candidates' @> jsonb_build_array(jsonb_build_object('user', $6))
       OR c.detail->'evidence' @> jsonb_build_array(jsonb_build_object('value', $6))
       OR EXISTS (SELECT FROM payment p WHERE p.tenant_id = c.tenant_id AND p.root_key = c.root_key AND p.claimant = $6))
  AND ($7::text IS NULL OR c.root_key = $7 OR c.case_id = $8
       OR EXISTS (SELECT FROM payment_alias a WHERE a.tenant_id = c.tenant_id AND a.alias = $7 AND a.root_key = c.root_key)
       OR EXISTS (SELECT FROM case_wait w WHERE w.tenant_id = c.tenant_id AND w.case_id = c.case_id
                  AND w.key IN ('user:' || $7, 'customer:' || $7, 'price:' || $7, 'payment:' || $7))
       OR EXISTS (SELECT FROM event e WHERE e.tenant_id = c.tenant_id AND e.pos = c.pos AND e.source_id = $7)
       OR c.detail->'candidates' @> jsonb_build_array(jsonb_build_object('user', $7)))"
    };
}

const LIST_PARAMS: &[Type] = &[
    Type::INT4,
    Type::TIMESTAMPTZ,
    Type::UUID,
    Type::INT2,
    Type::INT2,
    Type::TEXT,
    Type::TEXT,
    Type::UUID,
    Type::INT8,
];

const OLDER: Statement = Statement {
    sql: concat!(
        "-- read.case_list_older\n",
        cases!(),
        "WHERE c.tenant_id = $1 AND ($2::timestamptz IS NULL OR (c.opened_at, c.case_id) < ($2, $3::uuid))",
        matching!(),
        "\nORDER BY c.opened_at DESC, c.case_id DESC LIMIT $9"
    ),
    params: LIST_PARAMS,
    columns: CASE_TYPES,
};

const NEWER: Statement = Statement {
    sql: concat!(
        "-- read.case_list_newer\n",
        cases!(),
        "WHERE c.tenant_id = $1 AND (c.opened_at, c.case_id) > ($2::timestamptz, $3::uuid)",
        matching!(),
        "\nORDER BY c.opened_at, c.case_id LIMIT $9"
    ),
    params: LIST_PARAMS,
    columns: CASE_TYPES,
};

const GET: Statement = Statement {
    sql: concat!("-- read.case_get\n", cases!(), "WHERE c.tenant_id = $1 AND c.case_id = $2"),
    params: &[Type::INT4, Type::UUID],
    columns: CASE_TYPES,
};

const OF_PAYMENT: Statement = Statement {
    sql: concat!(
        "-- read.case_list_of_payment\n",
        cases!(),
        "WHERE c.tenant_id = $1 AND c.root_key = ANY($2)\nORDER BY c.pos, c.opened_at, c.case_id LIMIT $3"
    ),
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::INT8],
    columns: CASE_TYPES,
};

const WAITS: Statement = Statement {
    sql: "-- read.case_wait_list
SELECT w.case_id, w.key FROM case_wait w WHERE w.tenant_id = $1 AND w.case_id = ANY($2) ORDER BY w.case_id, w.key LIMIT $3",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::INT8],
    columns: &[Type::UUID, Type::TEXT],
};

const EVENTS: Statement = Statement {
    sql: "-- read.case_event_list
SELECT v.pos FROM case_event v WHERE v.tenant_id = $1 AND v.case_id = $2 ORDER BY v.pos LIMIT $3",
    params: &[Type::INT4, Type::UUID, Type::INT8],
    columns: &[Type::INT8],
};

/// How a case ended (`review_case.resolution`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The fact that it waited for came.
    Healed,
    /// A person said whose it is.
    Assigned,
    /// A person said that no credits are due.
    Dismissed,
    /// Another case took its place.
    Superseded,
    /// Its time was over.
    Expired,
}

/// One case.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Id.
    pub id: CaseId,
    /// Position of the event that opened it.
    pub pos: i64,
    /// Payment that it holds up; `None` for bytes that are no event.
    pub root_key: Option<String>,
    /// Why it was opened.
    pub reason: Reason,
    /// How it ended; `None` while it is open.
    pub resolution: Option<Resolution>,
    /// Counts up with each change.
    pub version: i32,
    /// When it was opened, or opened again.
    pub opened_at: Timestamp,
    /// When it is to be decided anew.
    pub due: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Position of the event that closed it.
    pub closed_pos: Option<i64>,
    /// Evidence, candidates, amounts, the error.
    pub detail: Value,
}

/// Which cases a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Open ones, or closed ones.
    pub is_open: Option<bool>,
    /// Those with this reason.
    pub reason: Option<Reason>,
    /// Those whose evidence names this user.
    pub user: Option<String>,
    /// Those in which this id occurs: a case, a payment or an object of it, an event, a user, a customer, a price.
    pub q: Option<String>,
}

/// What the list is sorted by: when the case was opened, and its id.
pub type Key = (Timestamp, Uuid);

impl Resolution {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::Healed, Self::Assigned, Self::Dismissed, Self::Superseded, Self::Expired];

    /// The number that is stored.
    pub const fn code(self) -> i16 {
        match self {
            Self::Healed => 1,
            Self::Assigned => 2,
            Self::Dismissed => 3,
            Self::Superseded => 4,
            Self::Expired => 5,
        }
    }

    /// The name that API and CLI show.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healed => "healed",
            Self::Assigned => "assigned",
            Self::Dismissed => "dismissed",
            Self::Superseded => "superseded",
            Self::Expired => "expired",
        }
    }
}

impl Case {
    /// What lists are sorted by.
    pub fn key(&self) -> Key {
        (self.opened_at, self.id.0)
    }
}

/// One page of cases, the one that was opened last first.
pub async fn case_list(
    connection: &impl Connection,
    tenant_id: i32,
    filter: &Filter,
    page: &Page<Key>,
) -> Result<Found<Case>, Error> {
    let statement = if page.is_upward() { &NEWER } else { &OLDER };
    let (opened_at, case_id) = match page.from {
        From::Newest => (None, None),
        From::After((at, id)) | From::Before((at, id)) => (Some(at), Some(id)),
    };
    let state = filter.is_open.map(|is_open| if is_open { 1_i16 } else { 2 });
    let q_case = filter.q.as_ref().and_then(|q| q.parse::<CaseId>().ok()).map(|id| id.0);
    let rows = query(
        connection,
        statement,
        &[
            &tenant_id,
            &opened_at,
            &case_id,
            &state,
            &filter.reason.map(Reason::code),
            &filter.user,
            &filter.q,
            &q_case,
            &page.rows_to_ask(),
        ],
    )
    .await?;
    let cases: Result<Vec<Case>, Error> = rows.iter().map(read).collect();
    Ok(page.cut(cases?))
}

/// The case with this id.
pub async fn case_get(
    connection: &impl Connection,
    tenant_id: i32,
    id: CaseId,
) -> Result<Option<Case>, Error> {
    query_opt(connection, &GET, &[&tenant_id, &id.0]).await?.as_ref().map(read).transpose()
}

/// All cases that hold or held a payment up, whatever it was called then, the oldest first.
pub async fn case_list_of_payment(
    connection: &impl Connection,
    tenant_id: i32,
    roots: &[String],
) -> Result<Vec<Case>, Error> {
    let rows = query(connection, &OF_PAYMENT, &[&tenant_id, &roots, &OF_PAYMENT_MAX]).await?;
    rows.iter().map(read).collect()
}

/// What these open cases wait for: `user:…`, `customer:…`, `price:…`, `payment:…`.
pub async fn case_wait_list(
    connection: &impl Connection,
    tenant_id: i32,
    cases: &[Uuid],
) -> Result<Vec<(CaseId, String)>, Error> {
    let rows = query(connection, &WAITS, &[&tenant_id, &cases, &ATTACHED_MAX]).await?;
    Ok(rows.iter().map(|row| (CaseId(row.get("case_id")), row.get("key"))).collect())
}

/// Positions of the events whose latest decision is in review for this case.
pub async fn case_event_list(
    connection: &impl Connection,
    tenant_id: i32,
    case: CaseId,
) -> Result<Vec<i64>, Error> {
    let rows = query(connection, &EVENTS, &[&tenant_id, &case.0, &ATTACHED_MAX]).await?;
    Ok(rows.iter().map(|row| row.get("pos")).collect())
}

fn read(row: &Row) -> Result<Case, Error> {
    let id = CaseId(row.get("case_id"));
    let wrong = |column| Error::inconsistent("review_case", column, id);
    let resolution: Option<i16> = row.get("resolution");
    let resolution = resolution.map(|code| {
        Resolution::ALL
            .into_iter()
            .find(|one| one.code() == code)
            .ok_or_else(|| wrong("resolution"))
    });
    Ok(Case {
        id,
        pos: row.get("pos"),
        root_key: row.get("root_key"),
        reason: Reason::from_code(row.get("reason")).ok_or_else(|| wrong("reason"))?,
        resolution: resolution.transpose()?,
        version: row.get("version"),
        opened_at: row.get("opened_at"),
        due: row.get("due"),
        closed_at: row.get("closed_at"),
        closed_pos: row.get("closed_pos"),
        detail: row.get("detail"),
    })
}
