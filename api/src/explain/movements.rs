//! What moved, and why, in sentences.

use ledger::account::SystemAccount;
use ledger::ids::Owner;
use store::read::decisions::Decision;
use store::read::payments::Movement;

use super::material::Material;
use super::words::{because, credits, evidence_of, sentences, weighed_as_well, were};

/// What moved in the name of a decision, and why to whom.
pub(super) fn moved(material: &Material, decision: &Decision) -> Option<String> {
    let movements = material.movements_of(decision);
    let to_user = movements.iter().any(|movement| is_claimed(movement));
    let evidence = evidence_of(decision.evidence.as_ref());
    let because = because(&evidence, decision.rank);
    // What leaves the unclaimed account for a user's is told once, at its arrival.
    let told = movements.iter().filter(|movement| {
        !(to_user && movement.contra == SystemAccount::Unclaimed && movement.amount < 0)
    });
    let told: Vec<String> = told.map(|one| movement(one, because.as_deref(), &movements)).collect();
    if told.is_empty() {
        return None;
    }
    let is_given = |movement: &Movement| {
        movement.amount > 0
            && matches!(movement.contra, SystemAccount::Sale | SystemAccount::Unclaimed)
            && matches!(movement.owner, Owner::User(_))
    };
    let is_given = movements.iter().any(|movement| is_given(movement));
    let others = is_given.then(|| weighed_as_well(&evidence, decision.rank)).flatten();
    Some(sentences([Some(told.join(" ")), others]))
}

fn is_claimed(movement: &Movement) -> bool {
    movement.contra == SystemAccount::Unclaimed
        && movement.amount > 0
        && matches!(movement.owner, Owner::User(_))
}

/// One movement. `all` are those of the same decision.
fn movement(movement: &Movement, because: Option<&str>, all: &[&Movement]) -> String {
    let unit = &movement.id.unit;
    let count = movement.amount.saturating_abs();
    let (amount, were) = (credits(count, unit), were(count));
    let (balance, why) = (balance(movement), why_back(movement, all));
    match (&movement.owner, movement.contra, movement.amount > 0) {
        (Owner::User(user), SystemAccount::Refund | SystemAccount::Dispute, true) => {
            format!("{amount} {were} given back to user {user}{why}. {balance}")
        }
        (Owner::User(user), SystemAccount::WriteOff, true) => {
            format!(
                "{amount} of them {were} gone already and written off: user {user} owes nothing for them. {balance}"
            )
        }
        (Owner::User(user), SystemAccount::Expiry, true) => {
            format!(
                "{amount} that had expired {were} called back to user {user}, to be taken back. {balance}"
            )
        }
        (Owner::User(user), SystemAccount::Adjustment, false) => {
            let is_moved = |other: &&Movement| other.contra == movement.contra && other.amount > 0;
            let why =
                if all.iter().any(is_moved) { "" } else { ", whose opening balance has them" };
            format!("{amount} left the account of user {user}{why}. {balance}")
        }
        (Owner::User(user), contra, true) => {
            let what = if contra == SystemAccount::Adjustment {
                format!("The {amount}")
            } else if is_claimed(movement) {
                format!("The {amount} that {were} set aside")
            } else {
                format!("{amount}{}", worth(movement))
            };
            let because = because.map(|because| format!(", {because}")).unwrap_or_default();
            format!("{what} went to user {user}{because}. {balance}")
        }
        (Owner::User(user), _, false) => {
            format!("{amount} {were} taken back from user {user}{why}. {balance}")
        }
        (Owner::Unclaimed(_), SystemAccount::Refund | SystemAccount::Dispute, true) => {
            format!("{amount} {were} set aside again{why}.")
        }
        (Owner::Unclaimed(_), _, true) => {
            format!("The {amount}{} {were} set aside until somebody claims them.", worth(movement))
        }
        (Owner::Unclaimed(_), SystemAccount::WriteOff, false) => {
            format!("The {amount} that {were} set aside {were} written off.")
        }
        (Owner::Unclaimed(_), _, false) => {
            format!("{amount} that {were} set aside {were} taken back{why}.")
        }
    }
}

/// Why credits go back or come back, as far as their other side tells.
fn why_back(movement: &Movement, all: &[&Movement]) -> &'static str {
    let refunded = |other: &Movement| other.contra == SystemAccount::Refund && other.amount < 0;
    match (movement.contra, movement.amount > 0) {
        (SystemAccount::WriteOff, false) => ", because they had been written off",
        (SystemAccount::Refund, false) => ", because the money was refunded",
        (SystemAccount::Refund, true) => ", because a refund failed",
        (SystemAccount::Dispute, false) => ", because the bank took the disputed money",
        (SystemAccount::Dispute, true) if all.iter().any(|other| refunded(other)) => {
            ", because what is refunded does not count as disputed as well"
        }
        (SystemAccount::Dispute, true) => ", because the bank gave the disputed money back",
        _ => "",
    }
}

/// What a user had after a movement.
fn balance(movement: &Movement) -> String {
    let unit = &movement.id.unit;
    if movement.balance_after < 0 {
        let owed = credits(movement.balance_after.saturating_abs(), unit);
        return format!("They owe {owed} now, which the next credits pay first.");
    }
    format!("Their balance became {}.", credits(movement.balance_after, unit))
}

/// Where the number of credits comes from, by the line of the payment.
fn worth(movement: &Movement) -> String {
    match movement.line.as_deref() {
        Some("credits") => " (the number in its metadata)".to_owned(),
        Some("assigned") => " (the number that a person gave)".to_owned(),
        Some(line) => match line.strip_prefix("price:") {
            Some(price) => format!(" (for the price {price})"),
            None => format!(" (for {line})"),
        },
        None => String::new(),
    }
}
