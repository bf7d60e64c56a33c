//! The one way to run a transaction of several statements: named, retried, counted.
//!
//! A transaction is READ COMMITTED: safety comes from explicit row locks taken in one order, and each statement sees what
//! was committed before it began. The body may run more than once, so it has no effects outside of the database.

use std::time::Duration;

use futures_util::FutureExt;

use crate::connect::{Client, Store};
use crate::error::{Error, Kind};
use crate::statement::{Connection, Link, batch_execute};

/// How often a transaction is begun before its last error is handed to the caller.
const MAX_ATTEMPTS: u32 = 6;

/// Longest pause before the second attempt; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(4);

/// A transaction that is open. Dropping it without [`Tx::commit`] rolls it back, also in the middle of a statement.
pub struct Tx {
    client: Client,
    open: bool,
}

/// An error of a transaction's body, as far as [`Store::run_tx`] must understand it.
pub trait Retryable: From<Error> {
    /// True if the transaction lost against another one and should be begun again.
    fn is_retry(&self) -> bool;
}

impl Retryable for Error {
    fn is_retry(&self) -> bool {
        self.kind() == Kind::Retry
    }
}

impl Store {
    /// Runs `body` in a transaction and commits it if `body` returns it, with a value for the caller.
    ///
    /// ```text
    /// store.run_tx("name", |tx| async move { execute(&tx, &STATEMENT, &[&id]).await?; Ok((tx, ())) }).await
    /// ```
    ///
    /// A serialization failure, a deadlock or a lock that was not had in time rolls back and runs `body` again, a limited
    /// number of times; so what it captures must be `Copy`, such as references. If the connection breaks at COMMIT, the
    /// outcome is unknown and the error says `Unavailable`. Counted as `tally_db_transactions_total{name, outcome}`.
    pub async fn run_tx<T, E, F>(
        &self,
        name: &'static str,
        mut body: impl FnMut(Tx) -> F,
    ) -> Result<T, E>
    where
        E: Retryable,
        F: Future<Output = Result<(Tx, T), E>>,
    {
        let mut pause = FIRST_PAUSE;
        let mut attempt = 1;
        loop {
            let result = self.attempt(&mut body).await;
            let again = attempt < MAX_ATTEMPTS && result.as_ref().is_err_and(Retryable::is_retry);
            let outcome = match &result {
                Ok(_) => "committed",
                Err(_) if again => "retried",
                Err(_) => "failed",
            };
            metrics::counter!("tally_db_transactions_total", "name" => name, "outcome" => outcome)
                .increment(1);
            if !again {
                return result;
            }
            tokio::time::sleep(pause.mul_f64(rand::random())).await;
            pause = pause.saturating_mul(2);
            attempt = attempt.saturating_add(1);
        }
    }

    async fn attempt<T, E, F>(&self, body: &mut impl FnMut(Tx) -> F) -> Result<T, E>
    where
        E: Retryable,
        F: Future<Output = Result<(Tx, T), E>>,
    {
        let (tx, value) = body(self.begin().await?).await?;
        tx.commit().await?;
        Ok(value)
    }

    /// Begins a transaction, for whoever decides himself when to begin it anew.
    pub async fn begin(&self) -> Result<Tx, Error> {
        // Made before BEGIN is sent: if this future is dropped while it waits for the answer, the ROLLBACK follows.
        let tx = Tx { client: self.get().await?, open: true };
        batch_execute(&tx, "tx.begin", &tx.client.begin()).await?;
        Ok(tx)
    }
}

impl Tx {
    /// Commits. The empty SELECT fails if an error of an earlier statement was overlooked: COMMIT alone would then roll
    /// back and report success.
    pub async fn commit(mut self) -> Result<(), Error> {
        batch_execute(&self, "tx.commit", "SELECT; COMMIT").await?;
        self.open = false;
        Ok(())
    }
}

impl Connection for Tx {
    fn link(&self) -> Link<'_> {
        Link { begin: None, ..self.client.link() }
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if self.open {
            // The first poll sends it; nobody needs the answer. Whoever borrows the connection next queues behind it.
            let _ = batch_execute(&*self, "tx.rollback", "ROLLBACK").now_or_never();
        }
    }
}
