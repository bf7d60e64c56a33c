//! What others got wrong about spends, holds, expiry and top-ups, each with where it was found.

use ledger::account::{ClawbackPolicy, ExpiredPolicy, Operation, Refusal, Terms};

use crate::kit::{World, second, until};

/// vm0#10299: credits that had expired could be spent until a job came by.
#[test]
fn vm0_10299_expired_credits_are_still_spendable() {
    let mut world = World::new();
    world.gift(10, until(100));
    world.bought("pi_1", 3);
    world.at(100);
    assert_eq!(world.spend(4), Err(Refusal::Insufficient { wanted: 4, available: 3 }));
    world.spend(3).unwrap();
}

/// fountain#1126: expiry ate credits that were paid for.
#[test]
fn fountain_1126_expiry_eats_paid_credits() {
    let mut world = World::new();
    let paid = world.bought("pi_1", 10);
    let free = world.gift(10, until(100));
    world.spend(15).unwrap();
    world.at(100).expire(free).unwrap();
    assert_eq!(world.remains(paid), 5, "the free ones were drawn first, and none is left");
    world.has(5, 0, 0, 5);
}

/// blnk#181, eliza#11493: a hold whose job died kept its credits for ever.
#[test]
fn blnk_181_eliza_11493_holds_are_stranded() {
    let mut world = World::new();
    world.gift(10, Terms::default());
    let hold_id = world.hold(10, 100).unwrap();
    world.at(100).does(&Operation::ExpireHold { hold_id }).unwrap();
    world.has(10, 0, 0, 10);
    assert!(world.capture(hold_id, 10).is_err(), "the job that wakes up too late gets nothing");
}

/// eliza#10920, Helicone#4728: after a refund the credits could still be spent.
#[test]
fn eliza_10920_helicone_4728_refunds_leave_spendable_credits() {
    let mut world = World::new();
    world.bought("pi_1", 10);
    world.refund("pi_1", 10, ClawbackPolicy::Debt).unwrap();
    assert_eq!(world.spend(1), Err(Refusal::Insufficient { wanted: 1, available: 0 }));
}

/// eliza#10997, #11155: a dispute that was won gave nothing back.
#[test]
fn eliza_10997_11155_disputes_are_never_reinstated() {
    let mut world = World::new();
    world.bought("pi_1", 10);
    world.spend(6).unwrap();
    world.refund("pi_1", 10, ClawbackPolicy::Debt).unwrap();
    world.has(0, 0, 6, -6);
    world.bought("pi_1", 10);
    world.has(4, 0, 0, 4);
}

/// polar#11427: another purchase wiped what was left.
#[test]
fn polar_11427_a_top_up_wipes_the_balance() {
    let mut world = World::new();
    world.bought("pi_1", 10);
    world.spend(3).unwrap();
    world.bought_until("pi_2", 20, until(100));
    world.has(27, 0, 0, 27);
}

/// open-saas#727, prompts.chat#1103: parallel calls spent the last credit twice. Whoever locks the account evaluates them
/// one after the other.
#[test]
fn open_saas_727_the_last_credit_is_spent_twice() {
    let mut world = World::new();
    world.gift(1, Terms::default());
    let spent = (0..1_000).filter(|_| world.spend(1).is_ok()).count();
    assert_eq!(spent, 1);
    world.has(0, 0, 0, 0);
}

/// A spend that is taken back twice gives credits away.
#[test]
fn a_spend_is_reversed_twice() {
    let mut world = World::new();
    world.gift(10, Terms::default());
    let hold_id = world.hold(4, 100).unwrap();
    world.capture(hold_id, 4).unwrap();
    let spend_id = world.account.spends[0].spend_id;
    world.reverse(spend_id, ExpiredPolicy::Renew).unwrap();
    let again = world.reverse(spend_id, ExpiredPolicy::Renew);
    assert_eq!(again, Err(Refusal::AlreadyReversed { spend_id }));
    world.has(10, 0, 0, 10);
}

/// flexprice#2671: credits expired days early. Whoever reads a second before has all of them.
#[test]
fn flexprice_2671_credits_expire_early() {
    let mut world = World::new();
    world.gift(10, until(86_400 * 30));
    world.at(86_400 * 30 - 1).has(10, 0, 0, 10);
    let next = world.account.balance(second(0)).unwrap().expiring_next.unwrap();
    assert_eq!(next.at, second(86_400 * 30));
}
