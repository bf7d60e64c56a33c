//! The directory as it stands.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::error::Error;
use crate::log::slot_of;
use crate::statement::{Connection, Statement, query_opt};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&GET, &UNDECIDED];

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

// The lane's cursor is its newest first decision. An id that merely begins like this user's is longer.
const UNDECIDED: Statement = Statement {
    sql: "-- read.user_get_undecided
SELECT e.pos, e.received_at AS created_at, e.body
FROM event e
WHERE e.tenant_id = $1 AND e.slot = $2 AND e.origin = 3
  AND starts_with(e.source_id, $3) AND octet_length(e.source_id) = octet_length($3) + 36
  AND e.pos > coalesce((SELECT max(d.pos) FROM decision d WHERE d.tenant_id = $1 AND d.slot = $2 AND d.rev = 0), 0)
ORDER BY e.pos DESC LIMIT 1",
    params: &[Type::INT4, Type::INT2, Type::TEXT],
    columns: &[Type::INT8, Type::TIMESTAMPTZ, Type::BYTEA],
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
    let row = query_opt(connection, &GET, &[&tenant_id, &user]).await?;
    row.as_ref().map(read).transpose()
}

/// The user as the app last described him, also where that is not decided yet.
pub async fn user_get(
    connection: &impl Connection,
    tenant_id: i32,
    user: &str,
) -> Result<Option<User>, Error> {
    // In this order: what is decided in between shows in the directory.
    let undecided = undecided(connection, tenant_id, user).await?;
    let known = user_get_decided(connection, tenant_id, user).await?;
    Ok(match (undecided, known) {
        (Some(newer), Some(known)) => Some(User { created_at: known.created_at, ..newer }),
        (newer, known) => newer.or(known),
    })
}

async fn undecided(
    connection: &impl Connection,
    tenant_id: i32,
    user: &str,
) -> Result<Option<User>, Error> {
    let routing_key = format!("user:{user}");
    let (slot, prefix) = (slot_of(&routing_key), format!("{routing_key}:"));
    let row = query_opt(connection, &UNDECIDED, &[&tenant_id, &slot, &prefix]).await?;
    let Some(row) = row else { return Ok(None) };
    let (pos, body): (i64, Option<&[u8]>) = (row.get("pos"), row.get("body"));
    let Some(body) = body else { return Ok(None) };
    let told: Registered = serde_json::from_slice(body)
        .map_err(|_| Error::inconsistent("event", "body", format!("position {pos}")))?;
    Ok(Some(User {
        user_id: user.to_owned(),
        email: told.email,
        email_verified: told.email_verified,
        name: told.name,
        metadata: told.metadata,
        pos,
        created_at: row.get("created_at"),
    }))
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
