//! Evidence that payments share: customers, links, users, the catalogue.
//! writers: projector

use tokio_postgres::types::Type;

use super::column;
use crate::error::Error;
use crate::statement::{Connection, Statement, execute, query};

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
SELECT l.account, l.customer, l.user_id
FROM unnest($2::text[], $3::text[]) AS k (account, customer)
CROSS JOIN LATERAL (
    SELECT x.account, x.customer, x.user_id FROM customer_link x
    WHERE x.tenant_id = $1 AND x.account = k.account AND x.customer = k.customer AND x.to_pos IS NULL LIMIT 1
) l",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
    columns: &[Type::TEXT, Type::TEXT, Type::TEXT],
};

const LINKS_INSERT: Statement = Statement {
    sql: "-- evidence.links_insert
INSERT INTO customer_link AS l (tenant_id, account, customer, from_pos, user_id)
SELECT h.tenant_id, k.account, k.customer, k.from_pos, k.user_id
FROM log_head h, unnest($2::text[], $3::text[], $4::bigint[], $5::text[]) AS k (account, customer, from_pos, user_id)
WHERE h.tenant_id = $1",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::TEXT_ARRAY, Type::INT8_ARRAY, Type::TEXT_ARRAY],
    columns: &[],
};

const USERS: Statement = Statement {
    sql: "-- evidence.users
SELECT user_id, encode(email_hash, 'hex'), email_verified, encode(name_hash, 'hex') FROM app_user
WHERE tenant_id = $1 AND user_id = ANY($2)
UNION
SELECT user_id, encode(email_hash, 'hex'), email_verified, encode(name_hash, 'hex') FROM app_user
WHERE tenant_id = $1 AND email_hash = ANY($3)
UNION
(SELECT user_id, encode(email_hash, 'hex'), email_verified, encode(name_hash, 'hex') FROM app_user
WHERE tenant_id = $1 AND name_hash = ANY($4) LIMIT $5)",
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

const CATALOGUE: Statement = Statement {
    sql: "-- evidence.catalogue
SELECT DISTINCT ON (price) price, from_pos, credits, unit FROM catalogue_entry
WHERE tenant_id = $1 AND price = ANY($2)
ORDER BY price, from_pos DESC",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: &[Type::TEXT, Type::INT8, Type::INT8, Type::TEXT],
};

const CATALOGUE_INSERT: Statement = Statement {
    sql: "-- evidence.catalogue_insert
INSERT INTO catalogue_entry AS c (tenant_id, price, from_pos, not_ours, credits, unit)
SELECT h.tenant_id, k.price, k.from_pos, k.credits IS NULL, k.credits, k.unit
FROM log_head h, unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[]) AS k (price, from_pos, credits, unit)
WHERE h.tenant_id = $1",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::INT8_ARRAY, Type::INT8_ARRAY, Type::TEXT_ARRAY],
    columns: &[],
};

pub(crate) const STATEMENTS: &[&Statement] = &[
    &CUSTOMERS,
    &CUSTOMERS_UPSERT,
    &LINKS,
    &LINKS_INSERT,
    &USERS,
    &USERS_UPSERT,
    &CATALOGUE,
    &CATALOGUE_INSERT,
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

/// A link that holds, or is made.
#[derive(Debug, Clone)]
pub struct LinkRow {
    /// Customer.
    pub key: CustomerKey,
    /// User.
    pub user_id: String,
    /// Position of the decision that made it. Written only.
    pub from_pos: i64,
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

/// The newest entry of a price. Without credits: not ours.
#[derive(Debug, Clone)]
pub struct EntryRow {
    /// Price.
    pub price: String,
    /// Position of the event.
    pub from_pos: i64,
    /// Credits per quantity of one.
    pub credits: Option<i64>,
    /// Unit.
    pub unit: Option<String>,
}

/// Facts of these customers.
pub async fn customers(
    connection: &impl Connection,
    tenant_id: i32,
    keys: &[CustomerKey],
) -> Result<Vec<CustomerRow>, Error> {
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

/// Writes facts of customers.
pub async fn customers_upsert_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    rows: &[CustomerRow],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let (accounts, customers) = (column!(rows, key.account), column!(rows, key.customer));
    let (facts, positions) = (column!(rows, facts), column!(rows, pos));
    execute(tx, &CUSTOMERS_UPSERT, &[&tenant_id, &accounts, &customers, &facts, &positions])
        .await
        .map(drop)
}

/// The links of these customers that hold.
pub async fn links(
    connection: &impl Connection,
    tenant_id: i32,
    keys: &[CustomerKey],
) -> Result<Vec<LinkRow>, Error> {
    let rows =
        query(connection, &LINKS, &[&tenant_id, &column!(keys, account), &column!(keys, customer)])
            .await?;
    let link = |row: &tokio_postgres::Row| LinkRow {
        key: CustomerKey { account: row.get(0), customer: row.get(1) },
        user_id: row.get(2),
        from_pos: 0,
    };
    Ok(rows.iter().map(link).collect())
}

/// Makes links.
pub async fn links_insert_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    rows: &[LinkRow],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let (accounts, customers) = (column!(rows, key.account), column!(rows, key.customer));
    let (positions, users) = (column!(rows, from_pos), column!(rows, user_id));
    execute(tx, &LINKS_INSERT, &[&tenant_id, &accounts, &customers, &positions, &users])
        .await
        .map(drop)
}

/// Those of these users that are known, and whoever has one of the e-mails or names (by their hashes).
pub async fn users(
    connection: &impl Connection,
    tenant_id: i32,
    ids: &[String],
    emails: &[Vec<u8>],
    names: &[Vec<u8>],
) -> Result<Vec<UserRow>, Error> {
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

/// Registers users, or changes them. Of one user only one row, the newest.
pub async fn users_upsert_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    rows: &[RegistrationRow],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    execute(
        tx,
        &USERS_UPSERT,
        &[
            &tenant_id,
            &column!(rows, user_id),
            &column!(rows, email),
            &column!(rows, email_hash),
            &column!(rows, email_verified),
            &column!(rows, name),
            &column!(rows, name_hash),
            &column!(rows, metadata),
            &column!(rows, pos),
        ],
    )
    .await
    .map(drop)
}

/// The newest entries of these prices.
pub async fn catalogue(
    connection: &impl Connection,
    tenant_id: i32,
    prices: &[String],
) -> Result<Vec<EntryRow>, Error> {
    let rows = query(connection, &CATALOGUE, &[&tenant_id, &prices]).await?;
    let entry = |row: &tokio_postgres::Row| EntryRow {
        price: row.get(0),
        from_pos: row.get(1),
        credits: row.get(2),
        unit: row.get(3),
    };
    Ok(rows.iter().map(entry).collect())
}

/// Adds catalogue entries.
pub async fn catalogue_insert_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    rows: &[EntryRow],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let (prices, positions) = (column!(rows, price), column!(rows, from_pos));
    let (credits, units) = (column!(rows, credits), column!(rows, unit));
    execute(tx, &CATALOGUE_INSERT, &[&tenant_id, &prices, &positions, &credits, &units])
        .await
        .map(drop)
}
