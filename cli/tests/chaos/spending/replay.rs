//! One account's entries, done again by the model one after the other; what was answered is compared on the way.

use std::collections::BTreeMap;

use super::model::{Account, Deed};
use super::recorded::Entry;
use super::told::{Read, Told};

/// What clients were answered about one account, by `seq`.
#[derive(Debug, Default)]
pub(super) struct Answered {
    pub(super) commands: BTreeMap<i64, Told>,
    pub(super) reads: BTreeMap<i64, Vec<Read>>,
}

/// How an account stood between two entries.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) seq: i64,
    pub(super) available: i64,
}

/// What the model found.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    /// Every state of the account.
    pub(super) states: Vec<State>,
    /// When each hold was ended and each spend given back.
    pub(super) ended: BTreeMap<String, i64>,
}

/// Does it all again. An error says what differs first.
pub(super) fn replay(entries: &[Entry], answered: &Answered) -> Result<Replayed, String> {
    let mut account = Account::default();
    let mut replayed = Replayed::default();
    let (mut seq, mut position) = (0, 0);
    replayed.states.push(State { seq, available: 0 });
    // Reads of the state that the model has reached, unless it was found to be theirs.
    let mut open: Vec<&Read> = answered.reads.get(&seq).into_iter().flatten().collect();
    open.retain(|read| !is_told(&account, read, read.as_of));
    for entry in entries {
        let deed = entry.deed.clone();
        let told = account.apply(deed, entry.at).map_err(|why| format!("{entry:?}: {why}"))?;
        position = position.max(entry.position);
        if let Some(done) = &entry.done {
            none_left(&open, &account)?;
            seq += 1;
            if done.seq != seq {
                return Err(format!("{seq} is missing before {entry:?}"));
            }
            let told = Told { seq, balance: account.balance(entry.at), ..told };
            let answer = answered.commands.get(&seq).filter(|answer| **answer != told);
            if let Some(answer) = answer {
                return Err(format!("answered {answer:?}, but {entry:?} tells {told:?}"));
            }
            replayed.ended.extend(ended(&entry.deed).map(|what| (what, seq)));
            open = answered.reads.get(&seq).into_iter().flatten().collect();
        }
        // What a payment did is not counted by seq: a read may have seen the account before it, or with it.
        let is_here = |read: &&Read| read.position >= position;
        open.retain(|read| !(is_here(read) && is_told(&account, read, read.as_of.max(entry.at))));
        replayed.states.push(State { seq, available: account.balance(entry.at).available });
    }
    none_left(&open, &account)?;
    match answered.commands.keys().chain(answered.reads.keys()).find(|told| **told > seq) {
        Some(told) => Err(format!("{told} was told, but the newest is {seq}")),
        None => Ok(replayed),
    }
}

/// Whether a read tells what the account has.
fn is_told(account: &Account, read: &Read, now: jiff::Timestamp) -> bool {
    read.balance == account.balance(now) && read.expiring_next == account.expiring_next(now)
}

fn none_left(open: &[&Read], account: &Account) -> Result<(), String> {
    let Some(read) = open.first() else { return Ok(()) };
    let (balance, next) = (account.balance(read.as_of), account.expiring_next(read.as_of));
    Err(format!("{read:?} is of no state; the last of them: {balance:?}, {next:?}"))
}

/// The hold that was ended, or the spend that was given back.
fn ended(deed: &Deed) -> Option<String> {
    match deed {
        Deed::Capture { hold, .. } | Deed::Release { hold } | Deed::ExpireHold { hold } => {
            Some(hold.clone())
        }
        Deed::Reverse { spend, .. } => Some(spend.clone()),
        Deed::Spend { .. }
        | Deed::Hold { .. }
        | Deed::Grant { .. }
        | Deed::ExpireGrant { .. }
        | Deed::Buy { .. }
        | Deed::TakeBack { .. } => None,
    }
}
