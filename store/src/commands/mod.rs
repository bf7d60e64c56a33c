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
//! | `batch` | one transaction |
//! | `find` | what was done before, and whose account each is about |
//! | `turn` | the evaluation |
//! | `save` | what was done, recorded |
//! | `due` | what ran out of time |
//! | `recorded` | a command as the database keeps it |

mod batch;
mod due;
mod find;
mod outcome;
mod recorded;
mod request;
mod save;
mod turn;

use std::collections::BTreeSet;

use jiff::Timestamp;
use ledger::chain::to_microseconds;

use crate::connect::Store;
use crate::error::Error;
use crate::statement::Statement;
use batch::{Batch, Told};
pub use due::due_list;
pub use outcome::{After, Done, Outcome};
pub use request::{AccountKey, Command, IdempotencyKey, Note, Request};

pub(crate) fn statements() -> Vec<&'static Statement> {
    [due::STATEMENTS, find::STATEMENTS, save::STATEMENTS].concat()
}

/// Makes the bytes of the answer to a request that was carried out. Pure: it is called inside of the transaction.
pub type Render<'a> = &'a (dyn Fn(&Request, &Done) -> Vec<u8> + Sync);

/// Rounds in which nobody is served, since so much has run out of time on the accounts that were asked for: with 256 holds of
/// each that one closes, some seconds of work.
const CLOCK_ROUNDS_MAX: u32 = 64;

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
    let mut rounds_of_the_clock = 0..CLOCK_ROUNDS_MAX;
    loop {
        let round = round(requests, &told);
        if round.is_empty() {
            let outcomes = told.into_iter().flatten().map(|(outcome, _)| outcome);
            return Ok(outcomes.collect());
        }
        let mut answers = Box::pin(batch.run(store, &round)).await?;
        if answers.is_empty() && rounds_of_the_clock.next().is_none() {
            answers = batch::in_flight(&round);
        }
        for (place, outcome) in answers {
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
