//! Commands: what the app, staff and the clock do to accounts. [`execute`] is the door to all of them.
//!
//! What came together is carried out in one transaction: each account is locked once, its commands are evaluated in the
//! order in which they arrived, and all that they did is written by one statement for each table. What one is refused
//! does no harm to the others. A command, what it did, and the answer under its idempotency key are committed together or
//! not at all.
//!
//! writers of command, idempotency: api, keeper (command alone)
//!
//! | module | what |
//! |---|---|
//! | `request`, `outcome` | what is asked, and what came of it |
//! | `find` | what was done before, and whose account each is about |
//! | `turn` | the evaluation |
//! | `save` | what was done, recorded |
//! | `due` | what ran out of time |
//! | `recorded` | a command as the database keeps it |

mod due;
mod find;
mod outcome;
mod recorded;
mod request;
mod save;
mod turn;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ledger::chain::to_microseconds;

use crate::books::open::Locking;
use crate::books::{self, load, open};
use crate::connect::Store;
use crate::error::{Error, Kind};
use crate::messages::Sender;
use crate::projection::outbox;
use crate::statement::Statement;
use crate::tx::{Retryable, Tx};
pub use due::due_list;
use find::{Found, Target};
pub use outcome::{After, Done, Outcome};
pub use request::{AccountKey, Command, IdempotencyKey, Note, Request};
use turn::{Step, Turn};

pub(crate) fn statements() -> Vec<&'static Statement> {
    [due::STATEMENTS, find::STATEMENTS, save::STATEMENTS].concat()
}

/// Makes the bytes of the answer to a request that was carried out. Pure: it is called inside of the transaction.
pub type Render<'a> = &'a (dyn Fn(&Request, &Done) -> Vec<u8> + Sync);

/// Why a batch was rolled back.
#[derive(Debug)]
enum Failure {
    /// The database.
    Store(Error),
    /// Another process saved the answer of one of the keys meanwhile.
    Overtaken,
    /// A lock was not had in time.
    Locked,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        // lock_not_available
        if error.code() == Some("55P03") { Self::Locked } else { Self::Store(error) }
    }
}

impl Retryable for Failure {
    fn is_retry(&self) -> bool {
        match self {
            Self::Store(error) => error.kind() == Kind::Retry,
            Self::Overtaken => true,
            Self::Locked => false,
        }
    }
}

/// What became of one request, and the answer that was saved for it.
type Told = (Outcome, Vec<u8>);

/// Carries out what came together; what became of each, in the order given. An error means that nothing of it is known to
/// be done: with the same keys, it may be asked for again.
pub async fn execute(
    store: &Store,
    tenant_id: i32,
    now: Timestamp,
    requests: &[Request],
    render: Render<'_>,
) -> Result<Vec<Outcome>, Error> {
    let batch = Batch { tenant_id, now: to_microseconds(now), render };
    let mut told: Vec<Option<Told>> = requests.iter().map(|_| None).collect();
    loop {
        let round = round(requests, &told);
        if round.is_empty() {
            let outcomes = told.into_iter().flatten().map(|(outcome, _)| outcome);
            return Ok(outcomes.collect());
        }
        for (place, outcome) in Box::pin(batch.run(store, &round)).await? {
            count(&requests[place], &outcome.0);
            told[place] = Some(outcome);
        }
        repeat(requests, &mut told);
    }
}

/// The requests that have no answer yet, each key once: the first with it is carried out alone.
fn round<'a>(requests: &'a [Request], told: &[Option<Told>]) -> Vec<(usize, &'a Request)> {
    let mut keys = BTreeSet::new();
    let open = requests.iter().enumerate().zip(told).filter(|(_, told)| told.is_none());
    open.map(|(numbered, _)| numbered).filter(|(_, request)| keys.insert(same(request))).collect()
}

/// What makes two requests one: their key, or, without one, their id.
fn same(request: &Request) -> (Option<&str>, Option<uuid::Uuid>) {
    match &request.idempotency {
        Some(idempotency) => (Some(&idempotency.key), None),
        None => (None, Some(request.command_id)),
    }
}

/// Tells those whose key was carried out in this batch what the first with it was told.
fn repeat(requests: &[Request], told: &mut [Option<Told>]) {
    for place in 0..requests.len() {
        if told[place].is_some() {
            continue;
        }
        let first = (0..place).find(|first| same(&requests[*first]) == same(&requests[place]));
        let Some((outcome, answer)) = first.and_then(|first| told[first].clone()) else { continue };
        let hash = |place: usize| requests[place].idempotency.as_ref().map(|it| it.request_hash);
        let is_same = first.is_some_and(|first| hash(first) == hash(place));
        let (command_id, answer) = match &outcome {
            Outcome::Done(done) => (Some(done.command_id), answer),
            Outcome::Replayed { command_id, answer } => (Some(*command_id), answer.clone()),
            Outcome::Refused(_)
            | Outcome::UserUnknown
            | Outcome::HoldUnknown
            | Outcome::SpendUnknown
            | Outcome::KeyReused
            | Outcome::KeyInFlight => (None, answer),
        };
        told[place] = match (command_id, is_same) {
            (Some(command_id), true) => {
                Some((Outcome::Replayed { command_id, answer: answer.clone() }, answer))
            }
            (Some(_), false) => Some((Outcome::KeyReused, Vec::new())),
            (None, true) => Some((outcome, answer)),
            // What was refused leaves its key free.
            (None, false) => None,
        };
    }
}

fn count(request: &Request, outcome: &Outcome) {
    let (command, outcome) = (request.command.name(), outcome.name());
    metrics::counter!("tally_commands_total", "command" => command, "outcome" => outcome)
        .increment(1);
}

/// What all requests of a batch have in common.
#[derive(Clone, Copy)]
struct Batch<'a> {
    tenant_id: i32,
    now: Timestamp,
    render: Render<'a>,
}

impl Batch<'_> {
    /// Carries out requests whose keys all differ. Where a lock was not had in time, those whose account is locked are left
    /// out, and told so.
    async fn run(
        &self,
        store: &Store,
        round: &[(usize, &Request)],
    ) -> Result<Vec<(usize, Told)>, Error> {
        for locking in [Locking::Wait, Locking::Skip] {
            let attempt = |tx| self.attempt(tx, round, locking);
            match store.run_tx("commands", attempt).await {
                Ok(told) => return Ok(told),
                Err(Failure::Store(error)) => return Err(error),
                Err(Failure::Overtaken) => break,
                Err(Failure::Locked) => {}
            }
        }
        let in_flight = round.iter().map(|(place, _)| (*place, (Outcome::KeyInFlight, Vec::new())));
        Ok(in_flight.collect())
    }

    async fn attempt(
        &self,
        tx: Tx,
        round: &[(usize, &Request)],
        locking: Locking,
    ) -> Result<(Tx, Vec<(usize, Told)>), Failure> {
        let requests: Vec<&Request> = round.iter().map(|(_, request)| *request).collect();
        let found = find::find(&tx, self.tenant_id, &requests).await?;
        let mut told = Vec::with_capacity(round.len());
        let mut targets: Vec<(usize, &Request, Target)> = Vec::with_capacity(round.len());
        for ((place, request), found) in round.iter().zip(found.found) {
            match found {
                Found::Answered(outcome) => told.push((*place, (outcome, Vec::new()))),
                Found::Target(target) => targets.push((*place, request, target)),
            }
        }
        if targets.is_empty() {
            return Ok((tx, told));
        }
        if !found.new.is_empty() {
            open::insert_owners(&tx, self.tenant_id, found.new.values()).await?;
            let places = found.new.into_keys().collect();
            open::insert_accounts(&tx, self.tenant_id, &places).await?;
        }
        let places = targets.iter().map(|(_, _, target)| target.place.clone()).collect();
        let mut accounts = open::lock(&tx, self.tenant_id, &places, locking).await?;
        targets.retain(|(place, _, target)| {
            let is_locked = accounts.contains_key(&target.place);
            if !is_locked {
                told.push((*place, (Outcome::KeyInFlight, Vec::new())));
            }
            is_locked
        });
        let named = named(&targets);
        load::for_commands(&tx, self.tenant_id, self.now, named, &mut accounts).await?;
        let mut turn = Turn::new(self.tenant_id, self.now, targets, &accounts);
        loop {
            let stuck = turn.run(&mut accounts);
            if stuck.is_empty() {
                break;
            }
            load::whole(&tx, self.tenant_id, &stuck, &mut accounts).await?;
        }
        told.extend(self.refused(&tx, round, turn.refused).await?);
        let answers = Box::pin(self.save(&tx, &turn.steps, &accounts)).await?;
        for (step, answer) in turn.steps.into_iter().zip(answers) {
            let done = Outcome::Done(Box::new(step.done));
            told.extend(step.item.place.map(|place| (place, (done, answer))));
        }
        Ok((tx, told))
    }

    /// What those are told that were refused. One whose key another process was faster with was carried out, and may have been
    /// refused for no other reason: it spent what the first had spent.
    async fn refused(
        &self,
        tx: &Tx,
        round: &[(usize, &Request)],
        refused: Vec<(usize, Outcome)>,
    ) -> Result<Vec<(usize, Told)>, Error> {
        if refused.is_empty() {
            return Ok(Vec::new());
        }
        let requests: BTreeMap<usize, &Request> = round.iter().copied().collect();
        let asked = refused.iter().filter_map(|(place, _)| requests.get(place).copied());
        let asked: Vec<&Request> = asked.collect();
        let answered = find::answered(tx, self.tenant_id, &asked).await?;
        let told = refused.into_iter().zip(answered);
        Ok(told
            .map(|((place, refusal), answered)| (place, (answered.unwrap_or(refusal), Vec::new())))
            .collect())
    }

    /// Writes what was carried out; the answers.
    async fn save(
        &self,
        tx: &Tx,
        steps: &[Step<'_>],
        accounts: &open::Accounts,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        let answer = |step: &Step<'_>| {
            let request = &step.item.request;
            let is_kept = request.idempotency.is_some();
            if is_kept { (self.render)(request, &step.done) } else { Vec::new() }
        };
        let answers: Vec<Vec<u8>> = steps.iter().map(answer).collect();
        if steps.is_empty() {
            return Ok(answers);
        }
        let sender = Sender { tenant_id: self.tenant_id, now: self.now };
        let messages = save::messages(sender, steps);
        let (is_first, (), (), ()) = futures_util::try_join!(
            save::answers(tx, self.tenant_id, steps, &answers),
            save::commands(tx, self.tenant_id, steps),
            books::save::save(tx, self.tenant_id, accounts),
            outbox::insert_in_tx(tx, self.tenant_id, self.now, &messages),
        )?;
        if is_first { Ok(answers) } else { Err(Failure::Overtaken) }
    }
}

/// What the requests name, beyond their accounts.
fn named(targets: &[(usize, &Request, Target)]) -> load::Named {
    let mut named = load::Named::default();
    for (_, Request { command, .. }, target) in targets {
        named.holds.extend(command.hold().map(|hold_id| hold_id.0));
        named.spends.extend(command.spend().map(|spend_id| spend_id.0));
        named.grants.extend(command.grant().map(|grant_id| (target.place.clone(), grant_id)));
    }
    named
}
