//! Clawback: whose credits pay when a payment's own are gone.

use ledger::account::{
    ClawbackPolicy, ExpiredPolicy, GrantMove, MoveKind, Operation, Refusal, SystemAccount, Terms,
};

use crate::kit::{World, line_of, moves, until};

#[test]
fn a_clawback_takes_the_payments_own_credits_first() {
    let mut world = World::new();
    let (other, own) = (world.gift(10, until(100)), world.bought("pi_1", 10));
    world.refund("pi_1", 7, ClawbackPolicy::Debt).unwrap();
    assert_eq!(world.last_moves(), moves(MoveKind::ClawedBack, &[(own, 7)]));
    assert_eq!((world.remains(other), world.remains(own)), (10, 3));
    world.has(13, 0, 0, 13);
}

#[test]
fn what_is_gone_is_owed_and_what_else_is_there_pays_at_once() {
    let mut world = World::new();
    let own = world.bought("pi_1", 10);
    world.spend(8).unwrap();
    let other = world.gift(5, Terms::default());
    world.refund("pi_1", 10, ClawbackPolicy::Debt).unwrap();
    let paid = GrantMove { grant_id: other, kind: MoveKind::PaidDebt, amount: 5 };
    let own = GrantMove { grant_id: own, kind: MoveKind::ClawedBack, amount: 2 };
    assert_eq!(world.last_moves(), [own, paid]);
    world.has(0, 0, 3, -3);
    assert_eq!(world.spend(1), Err(Refusal::Insufficient { wanted: 1, available: 0 }));
}

/// The order in which a refund and another purchase arrive is nobody's choice, and changes no balance and no grant.
#[test]
fn a_debt_is_paid_alike_by_what_came_before_and_by_what_comes_after() {
    let mut before = World::new();
    before.bought("pi_1", 10);
    before.spend(10).unwrap();
    let grant = before.bought("pi_2", 25);
    before.refund("pi_1", 10, ClawbackPolicy::Debt).unwrap();
    let mut after = World::new();
    after.bought("pi_1", 10);
    after.spend(10).unwrap();
    after.refund("pi_1", 10, ClawbackPolicy::Debt).unwrap();
    after.has(0, 0, 10, -10);
    let later = after.bought("pi_2", 25);
    before.has(15, 0, 0, 15);
    after.has(15, 0, 0, 15);
    assert_eq!((before.remains(grant), after.remains(later)), (15, 15));
}

#[test]
fn what_is_written_off_is_borne_by_the_business() {
    let mut world = World::new();
    world.bought("pi_1", 10);
    world.spend(8).unwrap();
    let other = world.gift(5, Terms::default());
    let effects = world.refund("pi_1", 10, ClawbackPolicy::WriteOff).unwrap();
    assert_eq!(effects.forgiven, 8);
    let posted: Vec<_> = effects.postings.iter().map(|p| (p.contra, p.amount)).collect();
    assert_eq!(posted, [(SystemAccount::Refund, -10), (SystemAccount::WriteOff, 8)]);
    assert_eq!(world.remains(other), 5);
    world.has(5, 0, 0, 5);
}

/// What he was forgiven because it was gone comes back: it is his no more than it was.
#[test]
fn what_was_written_off_and_comes_back_is_taken() {
    let refunded =
        |world: &mut World| world.refund("pi_1", 50, ClawbackPolicy::WriteOff).unwrap().forgiven;
    let mut spent = World::new();
    spent.bought("pi_1", 50);
    let spend_id = spent.spend(50).unwrap();
    assert_eq!(refunded(&mut spent), 50);
    assert_eq!(spent.reverse(spend_id, ExpiredPolicy::Lapse).unwrap().forgiven, -50);
    spent.has(0, 0, 0, 0);
    let mut held = World::new();
    held.bought("pi_1", 50);
    let (released, captured) = (held.hold(20, 100).unwrap(), held.hold(20, 100).unwrap());
    let overdue = held.hold(10, 60).unwrap();
    assert_eq!(refunded(&mut held), 50);
    assert_eq!(held.release(released).unwrap().forgiven, -20);
    assert_eq!(held.capture(captured, 15).unwrap().forgiven, -5);
    held.at(60).does(&Operation::ExpireHold { hold_id: overdue }).unwrap();
    let posted: Vec<_> = held.postings.iter().map(|p| (p.contra, p.amount)).collect();
    assert_eq!(posted.last(), Some(&(SystemAccount::WriteOff, -10)));
    held.has(0, 0, 0, 0);
}

/// Also where its grant has expired by then: then nobody bears anything.
#[test]
fn what_was_written_off_and_lapses_is_no_longer_borne() {
    let mut world = World::new();
    world.bought_until("pi_1", 50, until(100));
    let spend_id = world.spend(50).unwrap();
    world.refund("pi_1", 50, ClawbackPolicy::WriteOff).unwrap();
    let effects = world.at(100).reverse(spend_id, ExpiredPolicy::Lapse).unwrap();
    let posted: Vec<_> = effects.postings.iter().map(|p| (p.contra, p.amount)).collect();
    let there_and_back = [(SystemAccount::Expiry, -50), (SystemAccount::Expiry, 50)];
    assert_eq!(posted[0], (SystemAccount::Spend, 50));
    assert_eq!(posted[1..3], there_and_back);
    assert_eq!(posted[3..], [(SystemAccount::WriteOff, -50)]);
    world.has(0, 0, 0, 0);
}

#[test]
fn what_is_gone_freezes_the_account_if_that_is_the_policy() {
    let mut world = World::new();
    world.bought("pi_1", 10);
    world.refund("pi_1", 4, ClawbackPolicy::Freeze).unwrap();
    world.spend(5).unwrap();
    world.refund("pi_1", 6, ClawbackPolicy::Freeze).unwrap();
    world.has(0, 0, 5, -5);
    world.gift(50, Terms::default());
    assert_eq!(world.spend(1), Err(Refusal::Frozen));
}

#[test]
fn nobody_owes_what_expired_unused() {
    let mut world = World::new();
    let own = world.bought_until("pi_1", 10, until(100));
    world.spend(4).unwrap();
    world.at(100).expire(own).unwrap();
    let effects = world.refund("pi_1", 10, ClawbackPolicy::Debt).unwrap();
    let posted: Vec<_> = effects.postings.iter().map(|p| (p.contra, p.amount)).collect();
    assert_eq!(posted, [(SystemAccount::Expiry, 6), (SystemAccount::Refund, -10)]);
    world.has(0, 0, 4, -4);
}

/// Whether the keeper or the refund comes first changes no balance.
#[test]
fn a_refund_before_the_expiry_is_posted_ends_alike() {
    let mut world = World::new();
    let own = world.bought_until("pi_1", 10, until(100));
    world.spend(4).unwrap();
    world.at(100).refund("pi_1", 10, ClawbackPolicy::Debt).unwrap();
    world.has(0, 0, 4, -4);
    assert!(world.expire(own).unwrap().postings.is_empty());
}

/// So it is with a hold whose deadline has passed: the balance says already that its credits are free.
#[test]
fn a_refund_before_a_hold_is_closed_ends_alike() {
    for policy in ClawbackPolicy::ALL {
        for is_closed_first in [false, true] {
            let mut world = World::new();
            let (own, other) =
                (world.bought_until("pi_1", 50, until(100)), world.gift(50, Terms::default()));
            let hold_id = world.hold(50, 200).unwrap();
            let close = Operation::ExpireHold { hold_id };
            world.at(300);
            if is_closed_first {
                world.does(&close).unwrap();
            }
            assert_eq!(world.refund("pi_1", 50, policy).unwrap().forgiven, 0, "nobody used any");
            if !is_closed_first {
                world.does(&close).unwrap();
            }
            assert_eq!((world.remains(own), world.remains(other)), (0, 50), "{policy:?}");
            assert!(!world.account.frozen);
            world.has(50, 0, 0, 50);
        }
    }
}

#[test]
fn what_an_overdue_hold_has_of_other_grants_pays_a_debt_unless_it_has_expired() {
    let mut world = World::new();
    world.bought("pi_1", 10);
    world.spend(10).unwrap();
    let (soon, never) = (world.gift(10, until(50)), world.gift(10, Terms::default()));
    let overdue = world.hold(20, 100).unwrap();
    world.at(100).refund("pi_1", 10, ClawbackPolicy::Debt).unwrap();
    assert_eq!(world.last_moves(), moves(MoveKind::PaidDebt, &[(never, 10)]));
    world.does(&Operation::ExpireHold { hold_id: overdue }).unwrap();
    world.expire(soon).unwrap();
    world.has(0, 0, 0, 0);
}

/// One line may have grants that end at different times: what is gone already is taken last, posted or not.
#[test]
fn a_clawback_takes_what_can_be_spent_before_what_has_expired() {
    let mut world = World::new();
    let early = world.bought_until("pi_1", 10, until(100));
    let late = world.bought("pi_1", 10);
    world.at(100).refund("pi_1", 10, ClawbackPolicy::Debt).unwrap();
    assert_eq!(world.last_moves(), moves(MoveKind::ClawedBack, &[(late, 10)]));
    world.expire(early).unwrap();
    world.has(0, 0, 0, 0);
}

#[test]
fn a_debt_takes_what_holds_reserve_last_and_the_latest_hold_first() {
    let mut world = World::new();
    world.bought("pi_1", 10);
    world.spend(10).unwrap();
    let other = world.gift(8, Terms::default());
    let (early, late) = (world.hold(3, 100).unwrap(), world.hold(3, 200).unwrap());
    world.refund("pi_1", 6, ClawbackPolicy::Debt).unwrap();
    assert_eq!(world.last_moves(), moves(MoveKind::PaidDebt, &[(other, 6)]));
    assert_eq!(world.account.hold_of(early).unwrap().reserved, [(other, 2)].into());
    assert!(world.account.hold_of(late).unwrap().reserved.is_empty());
    world.has(0, 6, 0, 2);
    world.release(early).unwrap();
    world.has(0, 3, 0, 2);
    world.release(late).unwrap();
    world.has(2, 0, 0, 2);
}

#[test]
fn a_reassigned_payment_leaves_by_the_same_rules() {
    let mut world = World::new();
    let own = world.bought("pi_1", 10);
    world.spend(4).unwrap();
    let moved = Operation::Clawback {
        amount: 10,
        source: line_of("pi_1"),
        kind: MoveKind::Moved,
        contra: SystemAccount::Adjustment,
        policy: ClawbackPolicy::Debt,
    };
    world.does(&moved).unwrap();
    assert_eq!(world.last_moves(), moves(MoveKind::Moved, &[(own, 6)]));
    world.has(0, 0, 4, -4);
}

/// Holds, a debt, expired and expiring grants, a dispute, an overdraft: on one account.
#[test]
fn an_account_with_everything_at_once_adds_up() {
    let mut world = World::new();
    world.does(&Operation::SetLimit { overdraft_limit: 5 }).unwrap();
    world.bought("pi_1", 100);
    world.gift(20, until(50));
    world.bought_until("pi_2", 30, until(1_000));
    world.at(10).spend(25).unwrap();
    world.has(125, 0, 0, 125);
    let hold = world.hold(40, 2_000).unwrap();
    world.has(85, 40, 0, 125);
    // A dispute takes all of the first payment: 85 are free, and 15 are held.
    world.at(20).refund("pi_1", 100, ClawbackPolicy::Debt).unwrap();
    world.has(0, 40, 0, 25);
    world.at(30).spend(1).unwrap_err();
    world.gift(20, until(60));
    world.has(5, 40, 0, 45);
    world.spend(10).unwrap();
    world.has(0, 40, 0, 35);
    world.at(60).has(0, 40, 0, 25);
    world.capture(hold, 40).unwrap();
    world.has(0, 0, 15, -15);
    world.bought("pi_1", 100);
    world.has(85, 0, 0, 85);
    let sum: i64 = world.postings.iter().map(|posting| posting.amount).sum();
    assert_eq!(sum, 85 + world.account.due(jiff::Timestamp::from_second(60).unwrap()));
}
