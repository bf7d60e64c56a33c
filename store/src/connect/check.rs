//! Whether the database is one that this program may work on.

use tokio_postgres::types::Type;

use super::Store;
use crate::error::Error;
use crate::statement::{Statement, query_one};

/// Oldest major version that the tests run on.
const OLDEST_SERVER: i32 = 15;

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&CHECK];

const CHECK: Statement = Statement {
    sql: "-- connect.check
SELECT (SELECT max(version) FROM _sqlx_migrations WHERE success), current_setting('fsync'),
       current_setting('full_page_writes'), current_setting('synchronous_commit'),
       current_setting('server_encoding'), current_setting('server_version_num')::int / 10000",
    params: &[],
    columns: &[Type::INT8, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::INT4],
};

impl Store {
    /// Refuses a database whose schema is of another version, or which may lose what it acknowledged. The error says
    /// what to do.
    pub async fn check(&self) -> Result<(), Error> {
        self.check_as(Schema::Ours).await
    }

    /// The same for a process that has begun to work: it stays ready when a newer program migrates the schema, or a rolling
    /// deployment would take all that run at once.
    pub async fn check_running(&self) -> Result<(), Error> {
        self.check_as(Schema::OursOrNewer).await
    }

    async fn check_as(&self, wanted: Schema) -> Result<(), Error> {
        let row = query_one(&self.get().await?, &CHECK, &[]).await?;
        check_schema(row.get(0), wanted)?;
        let (encoding, server): (&str, i32) = (row.get(4), row.get(5));
        if encoding != "UTF8" {
            return refuse(format!("its encoding is {encoding}; create the database with UTF8"));
        }
        if server < OLDEST_SERVER {
            return refuse(format!(
                "it is version {server}; Postgres {OLDEST_SERVER} is the oldest"
            ));
        }
        if self.allow_unsafe_settings {
            return Ok(());
        }
        for (setting, column) in [("fsync", 1), ("full_page_writes", 2), ("synchronous_commit", 3)]
        {
            if row.get::<_, &str>(column) == "off" {
                return refuse(format!(
                    "{setting} is off, so it may lose what it acknowledged; turn it on (postgresql.conf, ALTER SYSTEM)"
                ));
            }
        }
        Ok(())
    }
}

/// Which versions of the schema will do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Schema {
    Ours,
    OursOrNewer,
}

fn check_schema(version: Option<i64>, wanted: Schema) -> Result<(), Error> {
    let ours = migrations::SCHEMA_VERSION;
    match version {
        Some(version) if version == ours => Ok(()),
        Some(version) if version > ours && wanted == Schema::OursOrNewer => Ok(()),
        Some(version) if version > ours => refuse(format!(
            "its schema is version {version}, newer than this program's {ours}; run a newer tally"
        )),
        Some(version) => refuse(format!(
            "its schema is version {version}, this program's {ours}; run tally migrate"
        )),
        None => refuse("it has no schema yet; run tally migrate".to_owned()),
    }
}

fn refuse(why: String) -> Result<(), Error> {
    Err(Error::setting("checking the database", why))
}
