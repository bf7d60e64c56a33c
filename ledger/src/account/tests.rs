//! Given an account, when credits move on it, then the posting and what is left are these.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::ids::Owner;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn source(line: &str) -> Source {
    Source { root_key: "pi_1".into(), line: line.into() }
}

fn act(second: i64) -> Act {
    Act {
        tenant_id: 1,
        cause: Cause::Decision { pos: second, rev: 0, effect_no: 0 },
        effective_at: at(second),
        recorded_at: at(second),
    }
}

fn grant(
    account: &mut Account,
    (line, second): (&str, i64),
    amount: i64,
    terms: Terms,
) -> Result<Posting, Refusal> {
    let (contra, source) = (SystemAccount::Sale, Some(source(line)));
    let operation = Operation::Grant { amount, terms, contra, source };
    Ok(account.evaluate(&act(second), &operation)?.postings.remove(0))
}

fn take(
    account: &mut Account,
    (line, second): (&str, i64),
    amount: i64,
    kind: MoveKind,
) -> Result<Posting, Refusal> {
    let (contra, source) = (SystemAccount::Sale, source(line));
    let policy = ClawbackPolicy::Debt;
    let operation = Operation::Clawback { amount, source, kind, contra, policy };
    Ok(account.evaluate(&act(second), &operation)?.postings.remove(0))
}

fn account() -> Account {
    Account::new(Owner::User("u_1".into()).account_id(), "credits".into())
}

#[test]
fn a_grant_adds_to_the_balance_and_stands_open() {
    let mut account = account();
    let posting = grant(&mut account, ("a", 10), 50, Terms::default()).unwrap();
    assert_eq!((posting.seq, posting.amount, posting.balance_after), (1, 50, 50));
    assert_eq!((account.version, account.posted, account.grants.len()), (1, 50, 1));
    assert!(account.grants[0].is_open());
    assert_eq!(account.grants[0].grant_id, posting.seq);
}

#[test]
fn taking_draws_from_the_lines_own_grants_only() {
    let mut account = account();
    grant(&mut account, ("a", 10), 50, Terms::default()).unwrap();
    grant(&mut account, ("b", 11), 30, Terms::default()).unwrap();
    let posting = take(&mut account, ("b", 12), 30, MoveKind::Moved).unwrap();
    assert_eq!(posting.moves, [GrantMove { grant_id: 2, kind: MoveKind::Moved, amount: 30 }]);
    assert_eq!((account.posted, posting.balance_after), (50, 50));
    assert!(!account.grants[1].is_open());
}

#[test]
fn other_terms_are_those_of_the_lines_open_grants() {
    let mut account = account();
    let terms = |second| Terms { expires_at: Some(at(second)), priority: 5 };
    grant(&mut account, ("a", 10), 50, terms(100)).unwrap();
    take(&mut account, ("a", 11), 50, MoveKind::ClawedBack).unwrap();
    grant(&mut account, ("a", 12), 20, terms(100)).unwrap();
    grant(&mut account, ("b", 13), 30, terms(100)).unwrap();
    let before = (account.posted, account.version, account.last_hash);
    let effects = account.set_terms(&source("a"), terms(200));
    assert_eq!(effects.grants.keys().copied().collect::<Vec<_>>(), [3]);
    let kept: Vec<_> = account.grants.iter().map(|grant| grant.terms).collect();
    assert_eq!(kept, [terms(100), terms(200), terms(100)]);
    assert_eq!((account.posted, account.version, account.last_hash), before);
}

#[test]
fn amounts_that_are_no_amounts_are_refused() {
    let mut account = account();
    for amount in [0, -1, i64::MIN] {
        assert_eq!(
            grant(&mut account, ("a", 10), amount, Terms::default()),
            Err(LedgerError::NotPositive { amount }.into())
        );
        assert_eq!(
            take(&mut account, ("a", 10), amount, MoveKind::Moved),
            Err(LedgerError::NotPositive { amount }.into())
        );
    }
    grant(&mut account, ("a", 10), i64::MAX, Terms::default()).unwrap();
    let refused = grant(&mut account, ("a", 11), 1, Terms::default());
    assert_eq!(refused, Err(LedgerError::OutOfRange { amount: 1, posted: i64::MAX }.into()));
}

#[test]
fn recorded_at_never_decreases() {
    let mut account = account();
    grant(&mut account, ("a", 20), 1, Terms::default()).unwrap();
    let posting = grant(&mut account, ("b", 10), 1, Terms::default()).unwrap();
    assert_eq!(posting.recorded_at, at(20));
    assert_eq!(posting.effective_at, at(10));
}

#[test]
fn every_part_of_a_posting_is_in_its_hash() {
    let mut account = account();
    grant(&mut account, ("a", 10), 50, Terms::default()).unwrap();
    let posting = take(&mut account, ("a", 11), 50, MoveKind::Moved).unwrap();
    let changes: [fn(&mut Posting); 13] = [
        |p| p.account = Owner::User("u_2".into()).account_id(),
        |p| p.unit = "other".into(),
        |p| p.seq += 1,
        |p| p.contra = SystemAccount::Spend,
        |p| p.amount += 1,
        |p| p.balance_after += 1,
        |p| p.cause = Cause::Decision { pos: 11, rev: 1, effect_no: 0 },
        |p| p.cause = Cause::Command(Uuid::nil()),
        |p| p.source = None,
        |p| p.effective_at = at(12),
        |p| p.recorded_at = at(12),
        |p| p.moves[0].amount -= 1,
        |p| p.moves[0].kind = MoveKind::WrittenOff,
    ];
    let right = chain::hash(1, &account.last_hash, &posting);
    for (number, change) in changes.iter().enumerate() {
        let mut other = posting.clone();
        change(&mut other);
        assert_ne!(chain::hash(1, &account.last_hash, &other), right, "change {number}");
    }
    assert_ne!(chain::hash(2, &account.last_hash, &posting), right);
    assert_ne!(chain::hash(1, &chain::GENESIS, &posting), right);
}

proptest! {
    /// Whatever moves in whatever order: the balance is the sum, the grants hold it, the chain leads from posting to
    /// posting, and a refusal leaves the account as it was.
    #[test]
    fn the_books_add_up(steps in prop::collection::vec((0..3_u8, 1..100_i64, any::<bool>()), 1..60)) {
        let mut account = account();
        let mut postings: Vec<Posting> = Vec::new();
        for (second, (line, amount, take_it)) in (1..).zip(steps) {
            let place = (&*format!("line {line}"), second);
            let before = account.clone();
            let result = if take_it { take(&mut account, place, amount, MoveKind::Moved) } else { grant(&mut account, place, amount, Terms::default()) };
            if let Ok(posting) = result {
                postings.push(posting);
            } else {
                prop_assert_eq!(&before, &account);
            }
        }
        prop_assert_eq!(account.posted, postings.iter().map(|posting| posting.amount).sum::<i64>());
        let remaining = account.grants.iter().map(|grant| grant.remaining).sum::<i64>();
        prop_assert!(account.posted == remaining || account.posted < remaining && remaining == 0);
        let mut head = chain::GENESIS;
        for (seq, posting) in (1..).zip(&postings) {
            prop_assert_eq!(posting.seq, seq);
            prop_assert_eq!(posting.hash, chain::hash(1, &head, posting));
            head = posting.hash;
        }
        prop_assert_eq!(head, account.last_hash);
    }
}
