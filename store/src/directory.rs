//! The app's own table or view of users, read by a query that the operator configures.
//!
//! It is the one statement that is no constant: only the operator knows what the app calls its users. What it may do is
//! bounded instead: it runs in a READ ONLY transaction, with a short time limit, with the ids as its one parameter, and
//! with the `search_path` of the login instead of ours. Which rights it has is for the login to say.

use std::collections::BTreeSet;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;

use futures_util::TryStreamExt;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::connect::{Role, Store};
use crate::error::Error;
use crate::statement::{Connection, batch_execute};
use crate::tx::Tx;
use crate::url::PgUrl;

/// Name of the query in errors: its text is the operator's.
const NAME: &str = "the directory query";

/// What its transaction is bound to. Users are looked up by their ids; a query that takes longer lacks an index.
const SETTINGS: &str = "SET TRANSACTION READ ONLY; SET LOCAL search_path TO DEFAULT; \
                        SET LOCAL statement_timeout = '5s'";

/// Where the app keeps its users.
#[derive(Clone)]
pub struct Directory {
    store: Store,
    query: Arc<str>,
}

/// A user as the app knows him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryUser {
    /// Id, as text.
    pub user_id: String,
    /// E-mail.
    pub email: Option<String>,
    /// Whether the app says that the e-mail is the user's.
    pub email_verified: bool,
    /// Name.
    pub name: Option<String>,
}

impl Directory {
    /// The users that `query` finds in the database at `url`. The query has one parameter `$1`, an array of ids as text, and
    /// returns text columns in this order: id, e-mail, name, and if it likes a boolean that says whether the e-mail is
    /// verified. An id of any type will do, because the query casts it: `SELECT id::text, email, name FROM users WHERE
    /// id::text = ANY($1)`.
    pub fn new(url: &PgUrl, query: &str) -> Result<Self, Error> {
        Ok(Self { store: Store::connect(url, Role::Login, 1)?, query: query.into() })
    }

    /// Those of the users with these ids whom the app knows, each once.
    pub async fn find(&self, ids: &[String]) -> Result<Vec<DirectoryUser>, Error> {
        let look = |tx| async move {
            batch_execute(&tx, NAME, SETTINGS).await?;
            let rows = self.rows(&tx, ids).await?;
            Ok((tx, rows))
        };
        let rows = self.store.run_tx("directory_find", look).await?;
        let mut unseen: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        let users: Result<Vec<_>, Error> = rows.iter().map(read).collect();
        // Whoever was not asked for is not told of: the log holds users whom a payment names, not the app's whole table.
        Ok(users?.into_iter().filter(|user| unseen.remove(user.user_id.as_str())).collect())
    }

    /// Reads no more rows than were asked for.
    async fn rows(&self, tx: &Tx, ids: &[String]) -> Result<Vec<Row>, Error> {
        let failed = |error| Error::postgres(NAME, &error);
        let sent = tx.link().client.query_typed_raw(&self.query, [(ids, Type::TEXT_ARRAY)]);
        let mut stream = pin!(sent.await.map_err(failed)?);
        let mut rows = Vec::new();
        while let Some(row) = stream.try_next().await.map_err(failed)? {
            if rows.len() == ids.len() {
                let what_to_do = "it returns more users than it was asked for; end it with WHERE id::text = ANY($1)";
                return Err(Error::setting(NAME, what_to_do));
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").field("query", &self.query).finish_non_exhaustive()
    }
}

fn read(row: &Row) -> Result<DirectoryUser, Error> {
    let wrong = |error: tokio_postgres::Error| {
        let what_to_do =
            format!("{error}; it returns id::text, email::text, name::text and perhaps a boolean");
        Error::setting(NAME, what_to_do)
    };
    let text = |column: usize| row.try_get::<_, Option<String>>(column).map_err(wrong);
    let verified = if row.len() > 3 {
        row.try_get::<_, Option<bool>>(3).map_err(wrong)?.unwrap_or_default()
    } else {
        false
    };
    Ok(DirectoryUser {
        user_id: text(0)?.unwrap_or_default(),
        email: text(1)?,
        name: text(2)?,
        email_verified: verified,
    })
}
