//! The books: the one door through which credits move.
//!
//! Whoever moves credits locks accounts, lets [`ledger::account`] evaluate what is to be done on them, one operation after
//! the other, and writes what came out. Decisions come in by [`evaluate_in_tx`], commands by [`crate::commands`]; nobody else
//! writes to these tables. Its place in the lock order is told in [`crate::projection`].
//!
//! writers of owner, account, posting, `credit_grant`, `grant_move`, hold, reversal: whoever calls this (projector, api,
//! keeper)
//!
//! | module | what |
//! |---|---|
//! | `open` | accounts that are locked |
//! | `load` | what of them is read |
//! | `save` | what was done to them, written |

pub(crate) mod load;
pub(crate) mod open;
pub(crate) mod save;

use std::collections::BTreeSet;

use crate::flight;
use jiff::Timestamp;
use ledger::account::{Act, ClawbackPolicy, Effects, Operation, Posting, Refusal, Source};
use ledger::ids::Owner;
use ledger::movement::{Change, Movement, NewTerms};

use crate::error::Error;
use crate::statement::{Connection, Statement, Write};
use load::{Line, Lines};
use open::{Accounts, Locking, Place};

pub(crate) fn statements() -> Vec<&'static Statement> {
    [open::STATEMENTS, load::STATEMENTS, &save::statements()].concat()
}

/// Why movements could not be posted. Nothing of them was written: the transaction must be rolled back.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The database.
    #[error(transparent)]
    Store(#[from] Error),
    /// The ledger refused: the movements do not fit what stands in the books.
    #[error("posting to {owner:?} in {unit}: {source}")]
    Refused {
        /// Whose account.
        owner: Owner,
        /// Unit.
        unit: String,
        /// Why.
        source: Refusal,
    },
}

/// What decisions do to the books.
#[derive(Clone, Copy, Debug)]
pub struct Decided<'a> {
    /// Movements, in the order in which they are posted.
    pub movements: &'a [Movement],
    /// Other terms for what is left then.
    pub new_terms: &'a [NewTerms],
    /// Owners to be known as well, though nothing moves for them: a payment whose credits all went back may be found to be
    /// somebody's who never had any.
    pub owners: &'a BTreeSet<Owner>,
    /// What becomes of credits that are taken back and are gone.
    pub clawback: ClawbackPolicy,
}

/// What one movement came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Posted {
    /// Its postings.
    pub postings: Vec<Posting>,
    /// Credits that were written off by it; below zero: that had been, and came back.
    pub forgiven: i64,
}

/// What was decided, evaluated on accounts that are locked: still to be written.
pub struct Moved {
    tenant_id: i32,
    accounts: Accounts,
    /// What each movement came to, in their order.
    pub posted: Vec<Posted>,
}

impl Moved {
    /// What is to be written.
    pub fn writes(&self) -> Vec<Write<'_>> {
        save::writes(self.tenant_id, &self.accounts)
    }
}

/// Locks the accounts that decisions move credits on, and evaluates the movements there.
pub async fn evaluate_in_tx(
    tx: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
    decided: Decided<'_>,
) -> Result<Moved, PostError> {
    let Decided { movements, new_terms, owners, clawback } = decided;
    let moved = movements.iter().map(|movement| &movement.owner);
    let owners = moved.chain(new_terms.iter().map(|new| &new.owner)).chain(owners);
    let places = places_of(movements, new_terms);
    let lines = Lines::of(movements, new_terms);
    let ((), accounts, first) = flight!(
        open::insert(tx, tenant_id, owners, &places),
        open::lock(tx, tenant_id, &places, Locking::Wait),
        load::first_for_decisions(tx, tenant_id, now, &places, &lines),
    )?;
    let mut turn = Turn { tenant_id, now, clawback, accounts };
    load::for_decisions(tx, tenant_id, now, &first, &mut turn.accounts).await?;
    let mut posted = Vec::with_capacity(movements.len());
    for movement in movements {
        posted.push(turn.post(tx, movement).await?);
    }
    for new in new_terms {
        let place = (new.owner.account_id().0, new.unit.clone());
        if let Some(opened) = turn.accounts.get_mut(&place) {
            opened.set_terms(&new.source, new.terms);
        }
    }
    Ok(Moved { tenant_id, accounts: turn.accounts, posted })
}

fn places_of(movements: &[Movement], new_terms: &[NewTerms]) -> BTreeSet<Place> {
    let moved = movements.iter().map(|movement| (&movement.owner, &movement.unit));
    let all = moved.chain(new_terms.iter().map(|new| (&new.owner, &new.unit)));
    all.map(|(owner, unit)| (owner.account_id().0, unit.clone())).collect()
}

impl Lines {
    fn of(movements: &[Movement], new_terms: &[NewTerms]) -> Self {
        let line = |owner: &Owner, unit: &str, source: &Source| -> Line {
            (owner.account_id().0, unit.into(), source.root_key.clone(), source.line.clone())
        };
        let (mut drawn, mut given) = (BTreeSet::new(), BTreeSet::new());
        for movement in movements {
            let line = line(&movement.owner, &movement.unit, &movement.source);
            match (movement.change, &movement.owner) {
                (Change::Take(_) | Change::Owe(_), _) => drawn.insert(line),
                (Change::Grant, Owner::User(_)) => given.insert(line),
                // What an approver wrote off stood on an unclaimed account: nobody had spent it.
                (Change::Grant, Owner::Unclaimed(_)) => false,
            };
        }
        drawn.extend(new_terms.iter().map(|new| line(&new.owner, &new.unit, &new.source)));
        Self { drawn: drawn.into_iter().collect(), given }
    }
}

/// Movements being posted, one after the other.
struct Turn {
    tenant_id: i32,
    now: Timestamp,
    clawback: ClawbackPolicy,
    accounts: Accounts,
}

impl Turn {
    /// Posts one movement.
    async fn post(
        &mut self,
        tx: &impl Connection,
        movement: &Movement,
    ) -> Result<Posted, PostError> {
        let (act, operation) = movement.operation(self.tenant_id, self.now, self.clawback);
        let effects = self.evaluate(tx, movement, &act, &operation).await?;
        Ok(Posted { postings: effects.postings, forgiven: effects.forgiven })
    }

    /// Evaluates an operation on the movement's account; with the whole of it in memory, if it needs that.
    async fn evaluate(
        &mut self,
        tx: &impl Connection,
        movement: &Movement,
        act: &Act,
        operation: &Operation,
    ) -> Result<Effects, PostError> {
        let place = (movement.owner.account_id().0, movement.unit.clone());
        let mut evaluated = open::evaluate(&mut self.accounts, &place, act, operation)?;
        if evaluated == Err(Refusal::NotLoaded) {
            load::whole(tx, self.tenant_id, std::slice::from_ref(&place), &mut self.accounts)
                .await?;
            evaluated = open::evaluate(&mut self.accounts, &place, act, operation)?;
        }
        evaluated.map_err(|source| PostError::Refused {
            owner: movement.owner.clone(),
            unit: movement.unit.clone(),
            source,
        })
    }
}
