//! The directory as it stands.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::error::Error;
use crate::log::slot_of;
use crate::statement::{Connection, Statement, query, query_opt};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&GET, &UNDECIDED];

const GET: Statement = Statement {
    sql: "-- read.user_get
SELECT u.user_id, u.email, u.email_verified, u.name, u.metadata, u.pos, e.received_at AS created_at
FROM app_user u JOIN event e ON e.tenant_id = u.tenant_id AND e.pos = u.first_pos
WHERE u.tenant_id = $1 AND u.user_id = ANY($2)",
    params: &[Type::INT4, Type::TEXT_ARRAY],
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

// The lane's cursor is its newest first decision. An id that merely begins like this user's is longer.
const UNDECIDED: Statement = Statement {
    sql: "-- read.user_get_undecided
SELECT k.ord, u.pos, u.created_at, u.body
FROM unnest($2::smallint[], $3::text[]) WITH ORDINALITY AS k (slot, prefix, ord)
CROSS JOIN LATERAL (
    SELECT e.pos, e.received_at AS created_at, e.body FROM event e
    WHERE e.tenant_id = $1 AND e.slot = k.slot AND e.origin = 3
      AND starts_with(e.source_id, k.prefix) AND octet_length(e.source_id) = octet_length(k.prefix) + 36
      AND e.pos > coalesce((SELECT max(d.pos) FROM decision d WHERE d.tenant_id = $1 AND d.slot = k.slot AND d.rev = 0), 0)
    ORDER BY e.pos DESC LIMIT 1
) u",
    params: &[Type::INT4, Type::INT2_ARRAY, Type::TEXT_ARRAY],
    columns: &[Type::INT8, Type::INT8, Type::TIMESTAMPTZ, Type::BYTEA],
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

/// The user as the projector knows him: whom a payment can be credited to.
pub async fn user_get_decided(
    connection: &impl Connection,
    tenant_id: i32,
    user: &str,
) -> Result<Option<User>, Error> {
    let row = query_opt(connection, &GET, &[&tenant_id, &[user].as_slice()]).await?;
    row.as_ref().map(read).transpose()
}

/// The user as the app last described him, also where that is not decided yet.
pub async fn user_get(
    connection: &impl Connection,
    tenant_id: i32,
    user: &str,
) -> Result<Option<User>, Error> {
    Ok(user_list(connection, tenant_id, &[user]).await?.remove(user))
}

/// Those of the users that there are, by id, as the app last described them, also where that is not decided yet.
pub async fn user_list(
    connection: &impl Connection,
    tenant_id: i32,
    users: &[&str],
) -> Result<BTreeMap<String, User>, Error> {
    // In this order: what is decided in between shows in the directory.
    let undecided = undecided(connection, tenant_id, users).await?;
    let mut known = BTreeMap::new();
    for row in query(connection, &GET, &[&tenant_id, &users]).await? {
        let user = read(&row)?;
        known.insert(user.user_id.clone(), user);
    }
    for newer in undecided {
        let created_at = known.get(&newer.user_id).map_or(newer.created_at, |user| user.created_at);
        known.insert(newer.user_id.clone(), User { created_at, ..newer });
    }
    Ok(known)
}

async fn undecided(
    connection: &impl Connection,
    tenant_id: i32,
    users: &[&str],
) -> Result<Vec<User>, Error> {
    let keys: Vec<String> = users.iter().map(|user| format!("user:{user}")).collect();
    let slots: Vec<i16> = keys.iter().map(|key| slot_of(key)).collect();
    let prefixes: Vec<String> = keys.iter().map(|key| format!("{key}:")).collect();
    let mut told = Vec::new();
    for row in query(connection, &UNDECIDED, &[&tenant_id, &slots, &prefixes]).await? {
        let (ord, pos): (i64, i64) = (row.get("ord"), row.get("pos"));
        let number = usize::try_from(ord.saturating_sub(1)).unwrap_or_default();
        let body: Option<&[u8]> = row.get("body");
        let (Some(user), Some(body)) = (users.get(number), body) else { continue };
        let registered: Registered = serde_json::from_slice(body)
            .map_err(|_| Error::inconsistent("event", "body", format!("position {pos}")))?;
        told.push(User {
            user_id: (*user).to_owned(),
            email: registered.email,
            email_verified: registered.email_verified,
            name: registered.name,
            metadata: registered.metadata,
            pos,
            created_at: row.get("created_at"),
        });
    }
    Ok(told)
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
