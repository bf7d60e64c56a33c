//! Keys of the API: made, found, revoked.
//!
//! writers: keys commands (`api_key`), api (its `last_used_at`)
//!
//! A key is `tally_<live|test>_<id>_<secret>`. Its id is public; its secret is 43 random letters and digits, 256 bits. The
//! whole text is shown once, when it is made; only its SHA-256 is kept, which is enough for a text that nobody can guess.

use std::fmt;

use jiff::Timestamp;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::connect::Store;
use crate::error::Error;
use crate::statement::{Connection, Params, Statement, execute, query, query_opt};
use crate::tx::Tx;

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] =
    &[&AS_OWNER, &CREATE, &LIST, &NAMES, &REVOKE, &FIND, &TOUCH];

/// What every key begins with, so that a leaked one is recognised in a log or a repository.
const PREFIX: &str = "tally_";

/// Letters of the public id: 71 bits, so that no two keys ever share one.
const ID_LEN: usize = 12;

/// Letters of the secret: 43 of 62 are 256 bits.
const SECRET_LEN: usize = 43;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const AS_OWNER: Statement = Statement {
    sql: "-- keys.as_owner
SET LOCAL ROLE tally_owner",
    params: &[],
    columns: &[],
};

const CREATE: Statement = Statement {
    sql: "-- keys.create
INSERT INTO api_key (tenant_id, key_id, role, name, hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    params: &[Type::INT4, Type::TEXT, Type::INT2, Type::TEXT, Type::BYTEA, Type::TIMESTAMPTZ, Type::TIMESTAMPTZ],
    columns: &[],
};

const LIST: Statement = Statement {
    sql: "-- keys.list
SELECT k.tenant_id, k.key_id, k.role, k.name, k.created_at, k.expires_at, k.revoked_at, k.last_used_at
FROM api_key k WHERE k.tenant_id = $1 ORDER BY k.created_at, k.key_id",
    params: &[Type::INT4],
    columns: &[Type::INT4, Type::TEXT, Type::INT2, Type::TEXT, Type::TIMESTAMPTZ, Type::TIMESTAMPTZ, Type::TIMESTAMPTZ, Type::TIMESTAMPTZ],
};

const NAMES: Statement = Statement {
    sql: "-- keys.names
SELECT k.key_id, k.name FROM api_key k WHERE k.tenant_id = $1 AND k.key_id = ANY($2)",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: &[Type::TEXT, Type::TEXT],
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
SELECT k.tenant_id, k.key_id, k.role, k.name, k.created_at, k.expires_at, k.revoked_at, k.last_used_at
FROM api_key k WHERE k.tenant_id = ANY($1) AND k.key_id = $2 AND k.hash = $3",
    params: &[Type::INT4_ARRAY, Type::TEXT, Type::BYTEA],
    columns: &[Type::INT4, Type::TEXT, Type::INT2, Type::TEXT, Type::TIMESTAMPTZ, Type::TIMESTAMPTZ, Type::TIMESTAMPTZ, Type::TIMESTAMPTZ],
};

const TOUCH: Statement = Statement {
    sql: "-- keys.touch
UPDATE api_key SET last_used_at = $3 WHERE tenant_id = $1 AND key_id = $2 AND (last_used_at IS NULL OR last_used_at < $3)",
    params: &[Type::INT4, Type::TEXT, Type::TIMESTAMPTZ],
    columns: &[],
};

/// What the holder of a key may do; each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyRole {
    /// Looks at users and balances.
    Read,
    /// The app's server.
    App,
    /// Support staff.
    Support,
    /// Support staff who may write credits off.
    Approver,
    /// Keeps the catalogue.
    Admin,
}

/// A key without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Tenant that it sees.
    pub tenant_id: i32,
    /// Public id, `key_…`.
    pub key_id: String,
    /// What its holder may do.
    pub role: KeyRole,
    /// What it is for.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
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
    /// What it is for.
    pub name: String,
    /// When it ends; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// The text of a key: what a client sends. It does not show itself in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText(String);

impl KeyRole {
    /// All of them, from the least to the most.
    pub const ALL: [Self; 5] = [Self::Read, Self::App, Self::Support, Self::Approver, Self::Admin];

    /// The number that is stored.
    pub const fn code(self) -> i16 {
        match self {
            Self::Read => 1,
            Self::App => 2,
            Self::Support => 3,
            Self::Approver => 4,
            Self::Admin => 5,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::App => "app",
            Self::Support => "support",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }

    /// The role with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl Key {
    /// Whether it opens anything at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

impl KeyText {
    /// A text that has the form of a key; `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        let this = Self(text.to_owned());
        let (_, id, secret) = this.parts()?;
        let is_base62 = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let fits = id.len() == ID_LEN && secret.len() == SECRET_LEN;
        (fits && is_base62(id) && is_base62(secret)).then_some(this)
    }

    /// The text itself, for the one time that it is shown.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it says that it belongs to a live tenant.
    pub fn livemode(&self) -> bool {
        self.parts().is_some_and(|(mode, _, _)| mode == "live")
    }

    /// Public id of the key, `key_…`.
    pub fn key_id(&self) -> String {
        let id = self.parts().map_or("", |(_, id, _)| id);
        format!("key_{id}")
    }

    /// SHA-256 of the text: what is kept of it, and what a cache may be keyed by.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    fn random(livemode: bool) -> Self {
        let mode = if livemode { "live" } else { "test" };
        Self(format!("{PREFIX}{mode}_{}_{}", random_base62(ID_LEN), random_base62(SECRET_LEN)))
    }

    fn parts(&self) -> Option<(&str, &str, &str)> {
        let mut parts = self.0.strip_prefix(PREFIX)?.splitn(3, '_');
        let mode = parts.next().filter(|mode| ["live", "test"].contains(mode))?;
        Some((mode, parts.next()?, parts.next()?))
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyText({})", self.key_id())
    }
}

/// Makes a key. Its text is returned this once and kept nowhere. Needs a login that may act as the schema's owner.
pub async fn create(store: &Store, new: &NewKey, now: Timestamp) -> Result<(Key, KeyText), Error> {
    let text = KeyText::random(new.livemode);
    let key = Key {
        tenant_id: new.tenant_id,
        key_id: text.key_id(),
        role: new.role,
        name: new.name.clone(),
        created_at: now,
        expires_at: new.expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    let hash = text.hash();
    let (role, hash) = (key.role.code(), hash.as_slice());
    let params: Params<'_> =
        &[&key.tenant_id, &key.key_id, &role, &key.name, &hash, &key.created_at, &key.expires_at];
    let create = |tx: Tx| async move {
        execute(&tx, &AS_OWNER, &[]).await?;
        execute(&tx, &CREATE, params).await?;
        Ok((tx, ()))
    };
    store.run_tx::<_, Error, _>("key_create", create).await?;
    Ok((key, text))
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

fn random_base62(len: usize) -> String {
    let mut rng = rand::rng();
    let letter = || BASE62.get(rng.random_range(0..BASE62.len())).copied().map_or('0', char::from);
    std::iter::repeat_with(letter).take(len).collect()
}

fn read(row: &Row) -> Result<Key, Error> {
    let key_id: String = row.get("key_id");
    let role: i16 = row.get("role");
    let role = KeyRole::ALL.into_iter().find(|known| known.code() == role);
    Ok(Key {
        tenant_id: row.get("tenant_id"),
        role: role.ok_or_else(|| Error::inconsistent("api_key", "role", &key_id))?,
        key_id,
        name: row.get("name"),
        created_at: row.get("created_at"),
        expires_at: row.get("expires_at"),
        revoked_at: row.get("revoked_at"),
        last_used_at: row.get("last_used_at"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_text_is_one_and_hides_its_secret() {
        let text = KeyText::random(true);
        assert_eq!(KeyText::parse(text.expose()), Some(text.clone()));
        assert!(text.livemode());
        assert!(text.expose().starts_with("tally_live_"), "{}", text.expose());
        assert_eq!(text.expose().len(), "tally_live_".len() + ID_LEN + 1 + SECRET_LEN);
        assert_eq!(format!("{text:?}"), format!("KeyText({})", text.key_id()));
        assert_ne!(KeyText::random(true), text);
    }

    #[test]
    fn other_texts_are_no_keys() {
        let good = KeyText::random(false).expose().to_owned();
        let without_prefix = &good[PREFIX.len()..];
        let longer = format!("{good}0");
        let accented = good.replace("_test_", "_tést_");
        for text in ["", "tally_", "tally_live__", without_prefix, &longer, &accented, &good[1..]] {
            assert_eq!(KeyText::parse(text), None, "{text}");
        }
    }

    #[test]
    fn roles_lead_back_and_grow() {
        for role in KeyRole::ALL {
            assert_eq!(KeyRole::from_name(role.name()), Some(role));
        }
        assert!(KeyRole::ALL.is_sorted());
    }
}
