//! The check of a whole history, account by account, in one pass over each: what was acknowledged happened once, and the
//! model tells every answer.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::operation::{Answer, Ask, Operation};
use super::order::{Order, Seen};
use super::recorded::{Entry, Recorded};
use super::replay::{Answered, Replayed, replay};
use super::told::{Read, Told};

/// Checks all of it. An error says what cannot have been.
pub(super) fn check(
    users: &[String],
    operations: &[Operation],
    recorded: &Recorded,
) -> Result<(), String> {
    let mut by_account: BTreeMap<usize, Vec<&Operation>> = BTreeMap::new();
    for operation in operations {
        by_account.entry(operation.account).or_default().push(operation);
    }
    for (number, own) in by_account {
        let user = &users[number];
        let entries = recorded.entries.get(user).map_or(&[][..], Vec::as_slice);
        account(&own, entries, &recorded.keys).map_err(|why| format!("{user}: {why}"))?;
    }
    Ok(())
}

fn account(
    operations: &[&Operation],
    entries: &[Entry],
    keys: &BTreeMap<String, Uuid>,
) -> Result<(), String> {
    let entry_of: BTreeMap<Uuid, &Entry> =
        entries.iter().filter_map(|entry| Some((entry.done.as_ref()?.command_id, entry))).collect();
    let done_by = |operation: &Operation| entry_of.get(keys.get(&operation.key)?).copied();
    happened_once(operations, entries, done_by)?;

    let mut answered = Answered::default();
    let mut seen = Vec::new();
    for operation in operations {
        let success = operation.answer.as_ref().filter(|answer| answer.is_success());
        let is_read = matches!(operation.ask, Ask::Read);
        let mut seq = done_by(operation).and_then(|entry| Some(entry.done.as_ref()?.seq));
        if let (Some(answer), true) = (success, is_read) {
            let read: Read = answer.parsed()?;
            seq = Some(read.seq);
            answered.reads.entry(read.seq).or_default().push(read);
        } else if let Some(answer) = success {
            let told: Told = answer.parsed()?;
            if seq != Some(told.seq) {
                return Err(format!("recorded as {seq:?}: {operation:?}"));
            }
            answered.commands.insert(told.seq, told);
        }
        let (invoked, completed) = (operation.invoked, operation.completed);
        seen.extend(seq.map(|seq| Seen { invoked, completed, seq, is_read }));
    }
    let replayed = replay(entries, &answered)?;
    let order = Order::of(&seen);
    order.check(&seen)?;
    operations.iter().try_for_each(|operation| refused_rightly(operation, &replayed, &order))
}

/// What was acknowledged is recorded, what was refused is not, and all that is recorded was asked for, just so.
fn happened_once<'a>(
    operations: &[&Operation],
    entries: &[Entry],
    done_by: impl Fn(&Operation) -> Option<&'a Entry>,
) -> Result<(), String> {
    let mut asked = 0;
    for operation in operations {
        let (entry, answer) = (done_by(operation), &operation.answer);
        match (answer.as_ref().map(Answer::is_success), entry) {
            (Some(true), None) if !matches!(operation.ask, Ask::Read) => {
                return Err(format!("acknowledged, and not recorded: {operation:?}"));
            }
            (Some(false), Some(entry)) => {
                return Err(format!("refused, and done: {operation:?}, {entry:?}"));
            }
            (_, Some(entry)) if !operation.ask.is_done_by(&entry.deed) => {
                return Err(format!("{operation:?} did something else: {entry:?}"));
            }
            (_, Some(_)) => asked += 1,
            (_, None) => {}
        }
    }
    let done = entries.iter().filter_map(|entry| entry.done.as_ref());
    let done = done.filter(|done| !done.is_clocks).count();
    if done == asked { Ok(()) } else { Err(format!("{asked} were asked for, {done} done")) }
}

/// Whether the account was in a state to refuse this while it was asked.
fn refused_rightly(
    operation: &Operation,
    replayed: &Replayed,
    order: &Order,
) -> Result<(), String> {
    let Some(answer) = operation.answer.as_ref().filter(|answer| !answer.is_success()) else {
        return Ok(());
    };
    let problem: Value = answer.parsed()?;
    let floor = order.floor(operation.invoked);
    let ceiling = operation.completed.map_or(i64::MAX, |moment| order.ceiling(moment));
    let has_ended = |what: &str| replayed.ended.get(what).is_some_and(|seq| *seq <= ceiling);
    let is_right = match (&operation.ask, answer.status) {
        (Ask::Spend { amount } | Ask::Hold { amount, .. }, 402) => {
            let states = &replayed.states;
            let first = states.partition_point(|state| state.seq < floor);
            let mut states = states[first..].iter().take_while(|state| state.seq <= ceiling);
            states.any(|state| state.available < *amount && problem["available"] == state.available)
        }
        (
            Ask::Capture { hold: what, .. }
            | Ask::Release { hold: what }
            | Ask::Reverse { spend: what, .. },
            409,
        ) => problem["code"] == "conflict" && has_ended(what),
        // It was asked for again until its end had come.
        (Ask::Grant { expires_at, .. }, 400) => {
            problem["param"] == "expires_at"
                && expires_at.unwrap_or(Timestamp::MAX) <= operation.until
        }
        _ => false,
    };
    if is_right {
        return Ok(());
    }
    Err(format!("no state from {floor} to {ceiling} refuses {operation:?}: {problem}"))
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        matches!(self.status, 200 | 201)
    }

    fn parsed<T: DeserializeOwned>(&self) -> Result<T, String> {
        let body = &self.body;
        serde_json::from_str(body).map_err(|why| format!("{why}: {body}"))
    }
}
