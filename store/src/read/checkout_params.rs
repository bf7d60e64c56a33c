//! What checkout parameters are made of: the user's Stripe customer, and whose an e-mail is.

use tokio_postgres::types::Type;

use crate::error::Error;
use crate::statement::{Connection, Statement, query, query_opt};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&CUSTOMER, &OWNERS];

/// Most users of one e-mail that are read: any of them tells that it is somebody's.
const MAX_OWNERS: i64 = 16;

// Subscriptions are linked too, and customers of connected accounts are none of the own account's.
const CUSTOMER: Statement = Statement {
    sql: "-- read.customer_of_user
SELECT l.customer FROM customer_link l
WHERE l.tenant_id = $1 AND l.user_id = $2 AND l.to_pos IS NULL AND l.account = '' AND starts_with(l.customer, 'cus_')
ORDER BY l.from_pos DESC LIMIT 1",
    params: &[Type::INT4, Type::TEXT],
    columns: &[Type::TEXT],
};

const OWNERS: Statement = Statement {
    sql: "-- read.owners_of_email
SELECT u.user_id, u.email_verified FROM app_user u
WHERE u.tenant_id = $1 AND u.email_hash = $2
ORDER BY u.email_verified DESC, u.user_id LIMIT $3",
    params: &[Type::INT4, Type::BYTEA, Type::INT8],
    columns: &[Type::TEXT, Type::BOOL],
};

/// A user who has an e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailOwner {
    /// The app's own id.
    pub user_id: String,
    /// Whether the app says that the e-mail is this user's.
    pub is_verified: bool,
}

/// The customer of the own account that was linked to this user last.
pub async fn customer_of_user(
    connection: &impl Connection,
    tenant_id: i32,
    user: &str,
) -> Result<Option<String>, Error> {
    let row = query_opt(connection, &CUSTOMER, &[&tenant_id, &user]).await?;
    Ok(row.map(|row| row.get(0)))
}

/// Users with the e-mail of this keyed hash, verified ones first, at most 16 of them.
pub async fn owners_of_email(
    connection: &impl Connection,
    tenant_id: i32,
    email_hash: &[u8; 32],
) -> Result<Vec<EmailOwner>, Error> {
    let hash = email_hash.as_slice();
    let rows = query(connection, &OWNERS, &[&tenant_id, &hash, &MAX_OWNERS]).await?;
    let owner =
        |row: &tokio_postgres::Row| EmailOwner { user_id: row.get(0), is_verified: row.get(1) };
    Ok(rows.iter().map(owner).collect())
}
