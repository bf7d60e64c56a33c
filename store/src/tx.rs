//! The one way to run a transaction of several statements: named, retried, counted.
//!
//! A transaction is READ COMMITTED: safety comes from explicit row locks taken in one order, and each statement sees what
//! was committed before it began. The body may run more than once, so it has no effects outside of the database.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;

use crate::connect::{Client, Store};
use crate::error::{Error, Kind};
use crate::flight;
use crate::order::Order;
use crate::statement::{Connection, Link, Write, batch_execute, execute_all, in_turn};

/// How often a transaction is begun before its last error is handed to the caller.
const MAX_ATTEMPTS: u32 = 6;

/// Longest pause before the second attempt; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(4);

/// What becomes of plans until the transaction ends. Plans are kept only of statements that say, or of which a test does, that
/// they can be planned once for all.
pub(crate) const KEEP_PLANS: &str = "SET LOCAL plan_cache_mode = force_generic_plan";
const PLAN_ANEW: &str = "SET LOCAL plan_cache_mode = force_custom_plan";

/// A transaction that is open. Dropping it without [`Tx::commit`] rolls it back, also in the middle of a statement.
///
/// Its statements are sent in the order in which they are polled first. Each sees what was committed before the server came to
/// it, so those that are waited for together may follow a lock without waiting for it to be had.
pub struct Tx {
    client: Client,
    order: Order,
    is_begun: AtomicBool,
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
        let mut attempts = Attempts::of(name);
        loop {
            let result = self.attempt(&mut body).await;
            let Some(pause) = attempts.pause_after(&result) else { return result };
            tokio::time::sleep(pause).await;
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
        let tx = self.tx().await?;
        tx.begin("").await?;
        Ok(tx)
    }

    /// A transaction that is still to be begun, along with its first statements: [`crate::projection::slots::begin_and_claim`].
    pub async fn tx(&self) -> Result<Tx, Error> {
        // Open before BEGIN is sent: if whoever waits for the answer is dropped, the ROLLBACK follows.
        let (client, order) = (self.get().await?, Order::default());
        Ok(Tx { client, order, is_begun: AtomicBool::new(false), open: true })
    }
}

/// The attempts at one transaction.
pub(crate) struct Attempts {
    name: &'static str,
    number: u32,
    pause: Duration,
}

impl Attempts {
    /// Attempts at the transaction of this name.
    pub(crate) const fn of(name: &'static str) -> Self {
        Self { name, number: 1, pause: FIRST_PAUSE }
    }

    /// Counts an attempt. How long to wait before the next one, if it lost and there is to be another.
    pub(crate) fn pause_after<T, E: Retryable>(
        &mut self,
        result: &Result<T, E>,
    ) -> Option<Duration> {
        let again = self.number < MAX_ATTEMPTS && result.as_ref().is_err_and(Retryable::is_retry);
        let outcome = match result {
            Ok(_) => "committed",
            Err(_) if again => "retried",
            Err(_) => "failed",
        };
        metrics::counter!("tally_db_transactions_total", "name" => self.name, "outcome" => outcome)
            .increment(1);
        let pause = self.pause.mul_f64(rand::random());
        self.number = self.number.saturating_add(1);
        self.pause = self.pause.saturating_mul(2);
        again.then_some(pause)
    }
}

impl Tx {
    /// From now on each statement is planned for the tables as they are.
    pub async fn plan_anew(&self) -> Result<(), Error> {
        batch_execute(self, "tx.plan_anew", PLAN_ANEW).await
    }

    /// Begins it with these settings, unless that was done. Nothing may be written until it is known that this succeeded.
    pub(crate) async fn begin(&self, settings: &str) -> Result<(), Error> {
        if self.is_begun.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        batch_execute(self, "tx.begin", &format!("{}; {settings}", self.client.begin())).await
    }

    /// Rolls back, and waits until its locks are free, which dropping it does not.
    pub async fn rollback(mut self) -> Result<(), Error> {
        batch_execute(&self, "tx.rollback", "ROLLBACK").await?;
        self.open = false;
        Ok(())
    }

    /// Commits.
    pub async fn commit(self) -> Result<(), Error> {
        self.commit_with(Vec::new()).await
    }

    /// Writes these, in one round trip.
    pub async fn write(&self, writes: &[Write<'_>]) -> Result<(), Error> {
        execute_all(self, writes).await
    }

    /// Does the last that is to be done, and commits, all of it in one round trip.
    ///
    /// The empty SELECT fails if an earlier statement did, or one of these: COMMIT alone would then roll back and report
    /// success. And COMMIT is not sent at all if something before it was not.
    pub async fn commit_with(mut self, writes: Vec<Write<'_>>) -> Result<(), Error> {
        const NAME: &str = "tx.commit";
        let commit = async {
            let turn = self.order.turn().await;
            if !turn.is_next() {
                return Err(Error::setting(NAME, "a statement before COMMIT was not sent"));
            }
            let sent =
                in_turn(Some(turn), self.client.link().client.batch_execute("SELECT; COMMIT"));
            sent.await.map_err(|error| Error::postgres(NAME, &error))
        };
        flight!(execute_all(&self, &writes), commit)?;
        self.open = false;
        Ok(())
    }
}

impl Connection for Tx {
    fn link(&self) -> Link<'_> {
        Link { begin: None, order: Some(&self.order), ..self.client.link() }
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
