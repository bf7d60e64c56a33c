//! Spending and reversing: which grants are drawn from, and what comes back.

use ledger::account::{ExpiredPolicy, LedgerError, MoveKind, Operation, Refusal, Terms};

use crate::kit::{World, moves, second, until};

#[test]
fn grants_are_drawn_by_priority_then_expiry_then_age() {
    let mut world = World::new();
    let terms =
        |expires_at: Option<i64>, priority| Terms { expires_at: expires_at.map(second), priority };
    let never = world.gift(10, terms(None, 0));
    let late = world.gift(10, terms(Some(200), 0));
    let twin = world.gift(10, terms(Some(200), 0));
    let soon = world.gift(10, terms(Some(100), 0));
    let last = world.gift(10, terms(Some(50), 1));
    let first = world.gift(10, terms(None, -1));
    for expected in [first, soon, late, twin, never, last] {
        world.spend(10).unwrap();
        assert_eq!(world.last_moves(), moves(MoveKind::Spent, &[(expected, 10)]));
    }
    world.has(0, 0, 0, 0);
}

#[test]
fn a_spend_over_several_grants_says_what_it_drew_of_each() {
    let mut world = World::new();
    let never = world.gift(10, Terms::default());
    let soon = world.gift(4, until(100));
    world.spend(7).unwrap();
    assert_eq!(world.last_moves(), moves(MoveKind::Spent, &[(never, 3), (soon, 4)]));
    world.has(7, 0, 0, 7);
}

#[test]
fn what_is_not_there_is_refused_with_what_is() {
    let mut world = World::new();
    world.gift(10, Terms::default());
    world.hold(4, 100).unwrap();
    let refused = Refusal::Insufficient { wanted: 7, available: 6 };
    assert_eq!(world.spend(7), Err(refused.clone()));
    assert_eq!(world.hold(7, 100), Err(refused));
    world.spend(6).unwrap();
    world.has(0, 4, 0, 4);
}

#[test]
fn amounts_that_are_no_amounts_are_refused() {
    let mut world = World::new();
    world.gift(10, Terms::default());
    let hold = world.hold(5, 100).unwrap();
    for amount in [0, -1, i64::MIN] {
        let refused = Refusal::Ledger(LedgerError::NotPositive { amount });
        assert_eq!(world.spend(amount), Err(refused.clone()));
        assert_eq!(world.hold(amount, 100), Err(refused.clone()));
        assert_eq!(world.capture(hold, amount), Err(refused));
    }
}

#[test]
fn sums_that_do_not_fit_are_refused() {
    let mut world = World::new();
    world.gift(i64::MAX, Terms::default());
    let one = Operation::Grant {
        amount: 1,
        terms: Terms::default(),
        contra: ledger::account::SystemAccount::Promo,
        source: None,
    };
    let refused = LedgerError::OutOfRange { amount: 1, posted: i64::MAX };
    assert_eq!(world.does(&one), Err(refused.into()));
    world.does(&Operation::SetLimit { overdraft_limit: i64::MAX }).unwrap();
    world.spend(i64::MAX).unwrap();
    world.spend(i64::MAX).unwrap();
    world.has(0, 0, i64::MAX, -i64::MAX);
    assert!(matches!(world.spend(1), Err(Refusal::Insufficient { available: 0, .. })));
}

#[test]
fn a_frozen_account_refuses_spends_and_holds_and_nothing_else() {
    let mut world = World::new();
    world.gift(10, Terms::default());
    let (captured, released) = (world.hold(2, 100).unwrap(), world.hold(2, 100).unwrap());
    let spend = world.spend(2).unwrap();
    world.does(&Operation::SetFrozen { frozen: true }).unwrap();
    assert_eq!(world.spend(1), Err(Refusal::Frozen));
    assert_eq!(world.hold(1, 100), Err(Refusal::Frozen));
    world.capture(captured, 2).unwrap();
    world.release(released).unwrap();
    world.reverse(spend, ExpiredPolicy::Lapse).unwrap();
    world.gift(5, Terms::default());
    world.has(13, 0, 0, 13);
    world.does(&Operation::SetFrozen { frozen: false }).unwrap();
    world.spend(13).unwrap();
}

#[test]
fn an_overdraft_goes_to_its_limit_and_the_next_grants_pay_it_first() {
    let mut world = World::new();
    world.gift(10, Terms::default());
    world.does(&Operation::SetLimit { overdraft_limit: 5 }).unwrap();
    assert_eq!(world.spend(16), Err(Refusal::Insufficient { wanted: 16, available: 10 }));
    world.spend(15).unwrap();
    world.has(0, 0, 5, -5);
    let small = world.gift(3, Terms::default());
    assert_eq!(world.last_moves(), moves(MoveKind::PaidDebt, &[(small, 3)]));
    world.has(0, 0, 2, -2);
    let next = world.gift(10, until(100));
    assert_eq!(world.last_moves(), moves(MoveKind::PaidDebt, &[(next, 2)]));
    assert_eq!((world.remains(small), world.remains(next)), (0, 8));
    world.has(8, 0, 0, 8);
}

#[test]
fn a_reversal_gives_back_to_the_grants_that_it_drew_from_and_only_once() {
    let mut world = World::new();
    let never = world.gift(10, Terms::default());
    let soon = world.gift(4, until(100));
    let spend = world.spend(7).unwrap();
    world.reverse(spend, ExpiredPolicy::Lapse).unwrap();
    assert_eq!(world.last_moves(), moves(MoveKind::GivenBack, &[(never, 3), (soon, 4)]));
    assert_eq!((world.remains(never), world.remains(soon)), (10, 4));
    let again = world.reverse(spend, ExpiredPolicy::Lapse);
    assert_eq!(again, Err(Refusal::AlreadyReversed { spend_id: spend }));
    world.has(14, 0, 0, 14);
}

#[test]
fn a_reversal_pays_debt_first_and_gives_back_what_is_drawn_last() {
    let mut world = World::new();
    let (first, second) = (world.gift(4, until(500)), world.gift(4, Terms::default()));
    world.does(&Operation::SetLimit { overdraft_limit: 5 }).unwrap();
    let spend = world.spend(10).unwrap();
    world.spend(3).unwrap();
    world.has(0, 0, 5, -5);
    world.reverse(spend, ExpiredPolicy::Lapse).unwrap();
    assert_eq!(world.last_moves(), moves(MoveKind::GivenBack, &[(first, 1), (second, 4)]));
    world.has(5, 0, 0, 5);
}

#[test]
fn what_no_grant_had_covered_comes_back_as_a_grant_of_its_own() {
    let mut world = World::new();
    world.does(&Operation::SetLimit { overdraft_limit: 5 }).unwrap();
    let spend = world.spend(5).unwrap();
    let payer = world.gift(5, Terms::default());
    world.has(0, 0, 0, 0);
    let effects = world.reverse(spend, ExpiredPolicy::Lapse).unwrap();
    assert_eq!(effects.grants.len(), 1);
    assert_eq!(world.remains(payer), 0, "what paid a debt is gone");
    world.has(5, 0, 0, 5);
}

#[test]
fn credits_whose_grant_expired_meanwhile_come_back_as_the_policy_says() {
    for (policy, available) in [(ExpiredPolicy::Lapse, 3), (ExpiredPolicy::Renew, 7)] {
        let mut world = World::new();
        world.gift(10, Terms::default());
        let soon = world.gift(4, until(100));
        let spend = world.spend(7).unwrap();
        world.at(150).spend(7).unwrap();
        world.reverse(spend, policy).unwrap();
        assert_eq!(world.remains(soon), 0, "nothing of an expired grant can be spent");
        world.has(available, 0, 0, available);
    }
}

#[test]
fn credits_that_lapse_at_a_reversal_do_so_when_it_happens() {
    let mut world = World::new();
    let soon = world.gift(4, until(100));
    let spend = world.spend(4).unwrap();
    world.at(150).reverse(spend, ExpiredPolicy::Lapse).unwrap();
    let [.., back, lapsed] = world.postings.as_slice() else { panic!("two postings") };
    assert_eq!((back.amount, lapsed.amount), (4, -4));
    assert_eq!(lapsed.moves, moves(MoveKind::Expired, &[(soon, 4)]));
    assert_eq!((back.effective_at, lapsed.effective_at), (second(150), second(150)));
}
