//! Units: the kinds of credits that a tenant has, each with the digits that people see behind the point.
//!
//! writers: keeper (`unit`, as the configuration has them)
//!
//! What is listed counts: any other name is refused then. A tenant that lists none may use any name, with scale 0. Since
//! amounts are integers of the smallest part, another scale would change what people own; so the scale of a unit that
//! accounts have never changes, nor is such a unit ever taken off the list.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use crate::connect::Store;
use crate::error::Error;
use crate::statement::{Connection, Statement, execute, query, query_opt};
use crate::tx::Tx;

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&LIST, &USED, &DELETE, &INSERT];

/// Most digits behind the point: an amount has no more of them at all.
pub const MAX_SCALE: u8 = 18;

const LIST: Statement = Statement {
    sql: "-- units.unit_list
SELECT u.name, u.scale, u.is_default FROM unit u WHERE u.tenant_id = $1 ORDER BY u.name",
    params: &[Type::INT4],
    columns: &[Type::TEXT, Type::INT2, Type::BOOL],
};

const USED: Statement = Statement {
    sql: "-- units.unit_used
SELECT a.unit FROM account a
WHERE a.tenant_id = $1 AND (a.unit = ANY ($2) OR (cardinality($3) > 0 AND a.unit <> ALL ($3))) LIMIT 1",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
    columns: &[Type::TEXT],
};

const DELETE: Statement = Statement {
    sql: "-- units.unit_delete
DELETE FROM unit u WHERE u.tenant_id = $1",
    params: &[Type::INT4],
    columns: &[],
};

const INSERT: Statement = Statement {
    sql: "-- units.unit_insert
INSERT INTO unit (tenant_id, name, scale, is_default)
SELECT h.tenant_id, i.name, i.scale, i.is_default
FROM log_head h, unnest($2, $3, $4) i (name, scale, is_default)
WHERE h.tenant_id = $1
ON CONFLICT (tenant_id, name) DO UPDATE SET scale = excluded.scale, is_default = excluded.is_default",
    params: &[Type::INT4, Type::TEXT_ARRAY, Type::INT2_ARRAY, Type::BOOL_ARRAY],
    columns: &[],
};

/// A kind of credit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit {
    /// Its name.
    pub name: String,
    /// Digits behind the point where amounts are shown to people, at most [`MAX_SCALE`].
    pub scale: u8,
    /// Whether it is meant where none is named.
    pub is_default: bool,
}

/// The units that a tenant lists, by name; none: any name is one.
pub async fn unit_list(connection: &impl Connection, tenant_id: i32) -> Result<Vec<Unit>, Error> {
    let rows = query(connection, &LIST, &[&tenant_id]).await?;
    let unit = |row: &tokio_postgres::Row| {
        let (name, scale): (String, i16) = (row.get("name"), row.get("scale"));
        let scale = u8::try_from(scale).map_err(|_| Error::inconsistent("unit", "scale", &name))?;
        Ok(Unit { name, scale, is_default: row.get("is_default") })
    };
    rows.iter().map(unit).collect()
}

/// Has the tenant list these units and no others; whether that is news. Refused if it would rescale or take away a unit
/// that accounts have. Any number of processes may try at once.
pub async fn unit_sync(store: &Store, tenant_id: i32, units: &[Unit]) -> Result<bool, Error> {
    let sync = |tx| async move {
        let is_news = sync_in_tx(&tx, tenant_id, units).await?;
        Ok((tx, is_news))
    };
    store.run_tx("unit_sync", sync).await
}

async fn sync_in_tx(tx: &Tx, tenant_id: i32, units: &[Unit]) -> Result<bool, Error> {
    let before = unit_list(tx, tenant_id).await?;
    let by_name = |units: &[Unit]| -> BTreeMap<String, Unit> {
        units.iter().map(|unit| (unit.name.clone(), unit.clone())).collect()
    };
    let (before, after) = (by_name(&before), by_name(units));
    if before == after {
        return Ok(false);
    }
    let scale_of =
        |units: &BTreeMap<String, Unit>, name| units.get(name).map_or(0, |unit| unit.scale);
    let names = before.keys().chain(after.keys());
    let rescaled: Vec<&String> =
        names.filter(|name| scale_of(&before, *name) != scale_of(&after, *name)).collect();
    let listed: Vec<&String> = after.keys().collect();
    if let Some(used) = query_opt(tx, &USED, &[&tenant_id, &rescaled, &listed]).await? {
        let used: String = used.get("unit");
        let what_to_do = format!(
            "accounts have the unit {used}: list it with the scale {}, and what is to be counted otherwise as a unit of \
             another name",
            scale_of(&before, &used)
        );
        return Err(Error::setting("keeping the list of units", what_to_do));
    }
    execute(tx, &DELETE, &[&tenant_id]).await?;
    let scales: Vec<i16> = after.values().map(|unit| i16::from(unit.scale)).collect();
    let defaults: Vec<bool> = after.values().map(|unit| unit.is_default).collect();
    execute(tx, &INSERT, &[&tenant_id, &listed, &scales, &defaults]).await?;
    Ok(true)
}
