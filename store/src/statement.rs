//! A statement as a constant, with its types, and the ways to run one.

use std::borrow::Cow;
use std::pin::pin;
use std::task::Poll;

use deadpool_postgres::StatementCache;
use futures_util::future::{join_all, join3};
use futures_util::{TryStreamExt, poll};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, RowStream};

use crate::error::Error;
use crate::order::{Order, Turn};

/// An SQL text whose first line is `-- module.function`, with the types that one test compares with the schema's.
#[derive(Debug)]
pub struct Statement {
    /// The text.
    pub sql: &'static str,
    /// Types of `$1`, `$2`, …
    pub params: &'static [Type],
    /// Types of the columns of its rows.
    pub columns: &'static [Type],
}

impl Statement {
    /// Its name: what stands in the first line behind the dashes.
    pub fn name(&self) -> &'static str {
        let line = self.sql.lines().next().unwrap_or_default();
        line.trim_start_matches("--").trim()
    }
}

/// What a statement can run on: a [`crate::Client`] or a [`crate::Tx`].
pub trait Connection: Sync {
    /// How to reach the server through it.
    fn link(&self) -> Link<'_>;
}

/// The inside of a [`Connection`].
pub struct Link<'a> {
    pub(crate) client: &'a tokio_postgres::Client,
    /// Statements that this connection has prepared; none where preparing does not work (a pooler in transaction mode).
    pub(crate) cache: Option<&'a StatementCache>,
    /// What must come before a statement that runs outside of a transaction.
    pub(crate) begin: Option<String>,
    /// Inside of a transaction: in which order its statements are sent.
    pub(crate) order: Option<&'a Order>,
}

/// Values for `$1`, `$2`, …
pub type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A statement that writes, with its values: what is to be sent once all that goes with it is known as well
/// ([`crate::Tx::write`], [`crate::Tx::commit_with`]).
pub struct Write<'a> {
    statement: &'static Statement,
    params: Values<'a>,
}

/// The values of a [`Write`].
pub(crate) type Values<'a> = Vec<Box<dyn ToSql + Sync + Send + 'a>>;

/// [`Values`] from what is listed.
macro_rules! params {
    ($($value:expr),+ $(,)?) => {{
        let values: $crate::statement::Values<'_> = vec![$(Box::new($value)),+];
        values
    }};
}
pub(crate) use params;

impl<'a> Write<'a> {
    /// `statement` with the values of its parameters, the columns of so many rows: nothing, if there are none.
    pub(crate) fn of(
        rows: usize,
        statement: &'static Statement,
        params: Values<'a>,
    ) -> Option<Self> {
        (rows > 0).then_some(Self { statement, params })
    }

    async fn execute(&self, connection: &impl Connection) -> Result<(), Error> {
        let params = self.params.iter().map(|param| -> &(dyn ToSql + Sync) { &**param });
        let params: Vec<&(dyn ToSql + Sync)> = params.collect();
        execute(connection, self.statement, &params).await.map(drop)
    }
}

/// Most writes that are sent together. So many `join_all` polls one after the other, which is the order of sending; of more it
/// might pause at some, and let COMMIT pass.
const WRITES_MAX: usize = 30;

/// Runs these in the order given, all of them on their way before the first answer comes. Of several that fail the first one
/// says why: those behind it are refused because of it.
pub(crate) async fn execute_all(
    connection: &impl Connection,
    writes: &[Write<'_>],
) -> Result<(), Error> {
    debug_assert!(writes.len() <= WRITES_MAX, "a batch writes to some 20 tables");
    join_all(writes.iter().map(|write| write.execute(connection))).await.into_iter().collect()
}

/// Runs a statement and returns its rows.
pub async fn query(
    connection: &impl Connection,
    statement: &Statement,
    params: Params<'_>,
) -> Result<Vec<Row>, Error> {
    let outcome = run(connection.link(), statement, params).await;
    outcome.map(|(rows, _)| rows).map_err(|error| Error::postgres(statement.name(), &error))
}

/// Runs a statement that returns exactly one row.
pub async fn query_one(
    connection: &impl Connection,
    statement: &Statement,
    params: Params<'_>,
) -> Result<Row, Error> {
    let row = query_opt(connection, statement, params).await?;
    row.ok_or_else(|| Error::setting(statement.name(), "it returned no row"))
}

/// Runs a statement that returns one row or none.
pub async fn query_opt(
    connection: &impl Connection,
    statement: &Statement,
    params: Params<'_>,
) -> Result<Option<Row>, Error> {
    let mut rows = query(connection, statement, params).await?;
    let row = rows.pop();
    if rows.is_empty() {
        Ok(row)
    } else {
        Err(Error::setting(statement.name(), "it returned more than one row"))
    }
}

/// Runs a statement and returns how many rows it touched.
pub async fn execute(
    connection: &impl Connection,
    statement: &Statement,
    params: Params<'_>,
) -> Result<u64, Error> {
    let outcome = run(connection.link(), statement, params).await;
    outcome.map(|(_, touched)| touched).map_err(|error| Error::postgres(statement.name(), &error))
}

/// Runs what has no parameters and returns nothing: BEGIN, COMMIT and settings. `name` is for errors.
pub(crate) async fn batch_execute(
    connection: &impl Connection,
    name: &'static str,
    sql: &str,
) -> Result<(), Error> {
    let link = connection.link();
    let turn = link.turn().await;
    let sent = in_turn(turn, link.client.batch_execute(sql)).await;
    sent.map_err(|error| Error::postgres(name, &error))
}

async fn run(
    link: Link<'_>,
    statement: &Statement,
    params: Params<'_>,
) -> Result<(Vec<Row>, u64), tokio_postgres::Error> {
    let turn = link.turn().await;
    if let Some(cache) = link.cache {
        let prepared = cache.prepare_typed(link.client, statement.sql, statement.params).await?;
        // Boxed, because several of these are waited for together.
        let rows = Box::pin(collect(link.client.query_raw(&prepared, params.iter().copied())));
        return in_turn(turn, rows).await;
    }
    let params = params.iter().copied().zip(statement.params.iter().cloned());
    let rows = Box::pin(collect(link.client.query_typed_raw(statement.sql, params)));
    let Some(begin) = link.begin else { return in_turn(turn, rows).await };
    // All three are on their way before the first answer comes: one round trip. If the statement fails, COMMIT rolls back.
    let (begun, rows, committed) =
        join3(link.client.batch_execute(&begin), rows, link.client.batch_execute("COMMIT")).await;
    begun.and(rows).and_then(|rows| committed.map(|()| rows))
}

impl<'a> Link<'a> {
    async fn turn(&self) -> Option<Turn<'a>> {
        match self.order {
            Some(order) => Some(order.turn().await),
            None => None,
        }
    }
}

/// Sends a statement, which is what the first poll of `sending` does, lets the next one have its turn, and then waits for the
/// answer.
pub(crate) async fn in_turn<T>(
    turn: Option<Turn<'_>>,
    sending: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, tokio_postgres::Error> {
    let mut sending = pin!(sending);
    let answered = poll!(sending.as_mut());
    if let Poll::Ready(Err(error)) = answered {
        return Err(error);
    }
    if let Some(turn) = turn {
        turn.sent();
    }
    match answered {
        Poll::Ready(answered) => answered,
        Poll::Pending => sending.await,
    }
}

async fn collect(
    rows: impl Future<Output = Result<RowStream, tokio_postgres::Error>>,
) -> Result<(Vec<Row>, u64), tokio_postgres::Error> {
    let mut stream = pin!(rows.await?);
    let mut rows = Vec::new();
    while let Some(row) = stream.try_next().await? {
        rows.push(row);
    }
    let touched = stream.rows_affected().unwrap_or_default();
    Ok((rows, touched))
}

/// Text as Postgres can store it: NUL, which it does not know, becomes U+FFFD.
pub fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}
