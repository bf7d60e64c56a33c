//! Tenants: one business in one mode (live or test).
//!
//! writers: migrate (`tenant`, and the lock rows of `log_head` and `projection_slot`)

use std::fmt;

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::connect::Store;
use crate::error::Error;
use crate::log::SLOTS;
use crate::statement::{Connection, Statement, execute, query, query_opt};
use crate::tx::Tx;

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] =
    &[&LIST, &FIND, &AS_OWNER, &LOCK, &INSERT, &INSERT_HEAD, &INSERT_SLOTS];

/// A tenant.
#[derive(Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Small number that leads every key.
    pub tenant_id: i32,
    /// Name of the business, as the configuration calls it.
    pub name: String,
    /// Live or test.
    pub livemode: bool,
    /// Key of the HMAC under which e-mails and names are kept as evidence.
    pub evidence_key: [u8; 32],
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant")
            .field("tenant_id", &self.tenant_id)
            .field("name", &self.name)
            .field("livemode", &self.livemode)
            .finish_non_exhaustive()
    }
}

const LIST: Statement = Statement {
    sql: "-- tenant.list
SELECT tenant_id, name, livemode, evidence_key FROM tenant ORDER BY tenant_id",
    params: &[],
    columns: &[Type::INT4, Type::TEXT, Type::BOOL, Type::BYTEA],
};

const FIND: Statement = Statement {
    sql: "-- tenant.find
SELECT tenant_id, name, livemode, evidence_key FROM tenant WHERE name = $1 AND livemode = $2",
    params: &[Type::TEXT, Type::BOOL],
    columns: LIST.columns,
};

const AS_OWNER: Statement = Statement {
    sql: "-- tenant.ensure_as_owner
SET LOCAL ROLE tally_owner",
    params: &[],
    columns: &[],
};

const LOCK: Statement = Statement {
    sql: "-- tenant.ensure_lock
LOCK TABLE tenant IN SHARE ROW EXCLUSIVE MODE",
    params: &[],
    columns: &[],
};

const INSERT: Statement = Statement {
    sql: "-- tenant.ensure_insert
INSERT INTO tenant AS t (tenant_id, name, livemode, evidence_key, created_at)
SELECT coalesce(max(tenant_id), 0) + 1, $1, $2, $3, $4 FROM tenant
RETURNING t.tenant_id, t.name, t.livemode, t.evidence_key",
    params: &[Type::TEXT, Type::BOOL, Type::BYTEA, Type::TIMESTAMPTZ],
    columns: LIST.columns,
};

const INSERT_HEAD: Statement = Statement {
    sql: "-- tenant.ensure_head
INSERT INTO log_head (tenant_id) VALUES ($1)",
    params: &[Type::INT4],
    columns: &[],
};

const INSERT_SLOTS: Statement = Statement {
    sql: "-- tenant.ensure_slots
INSERT INTO projection_slot (tenant_id, slot) SELECT $1, s.slot FROM unnest($2) s (slot)",
    params: &[Type::INT4, Type::INT2_ARRAY],
    columns: &[],
};

/// Makes the tenant `name` in the mode, with its log and its slots, unless it is there; returns it either way. Any number
/// may try at once. Needs a login that may act as the schema's owner: the one that ran the migrations.
pub async fn ensure(
    store: &Store,
    name: &str,
    livemode: bool,
    now: Timestamp,
) -> Result<Tenant, Error> {
    let ensure = |tx| async move {
        let tenant = ensure_in_tx(&tx, name, livemode, now).await?;
        Ok((tx, tenant))
    };
    store.run_tx("tenant_ensure", ensure).await
}

async fn ensure_in_tx(
    tx: &Tx,
    name: &str,
    livemode: bool,
    now: Timestamp,
) -> Result<Tenant, Error> {
    execute(tx, &AS_OWNER, &[]).await?;
    execute(tx, &LOCK, &[]).await?;
    if let Some(tenant) = find(tx, name, livemode).await? {
        return Ok(tenant);
    }
    let key: [u8; 32] = rand::random();
    let row = query_opt(tx, &INSERT, &[&name, &livemode, &key.as_slice(), &now]).await?;
    let row = row.ok_or_else(|| Error::setting("making a tenant", "no row came back"))?;
    let tenant = read(&row)?;
    let slots: Vec<i16> = (0..i16::from(SLOTS)).collect();
    execute(tx, &INSERT_HEAD, &[&tenant.tenant_id]).await?;
    execute(tx, &INSERT_SLOTS, &[&tenant.tenant_id, &slots]).await?;
    Ok(tenant)
}

/// All tenants, oldest first.
pub async fn list(connection: &impl Connection) -> Result<Vec<Tenant>, Error> {
    query(connection, &LIST, &[]).await?.iter().map(read).collect()
}

/// The tenant of that name in the mode.
pub async fn find(
    connection: &impl Connection,
    name: &str,
    livemode: bool,
) -> Result<Option<Tenant>, Error> {
    query_opt(connection, &FIND, &[&name, &livemode]).await?.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Tenant, Error> {
    let tenant_id: i32 = row.get(0);
    let key: &[u8] = row.get(3);
    let wrong = |_| Error::inconsistent("tenant", "evidence_key", format!("tenant {tenant_id}"));
    let evidence_key = key.try_into().map_err(wrong)?;
    Ok(Tenant { tenant_id, name: row.get(1), livemode: row.get(2), evidence_key })
}
