//! The directory as it stands.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio_postgres::Row;

use crate::{Client, Error, Statement};

/// Statements of this module.
pub const STATEMENTS: &[Statement] = &[FIND, LANE_IS_SETTLED];

const FIND: Statement = Statement::new(
    "-- read::users.find
    SELECT u.user_id, u.email, u.email_verified, u.name, u.metadata, u.pos, e.received_at AS created_at
    FROM app_user u JOIN event e ON e.tenant_id = u.tenant_id AND e.pos = u.first_pos
    WHERE u.tenant_id = $1 AND u.user_id = $2",
);

const LANE_IS_SETTLED: Statement = Statement::new(
    "-- read::users.lane_is_settled
    SELECT NOT EXISTS (
        SELECT FROM event e
        WHERE e.tenant_id = $1 AND e.slot = $2
          AND e.pos > coalesce((SELECT max(d.pos) FROM decision d
                                WHERE d.tenant_id = $1 AND d.slot = $2 AND d.rev = 0), 0)) AS is_settled",
);

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

/// The user, if the directory knows him.
pub async fn find(client: &Client, tenant_id: i32, user: &str) -> Result<Option<User>, Error> {
    let row = client.query_opt(&FIND, &[&tenant_id, &user]).await?;
    row.as_ref().map(read).transpose()
}

/// Whether every event of this lane is decided. What is read afterwards then reflects all that was appended before.
pub async fn lane_is_settled(client: &Client, tenant_id: i32, slot: i16) -> Result<bool, Error> {
    let row = client.query_one(&LANE_IS_SETTLED, &[&tenant_id, &slot]).await?;
    Ok(row.get("is_settled"))
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
