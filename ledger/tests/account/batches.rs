//! Batches: many operations on one account that is loaded once, perhaps in part, and written once.

use ledger::account::{
    ClawbackPolicy, Effects, Extent, HoldState, MoveKind, Operation, Refusal, Row, Terms,
};

use crate::kit::{World, moves, until};

#[test]
fn a_batch_is_written_once_with_each_row_as_it_is_at_the_end() {
    let mut world = World::new();
    let stored = world.gift(10, Terms::default());
    let mut batch = Effects::default();
    let hold = world.hold(4, 100).unwrap();
    let spend = Operation::Spend { amount: 3 };
    let hold_id = hold;
    let made = Operation::Hold { hold_id, amount: 1, expires_at: crate::kit::second(100) };
    assert_eq!(world.does(&made), Err(Refusal::HoldExists { hold_id }));
    batch.append(world.does(&spend).unwrap());
    assert!(world.spend(4).is_err(), "one that is refused harms no other");
    batch.append(world.does(&Operation::Release { hold_id }).unwrap());
    batch.append(world.does(&spend).unwrap());
    assert_eq!(batch.postings.iter().map(|p| p.seq).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(batch.grants.len(), 1);
    let Row::Changed(grant) = &batch.grants[&stored] else { panic!("a stored grant") };
    assert_eq!((grant.remaining, grant.held), (4, 0));
    let Row::Changed(hold) = &batch.holds[&hold_id] else { panic!("a stored hold") };
    assert_eq!(hold.state, HoldState::Released);
}

#[test]
fn what_a_batch_makes_and_changes_is_new() {
    let mut world = World::new();
    let (contra, source) = (ledger::account::SystemAccount::Promo, None);
    let gift = Operation::Grant { amount: 5, terms: Terms::default(), contra, source };
    let mut batch = world.does(&gift).unwrap();
    batch.append(world.does(&Operation::Spend { amount: 2 }).unwrap());
    let Row::New(grant) = &batch.grants[&1] else { panic!("a grant that is not stored") };
    assert_eq!((grant.granted, grant.remaining), (5, 3));
}

#[test]
fn an_account_in_part_decides_as_the_whole_or_says_that_it_cannot() {
    let mut world = World::new();
    let first = world.gift(10, until(1_000));
    let second = world.gift(10, until(2_000));
    let third = world.gift(10, Terms::default());
    // Loaded up to the first; the second is left out, the third is named by something.
    let place = world.account.grant_of(first).unwrap().place();
    world.account.extent = Extent::Until(place);
    world.account.grants.retain(|grant| grant.grant_id != second);
    assert_eq!(world.account.available(crate::kit::second(0)), Ok(30));
    assert_eq!(world.account.balance(crate::kit::second(0)), Err(Refusal::NotLoaded));
    assert_eq!(world.spend(11), Err(Refusal::NotLoaded), "the second comes before the third");
    assert_eq!(world.hold(11, 100), Err(Refusal::NotLoaded));
    assert_eq!(world.spend(31), Err(Refusal::Insufficient { wanted: 31, available: 30 }));
    world.spend(10).unwrap();
    assert_eq!(world.last_moves(), moves(MoveKind::Spent, &[(first, 10)]));
    assert_eq!(world.remains(third), 10);
}

#[test]
fn a_capture_that_cannot_be_decided_yet_changes_nothing() {
    let mut world = World::new();
    world.does(&Operation::SetLimit { overdraft_limit: 5 }).unwrap();
    let grant = world.gift(10, Terms::default());
    let hold_id = world.hold(15, 100).unwrap();
    world.account.extent = Extent::Until(world.account.grant_of(grant).unwrap().place());
    assert_eq!(world.capture(hold_id, 15), Err(Refusal::NotLoaded));
    assert_eq!(world.account.held, 15);
    world.account.extent = Extent::Whole;
    world.capture(hold_id, 15).unwrap();
    world.has(0, 0, 5, -5);
}

#[test]
fn what_expired_is_taken_back_once() {
    let mut world = World::new();
    let own = world.bought_until("pi_1", 10, until(100));
    world.spend(4).unwrap();
    world.at(100).expire(own).unwrap();
    world.refund("pi_1", 5, ClawbackPolicy::Debt).unwrap();
    world.has(0, 0, 0, 0);
    world.refund("pi_1", 5, ClawbackPolicy::Debt).unwrap();
    world.has(0, 0, 4, -4);
}
