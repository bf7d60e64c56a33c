//! Holds: what they reserve, and how they end.

use ledger::account::{ClawbackPolicy, HoldState, MoveKind, Operation, Refusal, Row, Terms};

use crate::kit::{World, moves, second, until};

#[test]
fn a_hold_counts_at_once_and_posts_nothing() {
    let mut world = World::new();
    let grant = world.gift(10, Terms::default());
    let hold = world.hold(4, 100).unwrap();
    assert_eq!(world.postings.len(), 1);
    assert_eq!(world.account.grant_of(grant).unwrap().held, 4);
    assert_eq!(world.account.hold_of(hold).unwrap().reserved, [(grant, 4)].into());
    world.has(6, 4, 0, 10);
}

#[test]
fn a_capture_in_part_releases_the_rest() {
    let mut world = World::new();
    let (never, soon) = (world.gift(10, Terms::default()), world.gift(4, until(500)));
    let hold = world.hold(8, 100).unwrap();
    let effects = world.capture(hold, 5).unwrap();
    assert_eq!(world.last_moves(), moves(MoveKind::Spent, &[(never, 1), (soon, 4)]));
    let Row::Changed(row) = &effects.holds[&hold] else { panic!("a stored hold") };
    assert_eq!((row.state, row.captured), (HoldState::Captured, 5));
    assert!(row.reserved.is_empty());
    world.has(9, 0, 0, 9);
}

#[test]
fn a_hold_ends_once() {
    let mut world = World::new();
    world.gift(10, Terms::default());
    let (captured, released) = (world.hold(2, 100).unwrap(), world.hold(2, 100).unwrap());
    let expired = world.hold(2, 50).unwrap();
    world.capture(captured, 2).unwrap();
    world.release(released).unwrap();
    world.at(60).does(&Operation::ExpireHold { hold_id: expired }).unwrap();
    let ends = [
        (captured, HoldState::Captured),
        (released, HoldState::Released),
        (expired, HoldState::Expired),
    ];
    for (hold_id, state) in ends {
        let closed = Refusal::HoldClosed { hold_id, state };
        assert_eq!(world.capture(hold_id, 1), Err(closed.clone()));
        assert_eq!(world.release(hold_id), Err(closed.clone()));
        assert_eq!(world.does(&Operation::ExpireHold { hold_id }), Err(closed));
    }
    world.has(8, 0, 0, 8);
}

#[test]
fn a_capture_is_refused_from_the_instant_of_the_deadline_on() {
    let mut world = World::new();
    world.gift(10, Terms::default());
    let (early, late) = (world.hold(2, 100).unwrap(), world.hold(2, 100).unwrap());
    let not_due = world.at(99).does(&Operation::ExpireHold { hold_id: late });
    assert_eq!(not_due, Err(Refusal::NotDue));
    world.capture(early, 2).unwrap();
    world.at(100);
    assert_eq!(world.capture(late, 2), Err(Refusal::HoldExpired { hold_id: late }));
    world.has(6, 2, 0, 8);
    world.does(&Operation::ExpireHold { hold_id: late }).unwrap();
    world.has(8, 0, 0, 8);
}

#[test]
fn no_more_is_captured_than_is_held() {
    let mut world = World::new();
    world.gift(10, Terms::default());
    let hold = world.hold(4, 100).unwrap();
    assert_eq!(world.capture(hold, 5), Err(Refusal::AboveHeld { wanted: 5, held: 4 }));
    let past = Refusal::Past { at: second(0) };
    assert_eq!(world.hold(1, 0), Err(past), "a deadline is to come");
}

#[test]
fn what_a_hold_reserves_when_its_grant_expires_stays_with_it() {
    let mut world = World::new();
    let soon = world.gift(10, until(100));
    let hold = world.hold(6, 500).unwrap();
    world.at(100).expire(soon).unwrap();
    assert_eq!(world.last_moves(), moves(MoveKind::Expired, &[(soon, 4)]));
    world.has(0, 6, 0, 6);
    world.at(200).capture(hold, 4).unwrap();
    let [.., spent, lapsed] = world.postings.as_slice() else { panic!("two postings") };
    assert_eq!(spent.moves, moves(MoveKind::Spent, &[(soon, 4)]));
    assert_eq!(lapsed.moves, moves(MoveKind::Expired, &[(soon, 2)]));
    assert_eq!(lapsed.effective_at, second(200), "until then they were the hold's");
    world.has(0, 0, 0, 0);
}

#[test]
fn what_a_late_keeper_lets_go_expires_when_it_would_have() {
    for (deadline, expires_at) in [(100, 50), (50, 100)] {
        let mut world = World::new();
        world.gift(10, until(expires_at));
        let hold_id = world.hold(6, deadline).unwrap();
        world.at(1_000).does(&Operation::ExpireHold { hold_id }).unwrap();
        let lapsed = world.postings.last().unwrap();
        assert_eq!((lapsed.amount, lapsed.effective_at), (-6, second(100)));
        world.has(0, 0, 0, 0);
    }
}

#[test]
fn a_clawback_breaks_no_hold() {
    let mut world = World::new();
    let grant = world.bought("pi_1", 10);
    let hold = world.hold(4, 100).unwrap();
    world.refund("pi_1", 10, ClawbackPolicy::Debt).unwrap();
    world.has(0, 4, 0, 0);
    assert_eq!(world.remains(grant), 0, "all that was bought is taken back");
    world.capture(hold, 4).unwrap();
    world.has(0, 0, 4, -4);
}

#[test]
fn a_hold_without_grants_behind_it_is_captured_from_what_came_since() {
    let mut world = World::new();
    world.does(&Operation::SetLimit { overdraft_limit: 5 }).unwrap();
    let hold = world.hold(5, 100).unwrap();
    world.has(0, 5, 0, 0);
    let grant = world.gift(8, Terms::default());
    world.has(3, 5, 0, 8);
    world.capture(hold, 5).unwrap();
    assert_eq!(world.last_moves(), moves(MoveKind::Spent, &[(grant, 5)]));
    world.has(3, 0, 0, 3);
}
