//! A payment: what its facts say, what is due of it and what moved.

use jiff::Timestamp;
use ledger::account::SystemAccount;
use ledger::ids::{AccountId, Owner, PostingId};
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::error::Error;
use crate::statement::{Connection, Statement, query, query_opt};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&GET, &ROOTS, &LEGS, &MOVEMENTS];

/// Most movements of one payment that are read.
const MOVEMENTS_MAX: i64 = 500;

// UNION drops what was seen, so the walk ends even if rows were damaged into a ring.
const GET: Statement = Statement {
    sql: "-- read.payment_get
WITH RECURSIVE chain AS (
    SELECT p.root_key, p.merged_into FROM payment p
    WHERE p.tenant_id = $1
      AND p.root_key = coalesce((SELECT a.root_key FROM payment_alias a WHERE a.tenant_id = $1 AND a.alias = $2), $2)
    UNION
    SELECT n.root_key, n.merged_into
    FROM chain c JOIN payment n ON n.tenant_id = $1 AND n.root_key = c.merged_into
)
SELECT p.root_key, p.status, p.paid, p.currency, p.claimant, p.first_pos, p.version, p.facts, o.kind, o.key
FROM chain c JOIN payment p ON p.tenant_id = $1 AND p.root_key = c.root_key
LEFT JOIN owner o ON o.tenant_id = p.tenant_id AND o.account_id = p.owner_account
WHERE p.merged_into IS NULL",
    params: &[Type::INT4, Type::TEXT],
    columns: &[Type::TEXT, Type::INT2, Type::INT8, Type::TEXT, Type::TEXT, Type::INT8, Type::INT8, Type::JSONB, Type::INT2, Type::TEXT],
};

const ROOTS: Statement = Statement {
    sql: "-- read.payment_root_list
SELECT DISTINCT a.root_key FROM payment_alias a WHERE a.tenant_id = $1 AND a.alias = ANY($2)",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: &[Type::TEXT],
};

const LEGS: Statement = Statement {
    sql: "-- read.payment_leg_list
SELECT l.line, l.leg, l.unit, l.expected, l.target, l.posted, l.forgiven
FROM payment_leg l WHERE l.tenant_id = $1 AND l.root_key = $2 ORDER BY l.line, l.leg",
    params: &[Type::INT4, Type::TEXT],
    columns: &[Type::TEXT, Type::INT2, Type::TEXT, Type::INT8, Type::INT8, Type::INT8, Type::INT8],
};

const MOVEMENTS: Statement = Statement {
    sql: "-- read.payment_movement_list
SELECT o.kind, o.key, p.account_id, p.unit, p.seq, p.contra, p.amount, p.balance_after, p.line, p.cause_pos, p.cause_rev, p.recorded_at
FROM posting p JOIN owner o ON o.tenant_id = p.tenant_id AND o.account_id = p.account_id
WHERE p.tenant_id = $1 AND p.root_key = ANY($2)
ORDER BY p.recorded_at, p.cause_pos, p.cause_rev, p.effect_no LIMIT $3",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::INT8],
    columns: &[Type::INT2, Type::TEXT, Type::UUID, Type::TEXT, Type::INT8, Type::INT2, Type::INT8, Type::INT8, Type::TEXT, Type::INT8, Type::INT4, Type::TIMESTAMPTZ],
};

/// Where a payment stands (`payment.status`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing is known but its name.
    Unknown,
    /// Not paid yet.
    Pending,
    /// Paid.
    Paid,
    /// It will not be paid.
    Failed,
    /// Not ours to keep the books of.
    NotOurs,
}

/// A payment.
#[derive(Clone, Debug, PartialEq)]
pub struct Payment {
    /// Its name.
    pub root_key: String,
    /// Where it stands.
    pub status: Status,
    /// Money paid, in the currency's minor unit.
    pub paid: Option<i64>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
    /// The one user whom all evidence names, while it is pending or in review.
    pub claimant: Option<String>,
    /// Whom its credits stand with.
    pub owner: Option<Owner>,
    /// Position of the first event that told of it.
    pub first_pos: i64,
    /// Counts up with each change.
    pub version: i64,
    /// The joined facts (`rules::payment::Facts`).
    pub facts: Value,
}

/// One line and leg of a payment, in the unit's smallest part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Line of the purchase.
    pub line: String,
    /// `purchase`, `refund`, `dispute` or `carried`.
    pub leg: &'static str,
    /// Unit.
    pub unit: String,
    /// Credits that the line is worth once it is paid.
    pub expected: i64,
    /// Credits that are due now.
    pub target: i64,
    /// Credits that are posted.
    pub posted: i64,
    /// Credits of a clawback that were written off.
    pub forgiven: i64,
}

/// One posting of a payment, on whichever account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The posting.
    pub id: PostingId,
    /// Whose account.
    pub owner: Owner,
    /// The other side.
    pub contra: SystemAccount,
    /// Line of the payment.
    pub line: Option<String>,
    /// Credits; positive adds to the account.
    pub amount: i64,
    /// Balance of the account after it.
    pub balance_after: i64,
    /// Position and revision of the decision that made it.
    pub decision: Option<(i64, i32)>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

impl Status {
    /// The name that API and CLI show.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::NotOurs => "not_ours",
        }
    }

    /// The status with this number.
    pub(super) fn read(code: i16, root_key: &str) -> Result<Self, Error> {
        match code {
            0 => Ok(Self::Unknown),
            1 => Ok(Self::Pending),
            2 => Ok(Self::Paid),
            3 => Ok(Self::Failed),
            4 => Ok(Self::NotOurs),
            _ => Err(Error::inconsistent("payment", "status", root_key)),
        }
    }
}

/// The payment that any of its objects leads to (`cs_…`, `pi_…`, `ch_…`; of Connect: `acct_…/cs_…`).
pub async fn payment_get(
    connection: &impl Connection,
    tenant_id: i32,
    object: &str,
) -> Result<Option<Payment>, Error> {
    let row = query_opt(connection, &GET, &[&tenant_id, &object]).await?;
    row.as_ref().map(read).transpose()
}

/// Every name that a payment ever had, by the objects that told of it: decisions keep the name of their time.
pub async fn payment_root_list(
    connection: &impl Connection,
    tenant_id: i32,
    objects: &[String],
) -> Result<Vec<String>, Error> {
    let rows = query(connection, &ROOTS, &[&tenant_id, &objects]).await?;
    Ok(rows.iter().map(|row| row.get("root_key")).collect())
}

/// What is due of a payment, and what is posted.
pub async fn payment_leg_list(
    connection: &impl Connection,
    tenant_id: i32,
    root_key: &str,
) -> Result<Vec<Leg>, Error> {
    let rows = query(connection, &LEGS, &[&tenant_id, &root_key]).await?;
    rows.iter().map(read_leg).collect()
}

/// What moved because of a payment, in the order in which it was posted.
pub async fn payment_movement_list(
    connection: &impl Connection,
    tenant_id: i32,
    roots: &[String],
) -> Result<Vec<Movement>, Error> {
    let rows = query(connection, &MOVEMENTS, &[&tenant_id, &roots, &MOVEMENTS_MAX]).await?;
    rows.iter().map(read_movement).collect()
}

/// Whom an account belongs to, by `owner.kind` and `owner.key`.
pub(super) fn read_owner(kind: i16, key: String) -> Result<Owner, Error> {
    match kind {
        1 => Ok(Owner::User(key)),
        2 => Ok(Owner::Unclaimed(key)),
        _ => Err(Error::inconsistent("owner", "kind", key)),
    }
}

fn read(row: &Row) -> Result<Payment, Error> {
    let root_key: String = row.get("root_key");
    let kind: Option<i16> = row.get("kind");
    let owner = kind.zip(row.get("key")).map(|(kind, key)| read_owner(kind, key)).transpose()?;
    Ok(Payment {
        status: Status::read(row.get("status"), &root_key)?,
        root_key,
        paid: row.get("paid"),
        currency: row.get("currency"),
        claimant: row.get("claimant"),
        owner,
        first_pos: row.get("first_pos"),
        version: row.get("version"),
        facts: row.get("facts"),
    })
}

fn read_leg(row: &Row) -> Result<Leg, Error> {
    let line: String = row.get("line");
    let leg = match row.get("leg") {
        1_i16 => "purchase",
        2 => "refund",
        3 => "dispute",
        4 => "carried",
        _ => return Err(Error::inconsistent("payment_leg", "leg", line)),
    };
    Ok(Leg {
        line,
        leg,
        unit: row.get("unit"),
        expected: row.get("expected"),
        target: row.get("target"),
        posted: row.get("posted"),
        forgiven: row.get("forgiven"),
    })
}

fn read_movement(row: &Row) -> Result<Movement, Error> {
    let account = AccountId(row.get("account_id"));
    let id = PostingId { account, unit: row.get("unit"), seq: row.get("seq") };
    let contra = SystemAccount::from_code(row.get("contra"))
        .ok_or_else(|| Error::inconsistent("posting", "contra", &id))?;
    let cause_pos: Option<i64> = row.get("cause_pos");
    Ok(Movement {
        id,
        owner: read_owner(row.get("kind"), row.get("key"))?,
        contra,
        line: row.get("line"),
        amount: row.get("amount"),
        balance_after: row.get("balance_after"),
        decision: cause_pos.zip(row.get("cause_rev")),
        recorded_at: row.get("recorded_at"),
    })
}
