//! Keys of the API: made, found, rotated, revoked.
//!
//! writers: keys commands (`api_key`), api (its `last_used_at`)
//!
//! The whole text of a key is shown once, when it is made; only its SHA-256 is kept, which is enough for a text that nobody
//! can guess.

mod role;
mod text;

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::connect::Store;
use crate::error::Error;
use crate::statement::{Connection, Params, Statement, execute, query, query_opt};
use crate::tenant::Tenant;
use crate::tx::Tx;

pub use role::KeyRole;
pub use text::KeyText;

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] =
    &[&AS_OWNER, &CREATE, &LIST, &NAMES, &HOLD, &SUCCESSOR, &END, &REVOKE, &FIND, &TOUCH];

/// Columns of a key, as every statement that reads one selects them.
const COLUMNS: &[Type] = &[
    Type::INT4,
    Type::TEXT,
    Type::INT2,
    Type::TEXT_ARRAY,
    Type::TEXT,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::TEXT,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
];

const AS_OWNER: Statement = Statement {
    sql: "-- keys.as_owner
SET LOCAL ROLE tally_owner",
    params: &[],
    columns: &[],
};

const CREATE: Statement = Statement {
    sql: "-- keys.create
INSERT INTO api_key (tenant_id, key_id, role, scopes, name, hash, created_at, expires_at, replaces)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    params: &[
        Type::INT4,
        Type::TEXT,
        Type::INT2,
        Type::TEXT_ARRAY,
        Type::TEXT,
        Type::BYTEA,
        Type::TIMESTAMPTZ,
        Type::TIMESTAMPTZ,
        Type::TEXT,
    ],
    columns: &[],
};

const LIST: Statement = Statement {
    sql: "-- keys.list
SELECT k.tenant_id, k.key_id, k.role, k.scopes, k.name, k.created_at, k.expires_at, k.replaces, k.revoked_at, k.last_used_at
FROM api_key k WHERE k.tenant_id = $1 ORDER BY k.created_at, k.key_id",
    params: &[Type::INT4],
    columns: COLUMNS,
};

const NAMES: Statement = Statement {
    sql: "-- keys.names
SELECT k.key_id, k.name FROM api_key k WHERE k.tenant_id = $1 AND k.key_id = ANY($2)",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: &[Type::TEXT, Type::TEXT],
};

const HOLD: Statement = Statement {
    sql: "-- keys.hold
SELECT k.tenant_id, k.key_id, k.role, k.scopes, k.name, k.created_at, k.expires_at, k.replaces, k.revoked_at, k.last_used_at
FROM api_key k WHERE k.tenant_id = $1 AND k.key_id = $2 FOR UPDATE",
    params: &[Type::INT4, Type::TEXT],
    columns: COLUMNS,
};

const SUCCESSOR: Statement = Statement {
    sql: "-- keys.successor
SELECT k.key_id FROM api_key k WHERE k.tenant_id = $1 AND k.replaces = $2 ORDER BY k.created_at DESC LIMIT 1",
    params: &[Type::INT4, Type::TEXT],
    columns: &[Type::TEXT],
};

const END: Statement = Statement {
    sql: "-- keys.end
UPDATE api_key SET expires_at = LEAST(expires_at, $3) WHERE tenant_id = $1 AND key_id = $2",
    params: &[Type::INT4, Type::TEXT, Type::TIMESTAMPTZ],
    columns: &[],
};

const REVOKE: Statement = Statement {
    sql: "-- keys.revoke
UPDATE api_key SET revoked_at = $3 WHERE tenant_id = $1 AND key_id = $2 AND revoked_at IS NULL",
    params: &[Type::INT4, Type::TEXT, Type::TIMESTAMPTZ],
    columns: &[],
};

// What is compared are hashes. How long that takes tells nothing about the text of a key.
const FIND: Statement = Statement {
    sql: "-- keys.find
SELECT k.tenant_id, k.key_id, k.role, k.scopes, k.name, k.created_at, k.expires_at, k.replaces, k.revoked_at, k.last_used_at
FROM api_key k WHERE k.tenant_id = ANY($1) AND k.key_id = $2 AND k.hash = $3",
    params: &[Type::INT4_ARRAY, Type::TEXT, Type::BYTEA],
    columns: COLUMNS,
};

const TOUCH: Statement = Statement {
    sql: "-- keys.touch
UPDATE api_key SET last_used_at = $3 WHERE tenant_id = $1 AND key_id = $2 AND (last_used_at IS NULL OR last_used_at < $3)",
    params: &[Type::INT4, Type::TEXT, Type::TIMESTAMPTZ],
    columns: &[],
};

/// A key without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Tenant that it sees.
    pub tenant_id: i32,
    /// Public id, `key_…`.
    pub key_id: String,
    /// What its holder may do.
    pub role: KeyRole,
    /// The scopes that it is narrowed to; `None`: all that its role may.
    pub scopes: Option<Vec<String>>,
    /// What it is for.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// The key that it was made to replace.
    pub replaces: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// About when it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// A key that is to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Tenant that it will see.
    pub tenant_id: i32,
    /// Mode of that tenant: it stands in the key's text.
    pub livemode: bool,
    /// What its holder may do.
    pub role: KeyRole,
    /// The scopes that it is narrowed to; `None`: all that its role may.
    pub scopes: Option<Vec<String>>,
    /// What it is for.
    pub name: String,
    /// When it ends; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// What became of a rotation.
#[derive(Debug)]
#[must_use]
pub enum Rotated {
    /// There is a new key; its text is shown this once.
    Now(Box<Key>, KeyText),
    /// This key was made in its place before: that one is to be rotated.
    Before(String),
    /// There is no such key, or it has ended, or was revoked.
    Gone,
}

impl NewKey {
    fn key(&self, text: &KeyText, now: Timestamp) -> Key {
        Key {
            tenant_id: self.tenant_id,
            key_id: text.key_id(),
            role: self.role,
            scopes: self.scopes.clone(),
            name: self.name.clone(),
            created_at: now,
            expires_at: self.expires_at,
            replaces: None,
            revoked_at: None,
            last_used_at: None,
        }
    }
}

impl Key {
    /// Whether it opens anything at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether it was not narrowed, or to this scope among others.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|own| own == scope))
    }

    /// The key with this text that is to take its place.
    fn successor(&self, text: &KeyText, now: Timestamp) -> Self {
        let as_long = |end: Timestamp| now.checked_add(end.duration_since(self.created_at));
        Self {
            key_id: text.key_id(),
            created_at: now,
            expires_at: self.expires_at.map(|end| as_long(end).unwrap_or(Timestamp::MAX)),
            replaces: Some(self.key_id.clone()),
            last_used_at: None,
            ..self.clone()
        }
    }
}

/// Makes a key. Its text is returned this once and kept nowhere. Needs a login that may act as the schema's owner.
pub async fn create(store: &Store, new: &NewKey, now: Timestamp) -> Result<(Key, KeyText), Error> {
    let text = KeyText::random(new.livemode);
    let key = new.key(&text, now);
    let insert = |tx: Tx| async {
        execute(&tx, &AS_OWNER, &[]).await?;
        insert_in_tx(&tx, &key, &text).await?;
        Ok((tx, ()))
    };
    store.run_tx::<_, Error, _>("key_create", insert).await?;
    Ok((key, text))
}

/// Makes another key of the same name, role and scopes, for as long as the old one was made for; the old one ends at
/// `old_ends_at`, if it would not end before. Needs a login that may act as the schema's owner.
pub async fn rotate(
    store: &Store,
    tenant: &Tenant,
    key_id: &str,
    old_ends_at: Timestamp,
    now: Timestamp,
) -> Result<Rotated, Error> {
    let tenant_id = tenant.tenant_id;
    let text = &KeyText::random(tenant.livemode);
    let rotate = |tx: Tx| async move {
        execute(&tx, &AS_OWNER, &[]).await?;
        let old = query_opt(&tx, &HOLD, &[&tenant_id, &key_id]).await?;
        let old = old.as_ref().map(read).transpose()?.filter(|old| old.is_valid(now));
        let Some(old) = old else { return Ok((tx, Rotated::Gone)) };
        if let Some(row) = query_opt(&tx, &SUCCESSOR, &[&tenant_id, &key_id]).await? {
            return Ok((tx, Rotated::Before(row.get("key_id"))));
        }
        let key = old.successor(text, now);
        insert_in_tx(&tx, &key, text).await?;
        execute(&tx, &END, &[&tenant_id, &key_id, &old_ends_at]).await?;
        Ok((tx, Rotated::Now(Box::new(key), text.clone())))
    };
    store.run_tx("key_rotate", rotate).await
}

async fn insert_in_tx(tx: &Tx, key: &Key, text: &KeyText) -> Result<(), Error> {
    let hash = text.hash();
    let (role, hash) = (key.role.code(), hash.as_slice());
    let params: Params<'_> = &[
        &key.tenant_id,
        &key.key_id,
        &role,
        &key.scopes,
        &key.name,
        &hash,
        &key.created_at,
        &key.expires_at,
        &key.replaces,
    ];
    execute(tx, &CREATE, params).await?;
    Ok(())
}

/// All keys of a tenant, the oldest first, revoked ones too.
pub async fn list(connection: &impl Connection, tenant_id: i32) -> Result<Vec<Key>, Error> {
    query(connection, &LIST, &[&tenant_id]).await?.iter().map(read).collect()
}

/// What these keys are for: id and name of those that exist.
pub async fn names(
    connection: &impl Connection,
    tenant_id: i32,
    key_ids: &[String],
) -> Result<Vec<(String, String)>, Error> {
    let rows = query(connection, &NAMES, &[&tenant_id, &key_ids]).await?;
    Ok(rows.iter().map(|row| (row.get("key_id"), row.get("name"))).collect())
}

/// Revokes a key; false if there is no such key, or it was revoked before. Needs a login that may act as the schema's
/// owner.
pub async fn revoke(
    store: &Store,
    tenant_id: i32,
    key_id: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let revoke = |tx: Tx| async move {
        execute(&tx, &AS_OWNER, &[]).await?;
        let revoked = execute(&tx, &REVOKE, &[&tenant_id, &key_id, &now]).await?;
        Ok((tx, revoked == 1))
    };
    store.run_tx("key_revoke", revoke).await
}

/// The key with this text, if one of these tenants has it. It may have ended or been revoked: ask [`Key::is_valid`].
pub async fn find(
    connection: &impl Connection,
    tenants: &[i32],
    text: &KeyText,
) -> Result<Option<Key>, Error> {
    let (key_id, hash) = (text.key_id(), text.hash());
    let row = query_opt(connection, &FIND, &[&tenants, &key_id, &hash.as_slice()]).await?;
    row.as_ref().map(read).transpose()
}

/// Notes that a key was used at `now`.
pub async fn touch(
    connection: &impl Connection,
    tenant_id: i32,
    key_id: &str,
    now: Timestamp,
) -> Result<(), Error> {
    execute(connection, &TOUCH, &[&tenant_id, &key_id, &now]).await?;
    Ok(())
}

fn read(row: &Row) -> Result<Key, Error> {
    let key_id: String = row.get("key_id");
    let role: i16 = row.get("role");
    let role = KeyRole::ALL.into_iter().find(|known| known.code() == role);
    Ok(Key {
        tenant_id: row.get("tenant_id"),
        role: role.ok_or_else(|| Error::inconsistent("api_key", "role", &key_id))?,
        key_id,
        scopes: row.get("scopes"),
        name: row.get("name"),
        created_at: row.get("created_at"),
        expires_at: row.get("expires_at"),
        replaces: row.get("replaces"),
        revoked_at: row.get("revoked_at"),
        last_used_at: row.get("last_used_at"),
    })
}
