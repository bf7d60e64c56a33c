//! Which of two that happen at one instant comes first at an account is nobody's choice, and shows in no balance: a payment's
//! credits are taken back, and the clock ends what is due, a spend is given back, or a hold ends.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ledger::account::{Account, Act, ClawbackPolicy, ExpiredPolicy, Operation, Source, Terms};

/// Takes a payment's credits back before and after each other thing that could happen now, and compares what is left.
pub(super) fn show_nothing(account: &Account, act: &Act, operation: &Operation) {
    let Operation::Clawback { policy, source, .. } = operation else { return };
    let is_owed = *policy != ClawbackPolicy::WriteOff;
    if is_owed && account.forgiven.values().any(|forgiven| *forgiven != 0) {
        // What was forgiven under another policy than today's pays today's debts for as long as it is held.
        return;
    }
    let due = due(account, act);
    let one = played(account, act, std::slice::from_ref(operation));
    let other = played(account, act, &[&due, std::slice::from_ref(operation)].concat());
    let left = |account: &Account| -> BTreeMap<i64, (i64, i64)> {
        let all = account.grants.iter();
        all.map(|grant| (grant.grant_id, (grant.remaining, grant.held))).collect()
    };
    assert_eq!(left(&one), left(&other), "what is left of each grant");
    assert_eq!((sums(&one), one.frozen), (sums(&other), other.frozen));
    let mut swept = account.clone();
    play(&mut swept, act, &due);
    // What is owed is paid at once by whatever is there, and what comes back later goes where it came from. Where the one ends
    // before the other, that shows.
    if is_owed && account.grants.iter().any(|grant| grant.terms.expires_at.is_some()) {
        return;
    }
    // So it does where a part of a line has expired and is taken, and another part is not there yet.
    let own = account.grants.iter().filter(|grant| grant.source.as_ref() == Some(source));
    let ends: BTreeSet<Option<Timestamp>> = own.map(|grant| grant.terms.expires_at).collect();
    if ends.len() > 1 {
        return;
    }
    for command in commands(&swept) {
        let one = played(&swept, act, &[operation.clone(), command.clone()]);
        let other = played(&swept, act, &[command.clone(), operation.clone()]);
        assert_eq!(sums(&one), sums(&other), "{command:?}");
    }
}

/// What is left: posted, held, written off.
fn sums(account: &Account) -> (i64, i64, Vec<(&Source, &i64)>) {
    let forgiven = account.forgiven.iter().filter(|(_, forgiven)| **forgiven != 0);
    (account.posted, account.held, forgiven.collect())
}

/// The account after these, and all that is due then.
fn played(account: &Account, act: &Act, operations: &[Operation]) -> Account {
    let mut account = account.clone();
    play(&mut account, act, operations);
    let due = due(&account, act);
    play(&mut account, act, &due);
    account
}

fn play(account: &mut Account, act: &Act, operations: &[Operation]) {
    for operation in operations {
        account.evaluate(act, operation).unwrap();
    }
}

/// What gives back, and what ends holds that are backed: what is captured of others is a spend of what is there.
fn commands(account: &Account) -> Vec<Operation> {
    let mut commands = Vec::new();
    for spend in account.spends.iter().filter(|spend| !spend.is_reversed) {
        for expired in [ExpiredPolicy::Lapse, ExpiredPolicy::Renew] {
            let (spend_id, terms) = (spend.spend_id, Terms::default());
            commands.push(Operation::Reverse { spend_id, expired, terms });
        }
    }
    for hold in account.holds.iter().filter(|hold| hold.is_open()) {
        if hold.reserved.values().sum::<i64>() == hold.amount {
            let hold_id = hold.hold_id;
            commands.push(Operation::Release { hold_id });
            commands.push(Operation::Capture { hold_id, amount: Some(1) });
            commands.push(Operation::Capture { hold_id, amount: None });
        }
    }
    commands
}

/// What has run out of time, as the clock ends it: what did so first comes first.
fn due(account: &Account, act: &Act) -> Vec<Operation> {
    let now = account.last_at.map_or(act.recorded_at, |last_at| last_at.max(act.recorded_at));
    let mut due: Vec<(Option<Timestamp>, Operation)> = Vec::new();
    for grant in account.grants.iter().filter(|grant| grant.has_expired(now)) {
        due.push((grant.terms.expires_at, Operation::ExpireGrant { grant_id: grant.grant_id }));
    }
    for hold in account.holds.iter().filter(|hold| hold.is_open() && hold.expires_at <= now) {
        due.push((Some(hold.expires_at), Operation::ExpireHold { hold_id: hold.hold_id }));
    }
    due.sort_by_key(|(at, _)| *at);
    due.into_iter().map(|(_, operation)| operation).collect()
}
