//! Expiry: to the instant, whenever it is posted.

use jiff::civil::date;
use jiff::{Span, Timestamp, ToSpan};
use ledger::account::{Expiring, MoveKind, Operation, Refusal, SystemAccount, Terms};

use crate::kit::{World, moves, second, until};

#[test]
fn credits_are_unspendable_from_the_instant_of_their_expiry_on() {
    let mut world = World::new();
    world.gift(10, until(100));
    world.at(99).spend(1).unwrap();
    world.has(9, 0, 0, 9);
    world.at(100);
    world.has(0, 0, 0, 0);
    assert_eq!(world.spend(1), Err(Refusal::Insufficient { wanted: 1, available: 0 }));
    assert_eq!(world.hold(1, 200), Err(Refusal::Insufficient { wanted: 1, available: 0 }));
}

#[test]
fn expiry_is_posted_as_of_when_it_was_due_and_changes_no_balance() {
    let mut world = World::new();
    let grant = world.gift(10, until(100));
    assert_eq!(world.at(99).expire(grant), Err(Refusal::NotDue));
    world.at(5_000).has(0, 0, 0, 0);
    world.expire(grant).unwrap();
    world.has(0, 0, 0, 0);
    let posting = world.postings.last().unwrap();
    assert_eq!((posting.contra, posting.amount), (SystemAccount::Expiry, -10));
    assert_eq!((posting.effective_at, posting.recorded_at), (second(100), second(5_000)));
    assert_eq!(posting.moves, moves(MoveKind::Expired, &[(grant, 10)]));
    assert!(world.expire(grant).unwrap().postings.is_empty(), "twice is once");
}

#[test]
fn what_never_expires_is_never_due() {
    let mut world = World::new();
    let grant = world.gift(10, Terms::default());
    assert_eq!(world.at(i64::from(u32::MAX)).expire(grant), Err(Refusal::NotDue));
}

#[test]
fn the_balance_says_what_expires_next() {
    let mut world = World::new();
    let next = |world: &World, now| world.account.balance(second(now)).unwrap().expiring_next;
    world.gift(10, Terms::default());
    assert_eq!(next(&world, 0), None);
    world.gift(5, until(200));
    world.gift(3, until(100));
    world.gift(4, until(100));
    assert_eq!(next(&world, 0), Some(Expiring { amount: 7, at: second(100) }));
    world.hold(6, 500).unwrap();
    assert_eq!(next(&world, 0), Some(Expiring { amount: 1, at: second(100) }), "but for holds");
    assert_eq!(next(&world, 100), Some(Expiring { amount: 5, at: second(200) }));
    assert_eq!(next(&world, 200), None);
}

#[test]
fn nothing_is_given_away_that_has_expired() {
    let mut world = World::new();
    let (contra, source) = (SystemAccount::Promo, None);
    let gift = Operation::Grant { amount: 1, terms: until(100), contra, source };
    assert_eq!(world.at(100).does(&gift), Err(Refusal::Past { at: second(100) }));
    // A purchase is a fact, however late it is heard of.
    world.bought_until("pi_1", 10, until(100));
    world.has(0, 0, 0, 0);
}

#[test]
fn the_accounts_clock_never_goes_back() {
    let mut world = World::new();
    world.gift(10, until(100));
    world.at(150).gift(1, Terms::default());
    // Another server, whose clock is behind: what has expired for one has expired for all.
    assert_eq!(world.at(50).spend(5), Err(Refusal::Insufficient { wanted: 5, available: 1 }));
    world.at(50).spend(1).unwrap();
    assert_eq!(world.postings.last().unwrap().recorded_at, second(150));
}

/// Terms come as instants. What calendars do to them was decided before: here is that an instant is kept to the second on
/// the days on which calendars are odd.
#[test]
fn calendars_do_not_blur_an_instant() {
    let in_zone = |zone: &str, from: jiff::civil::Date, after: Span| -> Timestamp {
        let bought = from.at(2, 30, 0, 0).in_tz(zone).unwrap();
        bought.checked_add(after).unwrap().timestamp()
    };
    let odd_days = [
        (
            "a month from the 31st",
            in_zone("UTC", date(2026, 1, 31), 1.month()),
            "2026-02-28T02:30:00Z",
        ),
        ("a leap day", in_zone("UTC", date(2028, 2, 29), 1.year()), "2029-02-28T02:30:00Z"),
        (
            "an hour that is not there",
            in_zone("Europe/Berlin", date(2027, 2, 28), 1.month()),
            "2027-03-28T01:30:00Z",
        ),
        (
            "an hour that is there twice",
            in_zone("Europe/Berlin", date(2026, 9, 25), 1.month()),
            "2026-10-25T00:30:00Z",
        ),
    ];
    for (day, expires_at, expected) in odd_days {
        assert_eq!(expires_at, expected.parse().unwrap(), "{day}");
        let mut world = World::new();
        world.gift(10, Terms { expires_at: Some(expires_at), priority: 0 });
        let at = expires_at.as_second();
        world.at(at - 1).has(10, 0, 0, 10);
        world.at(at).has(0, 0, 0, 0);
    }
}
