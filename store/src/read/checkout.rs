//! What became of a checkout: for whoever comes back from Stripe's page and wants to know.

use ledger::ids::Owner;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::payments::{Status, read_owner};
use crate::error::Error;
use crate::statement::{Connection, Statement, query, query_one};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&LIST, &RECEIVED];

/// Most events that wait to be decided which are searched for a session. Behind a longer queue a session may be called
/// unknown although it was received: it shows as soon as it is decided.
const RECEIVED_SEARCH_MAX: i64 = 2_000;

// It is asked for often, so its plan is made once and kept, perhaps while the tables were empty: each row is looked up by
// itself, by all columns of its key.
const LIST: Statement = Statement {
    sql: "-- read.checkout_list
SELECT k.ord, p.root_key, p.status, p.claimant, o.kind, o.key, u.unit, p.is_dismissed, c.case_id IS NOT NULL AS has_open_case,
       l.expected, l.posted, l.purchased
FROM unnest($2::text[]) WITH ORDINALITY AS k (session, ord)
CROSS JOIN LATERAL (
    SELECT a.root_key FROM payment_alias a WHERE a.tenant_id = $1 AND a.alias = k.session LIMIT 1) a
CROSS JOIN LATERAL (
    WITH RECURSIVE chain AS (
        SELECT a.root_key, (SELECT n.merged_into FROM payment n WHERE n.tenant_id = $1 AND n.root_key = a.root_key LIMIT 1) AS next
        UNION
        SELECT c.next, (SELECT n.merged_into FROM payment n WHERE n.tenant_id = $1 AND n.root_key = c.next LIMIT 1)
        FROM chain c WHERE c.next IS NOT NULL
    )
    SELECT c.root_key FROM chain c WHERE c.next IS NULL LIMIT 1) r
CROSS JOIN LATERAL (
    SELECT p.root_key, p.status, p.claimant, p.owner_account,
           p.facts->'staff'->>'verdict' IS NOT DISTINCT FROM 'dismiss' AS is_dismissed
    FROM payment p WHERE p.tenant_id = $1 AND p.root_key = r.root_key LIMIT 1) p
LEFT JOIN LATERAL (
    SELECT o.kind, o.key FROM owner o WHERE o.tenant_id = $1 AND o.account_id = p.owner_account LIMIT 1) o ON true
LEFT JOIN LATERAL (
    SELECT c.case_id FROM review_case c WHERE c.tenant_id = $1 AND c.root_key = p.root_key AND c.state = 1 LIMIT 1) c ON true
LEFT JOIN LATERAL (
    SELECT f.unit FROM payment_leg f WHERE f.tenant_id = $1 AND f.root_key = p.root_key
    ORDER BY f.expected = 0, f.line LIMIT 1) u ON true
CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.expected), 0)::bigint AS expected,
           coalesce(sum(l.posted) FILTER (WHERE l.leg <> 4), 0)::bigint AS posted,
           coalesce(sum(l.posted) FILTER (WHERE l.leg = 1), 0)::bigint AS purchased
    FROM payment_leg l WHERE l.tenant_id = $1 AND l.root_key = p.root_key AND l.unit = u.unit) l",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: &[
        Type::INT8,
        Type::TEXT,
        Type::INT2,
        Type::TEXT,
        Type::INT2,
        Type::TEXT,
        Type::TEXT,
        Type::BOOL,
        Type::BOOL,
        Type::INT8,
        Type::INT8,
        Type::INT8,
    ],
};

// What waits is what stands behind each lane's cursor. The session's id is looked for in the bytes themselves, because an
// event's key is its payment intent where it has one; with both of its quotes, so that it is all of a text.
const RECEIVED: Statement = Statement {
    sql: r#"-- read.checkout_is_received
SELECT EXISTS (
    SELECT FROM (
        SELECT e.body
        FROM generate_series(0, 63) lane CROSS JOIN LATERAL (
            SELECT e.body, e.type, e.account FROM event e
            WHERE e.tenant_id = $1 AND e.slot = lane
              AND e.pos > coalesce((SELECT max(d.pos) FROM decision d
                                    WHERE d.tenant_id = $1 AND d.slot = lane AND d.rev = 0), 0)
            ORDER BY e.pos DESC LIMIT $4) e
        WHERE e.type LIKE 'checkout.session.%' AND e.account = $2
        LIMIT $4) waiting
    WHERE position(convert_to('"' || $3 || '"', 'UTF8') IN waiting.body) > 0) AS is_received"#,
    params: &[Type::INT4, Type::TEXT, Type::TEXT, Type::INT8],
    columns: &[Type::BOOL],
};

/// A checkout session's payment, in the unit of its first line that is worth anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// Name of the payment.
    pub root_key: String,
    /// Where the payment stands.
    pub status: Status,
    /// The one user whom all evidence names, while it is pending or in review.
    pub claimant: Option<String>,
    /// Whom its credits stand with.
    pub owner: Option<Owner>,
    /// Whether a person decided that no credits are due.
    pub is_dismissed: bool,
    /// Whether a case is open.
    pub has_open_case: bool,
    /// Unit of that line; `None` while it has none.
    pub unit: Option<String>,
    /// Credits that it is worth once it is paid.
    pub expected: i64,
    /// Credits that are posted, less what was taken back.
    pub posted: i64,
    /// Credits that are posted for the purchase, whatever was taken back since.
    pub purchased: i64,
}

/// What the facts and the books say of each of these sessions, in their order; `None`: nothing.
pub async fn checkout_list(
    connection: &impl Connection,
    tenant_id: i32,
    sessions: &[&str],
) -> Result<Vec<Option<Checkout>>, Error> {
    let mut found = vec![None; sessions.len()];
    for row in query(connection, &LIST, &[&tenant_id, &sessions]).await? {
        let place = usize::try_from(row.get::<_, i64>("ord").saturating_sub(1)).ok();
        if let Some(place) = place.and_then(|place| found.get_mut(place)) {
            *place = Some(checkout(&row)?);
        }
    }
    Ok(found)
}

/// Whether an event that tells of the session is stored and not decided yet. Of Connect: `acct_…/cs_…`. What is no id of a session
/// is not looked for: whoever asks could learn what else the events hold.
pub async fn checkout_is_received(
    connection: &impl Connection,
    tenant_id: i32,
    session: &str,
) -> Result<bool, Error> {
    let Some((account, id)) = account_and_id(session) else { return Ok(false) };
    let row = query_one(connection, &RECEIVED, &[&tenant_id, &account, &id, &RECEIVED_SEARCH_MAX])
        .await?;
    Ok(row.get("is_received"))
}

fn checkout(row: &Row) -> Result<Checkout, Error> {
    let root_key: String = row.get("root_key");
    let kind: Option<i16> = row.get("kind");
    Ok(Checkout {
        status: Status::read(row.get("status"), &root_key)?,
        root_key,
        claimant: row.get("claimant"),
        owner: kind.zip(row.get("key")).map(|(kind, key)| read_owner(kind, key)).transpose()?,
        is_dismissed: row.get("is_dismissed"),
        has_open_case: row.get("has_open_case"),
        unit: row.get("unit"),
        expected: row.get("expected"),
        posted: row.get("posted"),
        purchased: row.get("purchased"),
    })
}

fn account_and_id(session: &str) -> Option<(&str, &str)> {
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let is = |text: &str, prefix: &str| text.strip_prefix(prefix).is_some_and(is_word);
    match session.split_once('/') {
        None => is(session, "cs_").then_some(("", session)),
        Some((account, id)) => (is(account, "acct_") && is(id, "cs_")).then_some((account, id)),
    }
}
