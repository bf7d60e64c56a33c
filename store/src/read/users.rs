//! The directory as it stands.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::error::Error;
use crate::statement::{Connection, Statement, query, query_opt};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&GET, &STANDINGS];

const GET: Statement = Statement {
    sql: "-- read.user_get
SELECT u.user_id, u.email, u.email_verified, u.name, u.metadata, u.pos, e.received_at AS created_at
FROM app_user u JOIN event e ON e.tenant_id = u.tenant_id AND e.pos = u.first_pos
WHERE u.tenant_id = $1 AND u.user_id = $2",
    params: &[Type::INT4, Type::TEXT],
    columns: &[
        Type::TEXT,
        Type::TEXT,
        Type::BOOL,
        Type::TEXT,
        Type::JSONB,
        Type::INT8,
        Type::TIMESTAMPTZ,
    ],
};

// From the description in the directory on, each names the one that it builds on: see `registration_id`. The last one is
// read from the log while it is not decided.
const STANDINGS: Statement = Statement {
    sql: "-- read.user_standings
WITH RECURSIVE told AS (
    SELECT k.user_id, coalesce((SELECT u.pos FROM app_user u WHERE u.tenant_id = $1 AND u.user_id = k.user_id LIMIT 1), 0) AS pos
    FROM unnest($2::text[]) AS k (user_id)
    UNION
    SELECT t.user_id, n.pos
    FROM told t CROSS JOIN LATERAL (
        SELECT e.pos FROM event_key e
        WHERE e.tenant_id = $1 AND e.origin = 3 AND e.account = ''
          AND e.source_id = 'user:' || t.user_id || ':' || t.pos LIMIT 1) n
), newest AS (
    SELECT t.user_id, max(t.pos) AS pos FROM told t GROUP BY t.user_id
)
SELECT n.user_id, n.pos AS base, u.email, u.email_verified, u.name, u.metadata, u.pos,
       coalesce(u.created_at, w.created_at) AS created_at, w.body
FROM newest n
LEFT JOIN LATERAL (
    SELECT a.email, a.email_verified, a.name, a.metadata, a.pos, e.received_at AS created_at
    FROM app_user a JOIN event e ON e.tenant_id = $1 AND e.pos = a.first_pos
    WHERE a.tenant_id = $1 AND a.user_id = n.user_id LIMIT 1) u ON true
LEFT JOIN LATERAL (
    SELECT e.body, e.received_at AS created_at FROM event e
    WHERE e.tenant_id = $1 AND e.pos = n.pos
      AND NOT EXISTS (SELECT FROM decision d WHERE d.tenant_id = $1 AND d.pos = n.pos) LIMIT 1) w ON true",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: &[
        Type::TEXT,
        Type::INT8,
        Type::TEXT,
        Type::BOOL,
        Type::TEXT,
        Type::JSONB,
        Type::INT8,
        Type::TIMESTAMPTZ,
        Type::BYTEA,
    ],
};

/// A user as the app last described him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The app's own id.
    pub user_id: String,
    /// E-mail, as the app gave it.
    pub email: Option<String>,
    /// Whether the app says that the e-mail is the user's.
    pub email_verified: bool,
    /// Name, as the app gave it.
    pub name: Option<String>,
    /// The app's own key-value pairs.
    pub metadata: BTreeMap<String, String>,
    /// Position of the newest change.
    pub pos: i64,
    /// When the user was registered first.
    pub created_at: Timestamp,
}

/// What the log says of a user; nothing, by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// As the app last described him, also where that is not decided yet; `None` if it never did.
    pub user: Option<User>,
    /// Position of the last description, whatever it came to, or 0: what the next one builds on.
    pub base: i64,
}

/// What is read of a registration's body.
#[derive(Deserialize)]
struct Registered {
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
    name: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// The id of the fact that describes a user and builds on his [`Standing::base`]. The log takes an id once: of two who build on
/// one description, the second finds a duplicate, and loses nothing if he begins anew with what the first one said.
pub fn registration_id(user: &str, base: i64) -> String {
    format!("user:{user}:{base}")
}

/// The user as the projector knows him: whom a payment can be credited to.
pub async fn user_get_decided(
    connection: &impl Connection,
    tenant_id: i32,
    user: &str,
) -> Result<Option<User>, Error> {
    let row = query_opt(connection, &GET, &[&tenant_id, &user]).await?;
    row.as_ref().map(read).transpose()
}

/// The user as the app last described him, also where that is not decided yet.
pub async fn user_get(
    connection: &impl Connection,
    tenant_id: i32,
    user: &str,
) -> Result<Option<User>, Error> {
    Ok(user_standing(connection, tenant_id, user).await?.user)
}

/// What the log says of the user.
pub async fn user_standing(
    connection: &impl Connection,
    tenant_id: i32,
    user: &str,
) -> Result<Standing, Error> {
    Ok(user_standings(connection, tenant_id, &[user]).await?.remove(user).unwrap_or_default())
}

/// What the log says of each of these users.
pub async fn user_standings(
    connection: &impl Connection,
    tenant_id: i32,
    users: &[&str],
) -> Result<BTreeMap<String, Standing>, Error> {
    let rows = query(connection, &STANDINGS, &[&tenant_id, &users]).await?;
    let standing = |row: &Row| {
        let base = row.get("base");
        let user = match row.get::<_, Option<&[u8]>>("body") {
            Some(body) => Some(read_undecided(row, base, body)?),
            None if row.get::<_, Option<i64>>("pos").is_some() => Some(read(row)?),
            None => None,
        };
        Ok((row.get("user_id"), Standing { user, base }))
    };
    rows.iter().map(standing).collect()
}

fn read_undecided(row: &Row, pos: i64, body: &[u8]) -> Result<User, Error> {
    let Registered { email, email_verified, name, metadata } = serde_json::from_slice(body)
        .map_err(|_| Error::inconsistent("event", "body", format!("position {pos}")))?;
    let (user_id, created_at) = (row.get("user_id"), row.get("created_at"));
    Ok(User { user_id, email, email_verified, name, metadata, pos, created_at })
}

fn read(row: &Row) -> Result<User, Error> {
    let user_id: String = row.get("user_id");
    let metadata = serde_json::from_value(row.get("metadata"))
        .map_err(|_| Error::inconsistent("app_user", "metadata", &user_id))?;
    Ok(User {
        user_id,
        email: row.get("email"),
        email_verified: row.get("email_verified"),
        name: row.get("name"),
        metadata,
        pos: row.get("pos"),
        created_at: row.get("created_at"),
    })
}
