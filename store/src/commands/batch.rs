//! One transaction of commands, in two round trips.
//!
//! ```text
//! BEGIN · lock the accounts · what was answered before · what of the accounts is needed
//!                                        evaluate
//! answers · commands · what was done to the accounts · outbox · COMMIT
//! ```
//!
//! The server carries out what is sent together one after the other, each statement on what was committed before it began: what
//! stands behind the locks is read under the locks. What is missing then takes further round trips: accounts that are not there
//! yet, more of an account than most commands need, and, before everything, the accounts of what a command names by its id.

use std::collections::{BTreeMap, BTreeSet};

use crate::flight;
use jiff::Timestamp;
use ledger::ids::Owner;

use super::find::{self, Answers, Recorded, Target};
use super::outcome::Outcome;
use super::request::Request;
use super::turn::{Step, Turn};
use super::{Render, save};
use crate::books::load::Named;
use crate::books::open::{self, Accounts, Locking, Place};
use crate::books::{self, load};
use crate::connect::Store;
use crate::error::{Error, Kind};
use crate::messages::Sender;
use crate::projection::outbox;
use crate::tx::{Attempts, Retryable, Tx};

/// Longest wait for a lock. Whoever asks waits for the answer, and is told after it to ask again.
const SETTINGS: &str =
    "SET LOCAL lock_timeout = '2s'; SET LOCAL plan_cache_mode = force_generic_plan";

/// What became of one request, and the answer that was saved for it.
pub(super) type Told = (Outcome, Vec<u8>);

/// What all requests of a batch have in common.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    pub(super) tenant_id: i32,
    pub(super) now: Timestamp,
    pub(super) render: Render<'a>,
}

/// A request, and where it is to be carried out; otherwise, what came of it.
struct Asked<'a> {
    place: usize,
    request: &'a Request,
    target: Result<Target, Outcome>,
}

/// What was locked and read in one round trip.
struct Opened {
    accounts: Accounts,
    answers: Answers,
    first: load::First,
}

/// Why a batch was rolled back.
#[derive(Debug)]
enum Failure {
    /// The database.
    Store(Error),
    /// Another process saved the answer of one of the keys meanwhile.
    Overtaken,
    /// Accounts are to be made first.
    Absent,
    /// A lock was not had in time.
    Locked,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match (error.code(), error.constraint()) {
            // lock_not_available
            (Some("55P03"), _) => Self::Locked,
            // unique_violation
            (Some("23505"), Some("idempotency_pkey")) => Self::Overtaken,
            _ => Self::Store(error),
        }
    }
}

impl Retryable for Failure {
    fn is_retry(&self) -> bool {
        match self {
            Self::Store(error) => error.kind() == Kind::Retry,
            Self::Overtaken | Self::Absent => true,
            Self::Locked => false,
        }
    }
}

impl Batch<'_> {
    /// Carries out requests whose keys all differ. Where a lock was not had in time, those whose account is locked are left
    /// out, and told so.
    pub(super) async fn run(
        &self,
        store: &Store,
        round: &[(usize, &Request)],
    ) -> Result<Vec<(usize, Told)>, Error> {
        for locking in [Locking::Wait, Locking::Skip] {
            match self.repeat(store, round, locking).await {
                Ok(told) => return Ok(told),
                Err(Failure::Store(error)) => return Err(error),
                Err(Failure::Overtaken | Failure::Absent) => break,
                Err(Failure::Locked) => {}
            }
        }
        Ok(in_flight(round))
    }

    async fn repeat(
        &self,
        store: &Store,
        round: &[(usize, &Request)],
        locking: Locking,
    ) -> Result<Vec<(usize, Told)>, Failure> {
        let (mut attempts, mut new) = (Attempts::of("commands"), BTreeMap::new());
        loop {
            let result = self.attempt(store, round, &mut new, locking).await;
            let Some(pause) = attempts.pause_after(&result) else { return result };
            tokio::time::sleep(pause).await;
        }
    }

    /// Carries them out in one transaction. Accounts that are found to be missing are added to `new`.
    async fn attempt(
        &self,
        store: &Store,
        round: &[(usize, &Request)],
        new: &mut BTreeMap<Place, Owner>,
        locking: Locking,
    ) -> Result<Vec<(usize, Told)>, Failure> {
        let tx = store.tx().await?;
        let asked = self.look_up(&tx, round).await?;
        let Opened { mut accounts, answers, first } =
            Box::pin(self.open(&tx, &asked, new, locking)).await?;
        let (mut told, mut targets, mut absent) = (Vec::new(), Vec::new(), Vec::new());
        for Asked { place, request, target } in asked {
            match answers.of(request).map_or(target, Err) {
                Err(outcome) => told.push((place, (outcome, Vec::new()))),
                Ok(target) if accounts.contains_key(&target.place) => {
                    targets.push((place, request, target));
                }
                Ok(target) => absent.push((place, target)),
            }
        }
        told.extend(self.tell_absent(&tx, &absent, new, locking).await?);
        load::for_commands(&tx, self.tenant_id, self.now, &first, &mut accounts).await?;
        let mut turn = Turn::new(self.tenant_id, self.now, targets, &accounts);
        loop {
            let stuck = turn.run(&mut accounts);
            if stuck.is_empty() {
                break;
            }
            load::whole(&tx, self.tenant_id, &stuck, &mut accounts).await?;
        }
        told.extend(
            turn.refused.into_iter().map(|(place, refusal)| (place, (refusal, Vec::new()))),
        );
        let answers = self.save(tx, &turn.steps, &accounts).await?;
        for (step, answer) in turn.steps.into_iter().zip(answers) {
            let done = Outcome::Done(Box::new(step.done));
            told.extend(step.item.place.map(|place| (place, (done, answer))));
        }
        Ok(told)
    }

    /// Finds out where each request is to be carried out. Most name their account; for the others, commands are looked up.
    async fn look_up<'a>(
        &self,
        tx: &Tx,
        round: &[(usize, &'a Request)],
    ) -> Result<Vec<Asked<'a>>, Error> {
        let named = find::named(round.iter().map(|(_, request)| *request));
        let recorded = if named.is_empty() {
            Recorded::default()
        } else {
            let recorded = find::recorded(tx, self.tenant_id, &named);
            flight!(tx.begin(SETTINGS), recorded)?.1
        };
        let asked = round.iter().map(|(place, request)| {
            let target = recorded.target(request);
            Asked { place: *place, request, target }
        });
        Ok(asked.collect())
    }

    /// Begins, unless commands had to be looked up, locks the accounts, and reads what is needed under the locks.
    async fn open(
        &self,
        tx: &Tx,
        asked: &[Asked<'_>],
        new: &BTreeMap<Place, Owner>,
        locking: Locking,
    ) -> Result<Opened, Error> {
        let tenant_id = self.tenant_id;
        let targets = || asked.iter().filter_map(|it| Some((it.request, it.target.as_ref().ok()?)));
        let places: BTreeSet<Place> = targets().map(|(_, target)| target.place.clone()).collect();
        let named = named(targets());
        let missing: BTreeSet<Place> = new.keys().cloned().collect();
        let ((), (), accounts, answers, first) = flight!(
            tx.begin(SETTINGS),
            open::insert(tx, tenant_id, new.values(), &missing),
            open::lock(tx, tenant_id, &places, locking),
            find::answers(tx, tenant_id, asked.iter().map(|it| it.request)),
            load::first(tx, tenant_id, self.now, &places, &named),
        )?;
        Ok(Opened { accounts, answers, first })
    }

    /// What those are told whose accounts were not locked: nobody knows their users, or others are at work there.
    async fn tell_absent(
        &self,
        tx: &Tx,
        absent: &[(usize, Target)],
        new: &mut BTreeMap<Place, Owner>,
        locking: Locking,
    ) -> Result<Vec<(usize, Told)>, Failure> {
        if absent.is_empty() {
            return Ok(Vec::new());
        }
        let users = absent.iter().map(|(_, target)| (target.place.clone(), target.user.clone()));
        let users: BTreeMap<Place, String> = users.collect();
        let known = find::known(tx, self.tenant_id, &users).await?;
        let before = new.len();
        // One that was not there when the others were locked, and is now, was made by another process meanwhile.
        let is_new = |is_there: bool| !is_there || locking == Locking::Wait;
        let missing =
            users.into_iter().filter(|(place, _)| known.get(place).copied().is_some_and(is_new));
        new.extend(missing.map(|(place, user)| (place, Owner::User(user))));
        if new.len() > before {
            return Err(Failure::Absent);
        }
        let told = absent.iter().map(|(place, target)| {
            let is_known = known.contains_key(&target.place);
            let outcome = if is_known { Outcome::KeyInFlight } else { Outcome::UserUnknown };
            (*place, (outcome, Vec::new()))
        });
        Ok(told.collect())
    }

    /// Writes what was carried out, and commits; the answers.
    async fn save(
        &self,
        tx: Tx,
        steps: &[Step<'_>],
        accounts: &Accounts,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let answer = |step: &Step<'_>| {
            let request = &step.item.request;
            let is_kept = request.idempotency.is_some();
            if is_kept { (self.render)(request, &step.done) } else { Vec::new() }
        };
        let answers: Vec<Vec<u8>> = steps.iter().map(answer).collect();
        let sender = Sender { tenant_id: self.tenant_id, now: self.now };
        let messages = save::messages(sender, steps);
        let mut writes = Vec::new();
        writes.extend(save::answers(self.tenant_id, steps, &answers));
        writes.extend(save::commands(self.tenant_id, steps));
        writes.extend(books::save::writes(self.tenant_id, accounts));
        writes.extend(outbox::write(self.tenant_id, self.now, &messages));
        tx.commit_with(writes).await?;
        Ok(answers)
    }
}

/// What requests name, beyond their accounts.
fn named<'a>(targets: impl Iterator<Item = (&'a Request, &'a Target)>) -> Named {
    let mut named = Named::default();
    for (Request { command, .. }, target) in targets {
        named.holds.extend(command.hold().map(|hold_id| hold_id.0));
        named.spends.extend(command.spend().map(|spend_id| spend_id.0));
        named.grants.extend(command.grant().map(|grant_id| (target.place.clone(), grant_id)));
    }
    named
}

/// What all of a round are told on whose keys, or accounts, others are at work.
pub(super) fn in_flight(round: &[(usize, &Request)]) -> Vec<(usize, Told)> {
    round.iter().map(|(place, _)| (*place, (Outcome::KeyInFlight, Vec::new()))).collect()
}
