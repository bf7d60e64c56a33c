//! Evidence that payments share: customers, links, users.
//! writers: projector

use tokio_postgres::types::Type;

use super::column;
use crate::error::Error;
use crate::statement::{Connection, Statement, Write, params, query};

const CUSTOMERS: Statement = Statement {
    sql: "-- evidence.customers
SELECT c.account, c.customer, c.facts::text
FROM unnest($2::text[], $3::text[]) AS k (account, customer)
CROSS JOIN LATERAL (
    SELECT x.account, x.customer, x.facts FROM customer x
    WHERE x.tenant_id = $1 AND x.account = k.account AND x.customer = k.customer LIMIT 1
) c",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
    columns: &[Type::TEXT, Type::TEXT, Type::TEXT],
};

const CUSTOMERS_UPSERT: Statement = Statement {
    sql: "-- evidence.customers_upsert
INSERT INTO customer AS c (tenant_id, account, customer, facts, pos)
SELECT h.tenant_id, k.account, k.customer, k.facts::jsonb, k.pos
FROM log_head h, unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) AS k (account, customer, facts, pos)
WHERE h.tenant_id = $1
ON CONFLICT (tenant_id, account, customer) DO UPDATE SET facts = excluded.facts, pos = excluded.pos",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::TEXT_ARRAY, Type::TEXT_ARRAY, Type::INT8_ARRAY],
    columns: &[],
};

const LINKS: Statement = Statement {
    sql: "-- evidence.links
SELECT l.account, l.customer, l.user_id, d.root_key
FROM unnest($2::text[], $3::text[]) AS k (account, customer)
CROSS JOIN LATERAL (
    SELECT x.account, x.customer, x.user_id, x.from_pos, x.to_pos FROM customer_link x
    WHERE x.tenant_id = $1 AND x.account = k.account AND x.customer = k.customer OFFSET 0
) l
LEFT JOIN LATERAL (
    SELECT x.root_key FROM decision x
    WHERE x.tenant_id = $1 AND x.pos = l.from_pos AND x.root_key IS NOT NULL ORDER BY x.rev DESC LIMIT 1
) d ON true
WHERE l.to_pos IS NULL",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
    columns: &[Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT],
};

const LINKS_INSERT: Statement = Statement {
    sql: "-- evidence.links_insert
INSERT INTO customer_link AS l (tenant_id, account, customer, from_pos, user_id, to_pos)
SELECT h.tenant_id, unnest($2::text[]), unnest($3::text[]), unnest($4::bigint[]), unnest($5::text[]), unnest($6::bigint[])
FROM log_head h
WHERE h.tenant_id = $1",
    params: &[
        Type::INT4,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
    ],
    columns: &[],
};

const LINKS_END: Statement = Statement {
    sql: "-- evidence.links_end
INSERT INTO customer_link AS l (tenant_id, account, customer, from_pos, user_id, to_pos)
SELECT h.tenant_id, x.account, x.customer, x.from_pos, x.user_id, k.to_pos
FROM log_head h, unnest($2::text[], $3::text[], $4::bigint[]) AS k (account, customer, to_pos)
CROSS JOIN LATERAL (
    SELECT * FROM customer_link y WHERE y.tenant_id = $1 AND y.account = k.account AND y.customer = k.customer OFFSET 0
) x
WHERE h.tenant_id = $1 AND x.to_pos IS NULL
ON CONFLICT (tenant_id, account, customer, from_pos) DO UPDATE SET to_pos = excluded.to_pos",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::TEXT_ARRAY, Type::INT8_ARRAY],
    columns: &[],
};

// Each key is looked up alone (OFFSET keeps the lookups from becoming a join): while a directory is imported, the table is
// larger than its statistics say, and the planner would rather read all of it.
const USERS: Statement = Statement {
    sql: "-- evidence.users
SELECT u.user_id, encode(u.email_hash, 'hex'), u.email_verified, encode(u.name_hash, 'hex')
FROM unnest($2::text[]) AS k (user_id)
CROSS JOIN LATERAL (SELECT x.* FROM app_user x WHERE x.tenant_id = $1 AND x.user_id = k.user_id OFFSET 0) u
UNION ALL
SELECT u.user_id, encode(u.email_hash, 'hex'), u.email_verified, encode(u.name_hash, 'hex')
FROM unnest($3::bytea[]) AS k (email_hash)
CROSS JOIN LATERAL (SELECT x.* FROM app_user x WHERE x.tenant_id = $1 AND x.email_hash = k.email_hash OFFSET 0) u
UNION ALL
(SELECT u.user_id, encode(u.email_hash, 'hex'), u.email_verified, encode(u.name_hash, 'hex')
FROM unnest($4::bytea[]) AS k (name_hash)
CROSS JOIN LATERAL (SELECT x.* FROM app_user x WHERE x.tenant_id = $1 AND x.name_hash = k.name_hash OFFSET 0) u
LIMIT $5)",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::BYTEA_ARRAY, Type::BYTEA_ARRAY, Type::INT8],
    columns: &[Type::TEXT, Type::TEXT, Type::BOOL, Type::TEXT],
};

const USERS_UPSERT: Statement = Statement {
    sql: "-- evidence.users_upsert
INSERT INTO app_user AS u (tenant_id, user_id, email, email_hash, email_verified, name, name_hash, metadata, first_pos, pos)
SELECT h.tenant_id, k.user_id, k.email, k.email_hash, k.email_verified, k.name, k.name_hash, k.metadata::jsonb, k.pos, k.pos
FROM log_head h, unnest($2::text[], $3::text[], $4::bytea[], $5::boolean[], $6::text[], $7::bytea[], $8::text[], $9::bigint[])
    AS k (user_id, email, email_hash, email_verified, name, name_hash, metadata, pos)
WHERE h.tenant_id = $1
ON CONFLICT (tenant_id, user_id) DO UPDATE
SET email = excluded.email, email_hash = excluded.email_hash, email_verified = excluded.email_verified,
    name = excluded.name, name_hash = excluded.name_hash, metadata = excluded.metadata, pos = excluded.pos
WHERE u.pos < excluded.pos",
    params: &[
        Type::INT4,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::BYTEA_ARRAY,
        Type::BOOL_ARRAY,
        Type::TEXT_ARRAY,
        Type::BYTEA_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
    ],
    columns: &[],
};

// Position 0 as that of the newest change: the app has not told of him yet, and whatever it tells is newer.
const USERS_ADD: Statement = Statement {
    sql: "-- evidence.users_add
INSERT INTO app_user AS u (tenant_id, user_id, first_pos, pos)
SELECT h.tenant_id, k.user_id, k.pos, 0
FROM log_head h, unnest($2::text[], $3::bigint[]) AS k (user_id, pos)
WHERE h.tenant_id = $1
ON CONFLICT (tenant_id, user_id) DO NOTHING",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::INT8_ARRAY],
    columns: &[],
};

pub(crate) const STATEMENTS: &[&Statement] = &[
    &CUSTOMERS,
    &CUSTOMERS_UPSERT,
    &LINKS,
    &LINKS_INSERT,
    &LINKS_END,
    &USERS,
    &USERS_UPSERT,
    &USERS_ADD,
];

/// Most users of one name that are read: more are no hint.
const MAX_NAMESAKES: i64 = 64;

/// A customer, with his Connect account (empty for the own one).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CustomerKey {
    /// Connect account.
    pub account: String,
    /// Stripe's `cus_…`.
    pub customer: String,
}

/// Facts of a customer.
#[derive(Debug, Clone)]
pub struct CustomerRow {
    /// Which.
    pub key: CustomerKey,
    /// JSON text of the facts.
    pub facts: String,
    /// Position of the newest event. Written only.
    pub pos: i64,
}

/// A link that holds.
#[derive(Debug, Clone)]
pub struct Linked {
    /// Customer.
    pub key: CustomerKey,
    /// User.
    pub user_id: String,
    /// Root key, as it was then, of the payment that made it.
    pub payment: Option<String>,
}

/// A link that is made.
#[derive(Debug, Clone)]
pub struct LinkRow {
    /// Customer.
    pub key: CustomerKey,
    /// User.
    pub user_id: String,
    /// Position of the decision that made it.
    pub from_pos: i64,
    /// Position of the decision that ended it.
    pub to_pos: Option<i64>,
}

/// A user, as far as evidence is concerned. Hashes are hexadecimal.
#[derive(Debug, Clone)]
pub struct UserRow {
    /// The app's own id.
    pub user_id: String,
    /// Keyed hash of the e-mail.
    pub email_hash: Option<String>,
    /// Whether the e-mail is verified.
    pub email_verified: bool,
    /// Keyed hash of the name.
    pub name_hash: Option<String>,
}

/// A user, as he is registered.
#[derive(Debug, Clone)]
pub struct RegistrationRow {
    /// The app's own id.
    pub user_id: String,
    /// E-mail.
    pub email: Option<String>,
    /// Its keyed hash.
    pub email_hash: Option<Vec<u8>>,
    /// Whether the e-mail is verified.
    pub email_verified: bool,
    /// Name.
    pub name: Option<String>,
    /// Its keyed hash.
    pub name_hash: Option<Vec<u8>>,
    /// JSON text of the metadata.
    pub metadata: String,
    /// Position of the event.
    pub pos: i64,
}

/// Facts of these customers.
pub async fn customers(
    connection: &impl Connection,
    tenant_id: i32,
    keys: &[CustomerKey],
) -> Result<Vec<CustomerRow>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows = query(
        connection,
        &CUSTOMERS,
        &[&tenant_id, &column!(keys, account), &column!(keys, customer)],
    )
    .await?;
    let customer = |row: &tokio_postgres::Row| CustomerRow {
        key: CustomerKey { account: row.get(0), customer: row.get(1) },
        facts: row.get(2),
        pos: 0,
    };
    Ok(rows.iter().map(customer).collect())
}

/// Facts of customers as they are to be written.
pub fn customers_write(tenant_id: i32, rows: &[CustomerRow]) -> Option<Write<'_>> {
    let (accounts, customers) = (column!(rows, key.account), column!(rows, key.customer));
    let (facts, positions) = (column!(rows, facts), column!(rows, pos));
    let params = params![tenant_id, accounts, customers, facts, positions];
    Write::of(rows.len(), &CUSTOMERS_UPSERT, params)
}

/// The links of these customers that hold.
pub async fn links(
    connection: &impl Connection,
    tenant_id: i32,
    keys: &[CustomerKey],
) -> Result<Vec<Linked>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows =
        query(connection, &LINKS, &[&tenant_id, &column!(keys, account), &column!(keys, customer)])
            .await?;
    let link = |row: &tokio_postgres::Row| Linked {
        key: CustomerKey { account: row.get(0), customer: row.get(1) },
        user_id: row.get(2),
        payment: row.get(3),
    };
    Ok(rows.iter().map(link).collect())
}

/// Links as they are to be made.
pub fn links_write(tenant_id: i32, rows: &[LinkRow]) -> Option<Write<'_>> {
    let (accounts, customers) = (column!(rows, key.account), column!(rows, key.customer));
    let (from, users, to) =
        (column!(rows, from_pos), column!(rows, user_id), column!(rows, to_pos));
    Write::of(rows.len(), &LINKS_INSERT, params![tenant_id, accounts, customers, from, users, to])
}

/// Ends the links of these customers that hold, each by the decision at a position. It goes before new ones are made.
pub fn links_end(tenant_id: i32, ended: &[(CustomerKey, i64)]) -> Option<Write<'_>> {
    let (accounts, customers) = (column!(ended, 0.account), column!(ended, 0.customer));
    let params = params![tenant_id, accounts, customers, column!(ended, 1)];
    Write::of(ended.len(), &LINKS_END, params)
}

/// Those of these users that are known, and whoever has one of the e-mails or names (by their hashes). One may come more than
/// once.
pub async fn users(
    connection: &impl Connection,
    tenant_id: i32,
    ids: &[String],
    emails: &[Vec<u8>],
    names: &[Vec<u8>],
) -> Result<Vec<UserRow>, Error> {
    if ids.is_empty() && emails.is_empty() && names.is_empty() {
        return Ok(Vec::new());
    }
    let rows =
        query(connection, &USERS, &[&tenant_id, &ids, &emails, &names, &MAX_NAMESAKES]).await?;
    let user = |row: &tokio_postgres::Row| UserRow {
        user_id: row.get(0),
        email_hash: row.get(1),
        email_verified: row.get(2),
        name_hash: row.get(3),
    };
    Ok(rows.iter().map(user).collect())
}

/// Users as they are to be registered, or changed. Of one user only one row, the newest.
pub fn users_write(tenant_id: i32, rows: &[RegistrationRow]) -> Option<Write<'_>> {
    let params = params![
        tenant_id,
        column!(rows, user_id),
        column!(rows, email),
        column!(rows, email_hash),
        column!(rows, email_verified),
        column!(rows, name),
        column!(rows, name_hash),
        column!(rows, metadata),
        column!(rows, pos),
    ];
    Write::of(rows.len(), &USERS_UPSERT, params)
}

/// Adds users, each by the position of the payment because of which; those who are there stay as they are.
pub fn users_add(tenant_id: i32, rows: &[(i64, String)]) -> Option<Write<'_>> {
    Write::of(rows.len(), &USERS_ADD, params![tenant_id, column!(rows, 1), column!(rows, 0)])
}
